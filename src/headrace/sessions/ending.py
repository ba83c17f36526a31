"""How a stream ended, as its readers must be told, whether they were there or come later."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from headrace.core.chunk import Failure, Terminal
from headrace.core.outcome import outcome_of
from headrace.errors import StreamCancelledException, StreamingError
from headrace.store.log import StreamEnd


class Ending(NamedTuple):
    """failure: None where the stream is whole. said: the failure's words are among its records. cut: the
    protocol has no words for it, only an incomplete response tells. words: the failure as the last bytes of
    a response that has begun, where they are not said and somebody who knew the stream wrote them.
    """

    failure: Failure | None = None
    said: bool = True
    cut: bool = False
    words: bytes = b""


WHOLE = Ending()
INTERNAL = Failure("error", "internal error", "internal_error")  # a bug of ours: the log has it


def end_of(terminal: Terminal, ending: Ending, at_s: float, facts: dict[str, Any]) -> StreamEnd:
    """What a log keeps of it. at_s: Unix seconds."""
    told = dict(facts)
    if ending.failure is not None:
        told["failure"] = msgspec.to_builtins(ending.failure)
        told["said"] = ending.said
        if ending.cut:
            told["cut"] = True
    return StreamEnd(outcome_of(terminal), at_s, told)


def ending_of(end: StreamEnd) -> Ending:
    """What a log kept of it."""
    if end.outcome == "finished":
        return WHOLE
    if end.outcome == "interrupted":
        return Ending(INTERRUPTED, said=False)
    failure = end.facts.get("failure")
    if failure is None:
        return Ending(Failure.of(StreamCancelledException("the stream was cancelled")), said=False)
    read = msgspec.convert(failure, Failure)
    return Ending(read, bool(end.facts.get("said")), bool(end.facts.get("cut")))


INTERRUPTED = Failure.of(
    StreamingError(
        "the server that made this answer stopped before its end; ask again",
        code="interrupted",
        retryable=True,
        http_status=503,
    )
)
