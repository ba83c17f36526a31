"""One line of JSON for each answer that has ended, to the logger `headrace.streams`: figures, no text."""

from __future__ import annotations

import logging
from typing import Any

import msgspec

from headrace.core.chunk import Failure, Finish
from headrace.core.outcome import outcome_of
from headrace.metrics.figures import Figures
from headrace.metrics.measures import Ended

logger = logging.getLogger("headrace.streams")
_DIGITS = 6  # of seconds: the clock tells no more


def log_stream(ended: Ended) -> None:
    """A watcher: writes the line. What is not known is left out."""
    logger.info("%s", msgspec.json.encode(line_of(ended)).decode())


def line_of(ended: Ended) -> dict[str, Any]:
    """What is written of one answer. A failure's words are left out: they may quote the prompt."""
    call, tally = ended.call, ended.tally
    line: dict[str, Any] = {
        "ended": round(ended.ended_s, 3),
        "id": call.id,
        "request_id": call.request_id,
        "model": call.model,
        "protocol": call.protocol,
        "streamed": ended.figures is not None,
        "relayed": tally.relayed,
        "outcome": outcome_of(tally.terminal),
        "lost": tally.lost,
    }
    if isinstance(tally.terminal, Finish):
        line["finish_reason"] = tally.terminal.finish_reason
    elif isinstance(tally.terminal, Failure):
        line["error"] = tally.terminal.kind
        line["error_code"] = tally.terminal.code
    if tally.queue_s is not None:
        line["queue_s"] = round(tally.queue_s, _DIGITS)
    if tally.usage is not None:
        line["input_tokens"] = tally.usage.input_tokens
        line["output_tokens"] = tally.usage.output_tokens
        line["estimated"] = tally.usage.estimated
    line.update(
        plain(ended.figures)
        if ended.figures is not None
        else {"duration_s": round(tally.duration_s, _DIGITS)}
    )
    return line


def plain(figures: Figures) -> dict[str, Any]:
    """Figures as plain data, rounded to microseconds; what is not known is left out."""
    return {
        name: round(value, _DIGITS) if isinstance(value, float) else value
        for name, value in msgspec.structs.asdict(figures).items()
        if value is not None
    }
