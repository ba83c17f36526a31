"""How a stream ended, in one word."""

from __future__ import annotations

from typing import Literal, TypeAlias

from headrace.core.chunk import Cancelled, Finish, Terminal
from headrace.errors import StreamCancelledException, StreamTimeoutException

Outcome: TypeAlias = Literal["finished", "failed", "cancelled", "timeout"]
OUTCOMES: tuple[Outcome, ...] = ("finished", "failed", "cancelled", "timeout")


def outcome_of(terminal: Terminal) -> Outcome:
    """The terminal in one word."""
    if isinstance(terminal, Finish):
        return "finished"
    if isinstance(terminal, Cancelled) or terminal.kind == StreamCancelledException.kind:
        return "cancelled"
    return "timeout" if terminal.kind == StreamTimeoutException.kind else "failed"
