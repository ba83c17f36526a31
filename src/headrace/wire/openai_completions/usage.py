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
    prompt = counts.prompt_tokens_details or _NO_PROMPT
    return Usage(
        input_tokens=counts.prompt_tokens or 0,
        output_tokens=counts.completion_tokens or 0,
        cached_input_tokens=prompt.cached_tokens or 0,
        cache_write_tokens=prompt.cache_write_tokens or 0,
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
    prompt = {"cached_tokens": usage.cached_input_tokens, "cache_write_tokens": usage.cache_write_tokens}
    if any(prompt.values()):
        body["prompt_tokens_details"] = {name: count for name, count in prompt.items() if count}
    if usage.reasoning_tokens:
        body["completion_tokens_details"] = {"reasoning_tokens": usage.reasoning_tokens}
    return body
