"""What tells whether a recorded answer was read right: a vendor's official client, or a fold of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.wire.recordings import Recording

from headrace.core.chunk import Chunk
from headrace.core.reply import Reply
from headrace.testing.conformance import SSE, Separation


@dataclass(frozen=True)
class Judge:
    """One wire's judge.

    by: who judges, for people. official: what the official client makes of an answer's bytes (the recording
    says which oddities it has). told: that, in words that both sides can tell; said: the same words for our
    chunks. ends: whether an event completes an answer: cut before it, it is truncated.
    fails: streams that are no good answer -> the (kind, code) of the failure that they must be.
    changed: streams whose encoding the client cannot take for the same -> why.
    unclean: good answers that lack what comes behind them -> what it is. separated: what stands between
    events.
    """

    wire: str
    by: str
    decoder: Callable[[], Any]
    encoder: Callable[[], Any]
    official: Callable[[Recording, bytes], Any]
    told: Callable[[Recording, Any], Any]
    said: Callable[[Recording, Sequence[Chunk]], Any]
    ends: Callable[[bytes], bool]
    fails: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    changed: Mapping[str, str] = field(default_factory=dict)
    unclean: Mapping[str, str] = field(default_factory=dict)
    separated: Separation = SSE


def spoken(reply: Reply) -> tuple[str, str, str, list[tuple[str, str, str]]]:
    """What the model said: text, refusal, reasoning, calls."""
    calls = [(call.id, call.name, call.arguments) for call in reply.tool_calls]
    return reply.text, reply.refusal, reply.reasoning, calls
