"""Why an answer ended: the vendor's words and ours. A stop after a tool call is a `tool_calls`."""

from __future__ import annotations

from headrace.core.chunk import FinishReason

_WORDS_FOR_STOP = frozenset({"load", "unload"})


def reason_from(raw: str, called: bool) -> FinishReason:
    """Our word for the vendor's `done_reason`; called: whether the answer holds a tool call."""
    if raw == "length":
        return "length"
    return "tool_calls" if called else "stop"


def reason_word(reason: FinishReason, raw: str) -> str:
    """The vendor's word for ours."""
    if reason == "length":
        return "length"
    return raw if raw in _WORDS_FOR_STOP else "stop"
