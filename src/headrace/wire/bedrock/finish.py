"""Stop reasons: the vendor's words and ours."""

from __future__ import annotations

from headrace.core.chunk import Failure, FinishReason
from headrace.errors import Unavailable

REASONS: dict[str, FinishReason] = {
    "end_turn": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "stop_sequence": "stop_sequence",
    "guardrail_intervened": "content_filter",
    "content_filtered": "content_filter",
    "malformed_model_output": "error",
    "malformed_tool_use": "error",
    "model_context_window_exceeded": "length",
}
_BACK: dict[FinishReason, str] = {
    "stop": "end_turn",
    "length": "max_tokens",
    "stop_sequence": "stop_sequence",
    "tool_calls": "tool_use",
    "content_filter": "content_filtered",
    "cancelled": "end_turn",
    "error": "malformed_model_output",
}


def reason_from(raw: str) -> FinishReason:
    """Our word for the vendor's; a word nobody knows is a stop, and `raw_reason` keeps it."""
    return REASONS.get(raw, "stop")


def reason_word(reason: FinishReason, raw: str) -> str:
    """The vendor's word for ours: its own word where it was one, as long as it means the same."""
    return raw if REASONS.get(raw) == reason else _BACK[reason]


def ended_badly(raw: str) -> Failure:
    """The failure for a stop reason that says there is no answer: what the model wrote cannot be read."""
    return Failure.of(Unavailable(f"the provider ended the answer with stopReason {raw}", code=raw))
