"""Answers that have ended, for whoever counts them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from tests.metrics.hand import clocked

from headrace.core.chunk import Finish, Terminal
from headrace.core.usage import Usage
from headrace.metrics.counters import Tally
from headrace.metrics.measures import Call, Ended, Measures

PUSHES = ((0.5, 1), (0.25, 1), (0.25, 2))
USAGE = Usage(7, 5)
KEY = "sk-very-secret-key"
PROMPT = "the words of the prompt"


def call(model: str = "sim/echo", **changes: Any) -> Call:
    given = {
        "id": "chatcmpl-1",
        "model": model,
        "asked": "fast",
        "protocol": "openai_chat",
        "owner": "sim",
        "request_id": "req_1",
        **changes,
    }
    return Call(**given)


def tally(
    model: str = "sim/echo",
    terminal: Terminal | None = None,
    *,
    pushes: Sequence[tuple[float, int]] | None = PUSHES,
    usage: Usage | None = USAGE,
    lost: bool = False,
    queue_s: float | None = None,
) -> Tally:
    """An answer. pushes: None where it was given as a whole."""
    terminal = terminal if terminal is not None else Finish()
    if pushes is None:
        return Tally(model, terminal, 3.0, None, usage, lost)
    clock, hand = clocked(pushes)
    clock.sent_bytes = 100
    first_s = clock.first_content_s
    ttft_s = None if first_s is None else first_s - clock.began_s
    took_s = hand.now_s - clock.began_s
    return Tally(model, terminal, took_s, ttft_s, usage, lost, clock=clock, queue_s=queue_s)


def measures(*watchers: Any, known: Collection[str] = ("sim/echo",)) -> Measures:
    return Measures(lambda: known, watchers=watchers, now_s=lambda: 1_800_000_000.0)


def ended(given_tally: Tally | None = None, given_call: Call | None = None) -> Ended:
    seen: list[Ended] = []
    measures(seen.append).add(given_call or call(), given_tally or tally())
    return seen[0]
