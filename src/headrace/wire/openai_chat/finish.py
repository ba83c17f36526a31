"""Finish reasons: the vendors' words and ours."""

from __future__ import annotations

from headrace.core.chunk import FinishReason

REASONS: dict[str, FinishReason] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
    # compatible providers' words
    "eos": "stop",
    "eos_token": "stop",
    "end_turn": "stop",
    "stop_sequence": "stop_sequence",
    "max_tokens": "length",
    "max_output_tokens": "length",
    "model_length": "length",
    "tool_use": "tool_calls",
    "tool_call": "tool_calls",
    "safety": "content_filter",
    "recitation": "content_filter",
    "sensitive": "content_filter",
    "refusal": "content_filter",
    "error": "error",
    "network_error": "error",
    "insufficient_system_resource": "error",
    "abort": "error",
    "cancelled": "error",
}
_VENDOR_WORDS = frozenset({"stop", "length", "tool_calls", "function_call", "content_filter"})
_BACK: dict[FinishReason, str] = {
    "stop": "stop",
    "length": "length",
    "stop_sequence": "stop",
    "tool_calls": "tool_calls",
    "content_filter": "content_filter",
    "cancelled": "stop",
    "error": "stop",
}


def reason_from(raw: str) -> FinishReason:
    """Our word for the vendor's; a word nobody knows is a stop, and `raw_reason` keeps it."""
    return REASONS.get(raw) or REASONS.get(raw.lower(), "stop")


def reason_word(reason: FinishReason, raw: str) -> str:
    """The vendor's word for ours: one of the five that its clients know; raw, where it means the same."""
    return raw if raw in _VENDOR_WORDS and REASONS[raw] == reason else _BACK[reason]
