"""Token counts: the vendor's convention is ours; the parts stand in details."""

from __future__ import annotations

from typing import Any

import msgspec

from headrace.core.opaque import Opaque
from headrace.core.usage import Usage
from headrace.wire.openai_completions.schema import WIRE_NAME, CompletionDetails, PromptDetails, UsageCounts

_NO_PROMPT = PromptDetails()
_NO_COMPLETION = CompletionDetails()


def usage_from(data: dict[str, Any]) -> Usage:
    """The vendor's `usage` object. Raises msgspec.ValidationError where a count is none."""
    counts = msgspec.convert(data, UsageCounts, strict=False)
    return Usage(
        input_tokens=counts.prompt_tokens or 0,
        output_tokens=counts.completion_tokens or 0,
        cached_input_tokens=(counts.prompt_tokens_details or _NO_PROMPT).cached_tokens or 0,
        reasoning_tokens=(counts.completion_tokens_details or _NO_COMPLETION).reasoning_tokens or 0,
        vendor=Opaque(WIRE_NAME, data),
    )


def usage_body(usage: Usage) -> dict[str, Any]:
    """Ours as the vendor's `usage` object; what came over this wire goes back as it came."""
    if usage.vendor is not None and usage.vendor.wire == WIRE_NAME and isinstance(usage.vendor.data, dict):
        return usage.vendor.data
    body: dict[str, Any] = {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.total_tokens,
    }
    if usage.cached_input_tokens:
        body["prompt_tokens_details"] = {"cached_tokens": usage.cached_input_tokens}
    if usage.reasoning_tokens:
        body["completion_tokens_details"] = {"reasoning_tokens": usage.reasoning_tokens}
    return body
