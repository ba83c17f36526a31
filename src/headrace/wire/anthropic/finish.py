"""Stop reasons: the vendor's words and ours."""

from __future__ import annotations

from headrace.core.chunk import FinishReason

REASONS: dict[str, FinishReason] = {
    "end_turn": "stop",
    "max_tokens": "length",
    "stop_sequence": "stop_sequence",
    "tool_use": "tool_calls",
    "pause_turn": "stop",  # a long turn is to be gone on with: raw_reason tells it from an end
    "refusal": "content_filter",
    "model_context_window_exceeded": "length",
    "compaction": "stop",
}
_BACK: dict[FinishReason, str] = {
    "stop": "end_turn",
    "length": "max_tokens",
    "stop_sequence": "stop_sequence",
    "tool_calls": "tool_use",
    "content_filter": "refusal",
    "cancelled": "end_turn",
    "error": "end_turn",
}


def reason_from(raw: str) -> FinishReason:
    """Our word for the vendor's; a word nobody knows is a stop, and `raw_reason` keeps it."""
    return REASONS.get(raw, "stop")


def reason_word(reason: FinishReason, raw: str) -> str:
    """The vendor's word for ours: its own word where it was one, as long as it means the same."""
    return raw if REASONS.get(raw) == reason else _BACK[reason]
