"""Finish reasons: the vendor's words and ours. Source: as in `schema.py`."""

from __future__ import annotations

from headrace.core.chunk import FinishReason

REASONS: dict[str, FinishReason] = {
    "COMPLETE": "stop",
    "STOP_SEQUENCE": "stop_sequence",
    "MAX_TOKENS": "length",
    "TOOL_CALL": "tool_calls",
    "ERROR": "error",
    "TIMEOUT": "error",
    # Of version 1 of the API: version 2 has no word for it.
    "ERROR_TOXIC": "content_filter",
}
_BACK: dict[FinishReason, str] = {
    "stop": "COMPLETE",
    "length": "MAX_TOKENS",
    "stop_sequence": "STOP_SEQUENCE",
    "tool_calls": "TOOL_CALL",
    "content_filter": "ERROR_TOXIC",
    "cancelled": "COMPLETE",
    "error": "ERROR",
}


def reason_from(raw: str) -> FinishReason:
    """Our word for the vendor's; a word nobody knows is a stop, and `raw_reason` keeps it."""
    return REASONS.get(raw, "stop")


def reason_word(reason: FinishReason, raw: str) -> str:
    """The vendor's word for ours: its own word where it was one, as long as it means the same."""
    return raw if REASONS.get(raw) == reason else _BACK[reason]
