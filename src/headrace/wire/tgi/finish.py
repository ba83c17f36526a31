"""Finish reasons: the vendor's three words and ours."""

from __future__ import annotations

from headrace.core.chunk import FinishReason

_REASONS: dict[str, FinishReason] = {
    "length": "length",
    "eos_token": "stop",
    "stop_sequence": "stop_sequence",
}
_BACK: dict[FinishReason, str] = {"length": "length", "stop_sequence": "stop_sequence"}


def reason_from(raw: str) -> FinishReason:
    """Our word for the vendor's; a word nobody knows is a stop, and `raw_reason` keeps it."""
    return _REASONS.get(raw, "stop")


def reason_word(reason: FinishReason) -> str:
    """The vendor's word for ours: one of the three that its clients know."""
    return _BACK.get(reason, "eos_token")
