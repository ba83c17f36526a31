"""Token counts: the vendor's convention and ours.

Ours: `output_tokens` includes reasoning, as OpenAI's completion_tokens do. xAI counts reasoning beside them
(prompt + completion + reasoning = total); that is a quirk of its row, `reasoning_beside_output`, and is
converted. What the vendor sent is kept whole, and given back to a client of the same wire.
"""

from __future__ import annotations

from typing import Any

import msgspec

from headrace.core.opaque import Opaque
from headrace.core.usage import Usage
from headrace.wire.openai_chat.schema import WIRE_NAME, CompletionDetails, PromptDetails, UsageCounts

_NO_PROMPT = PromptDetails()
_NO_COMPLETION = CompletionDetails()


def usage_from(data: dict[str, Any], *, reasoning_beside_output: bool = False) -> Usage:
    """The vendor's `usage` object in our convention. Raises msgspec.ValidationError where a count is none."""
    counts = msgspec.convert(data, UsageCounts, strict=False)
    prompt = counts.prompt_tokens_details or _NO_PROMPT
    cached = prompt.cached_tokens or counts.cached_tokens or counts.prompt_cache_hit_tokens or 0
    details = counts.completion_tokens_details or _NO_COMPLETION
    reasoning = details.reasoning_tokens or counts.reasoning_tokens or 0
    given = counts.prompt_tokens or 0
    output = counts.completion_tokens or 0
    if reasoning_beside_output:
        output += reasoning
    return Usage(
        input_tokens=given,
        output_tokens=output,
        cached_input_tokens=cached,
        cache_write_tokens=prompt.cache_write_tokens or 0,
        reasoning_tokens=reasoning,
        vendor=Opaque(WIRE_NAME, data),
    )


def usage_body(usage: Usage) -> dict[str, Any]:
    """Ours as the vendor's `usage` object; what came over this wire goes back as it came."""
    if usage.vendor is not None and usage.vendor.wire == WIRE_NAME and isinstance(usage.vendor.data, dict):
        return usage.vendor.data
    prompt = {"cached_tokens": usage.cached_input_tokens}
    if usage.cache_write_tokens:
        prompt["cache_write_tokens"] = usage.cache_write_tokens
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.total_tokens,
        "prompt_tokens_details": prompt,
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
    }
