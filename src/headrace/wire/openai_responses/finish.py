"""How an answer ended: the vendor's status and reasons, and ours."""

from __future__ import annotations

from headrace.core.chunk import FinishReason

# `incomplete_details.reason`; the last two of a length are other places' words, and never written
INCOMPLETE: dict[str, FinishReason] = {
    "max_output_tokens": "length",
    "max_messages": "length",
    "max_tokens": "length",
    "length": "length",
    "content_filter": "content_filter",
}


def reason_from(incomplete: str, calls: bool) -> FinishReason:
    """Our word. incomplete: the vendor's reason, empty where the answer is complete."""
    if incomplete:
        return INCOMPLETE.get(incomplete, "stop")
    return "tool_calls" if calls else "stop"


def incomplete_word(reason: FinishReason, raw: str) -> str:
    """The vendor's reason for an incomplete answer; empty for a complete one."""
    if reason == "length":
        return "max_messages" if raw == "max_messages" else "max_output_tokens"
    return "content_filter" if reason == "content_filter" else ""
