"""Finish reasons: the vendor's words and ours. Source: as in `schema.py`."""

from __future__ import annotations

from headrace.core.chunk import Failure, FinishReason
from headrace.errors import Unavailable

REASONS: dict[str, FinishReason] = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "CONTINUATION": "length",  # the answer goes on in a further request with its `continuationToken`
    "SAFETY": "content_filter",
    "RECITATION": "content_filter",
    "LANGUAGE": "content_filter",
    "BLOCKLIST": "content_filter",
    "PROHIBITED_CONTENT": "content_filter",
    "SPII": "content_filter",
    "IMAGE_SAFETY": "content_filter",
    "IMAGE_PROHIBITED_CONTENT": "content_filter",
    "IMAGE_RECITATION": "content_filter",
    "ESCALATION": "content_filter",
    "PUP_LIMITED_DISABLED": "content_filter",
    "MODEL_ARMOR": "content_filter",
    "OTHER": "error",
    "MALFORMED_FUNCTION_CALL": "error",
    "UNEXPECTED_TOOL_CALL": "error",
    "TOO_MANY_TOOL_CALLS": "error",
    "MISSING_THOUGHT_SIGNATURE": "error",
    "MALFORMED_RESPONSE": "error",
    "IMAGE_OTHER": "error",
    "NO_IMAGE": "error",
}
UNSPECIFIED = "FINISH_REASON_UNSPECIFIED"
BLOCK_REASONS = frozenset(
    {"SAFETY", "OTHER", "BLOCKLIST", "PROHIBITED_CONTENT", "IMAGE_SAFETY", "MODEL_ARMOR", "JAILBREAK"}
)
_BACK: dict[FinishReason, str] = {
    "stop": "STOP",
    "length": "MAX_TOKENS",
    "stop_sequence": "STOP",
    "tool_calls": "STOP",
    "content_filter": "SAFETY",
    "cancelled": "OTHER",
    "error": "OTHER",
}
_HOPELESS = frozenset({"MISSING_THOUGHT_SIGNATURE", "TOO_MANY_TOOL_CALLS"})  # the request must change


def reason_from(raw: str, called: bool) -> FinishReason:
    """Our word for the vendor's; called: whether the candidate asked for a tool, which is a STOP here.

    A word nobody knows is a stop, and `raw_reason` keeps it.
    """
    reason = REASONS.get(raw, "stop")
    return "tool_calls" if called and reason == "stop" else reason


def reason_word(reason: FinishReason, raw: str) -> str:
    """The vendor's word for ours; raw, where it means the same."""
    return raw if REASONS.get(raw) == reason else _BACK[reason]


def refusal_word(word: str) -> str:
    """The vendor's word for the end of an answer that is a refusal: it has none for the model's own."""
    return "SAFETY" if word == "STOP" else word


def ended_badly(raw: str, said: str) -> Failure:
    """The failure for a candidate whose finishReason says there is no answer; said: its finishMessage."""
    about = f": {said}" if said else ""
    message = f"the provider ended the answer with finishReason {raw}{about}"
    return Failure.of(Unavailable(message, code=raw, retryable=raw not in _HOPELESS))
