"""Token counts: the vendor's convention and ours.

Anthropic's `input_tokens` leave out what was read from or written to a cache; ours include both, and the
parts stand beside. `output_tokens` include thinking in both. What the vendor sent is kept whole, and given
back to a client of the same wire.
"""

from __future__ import annotations

from typing import Any

import msgspec

from headrace.core.opaque import Opaque
from headrace.core.usage import Usage
from headrace.wire.anthropic.schema import WIRE_NAME, OutputDetails, UsageCounts

_NO_DETAILS = OutputDetails()


def usage_from(data: dict[str, Any]) -> Usage:
    """The vendor's `usage` object in our convention. Raises msgspec.ValidationError where a count is none."""
    counts = msgspec.convert(data, UsageCounts, strict=False)
    read = counts.cache_read_input_tokens or 0
    written = counts.cache_creation_input_tokens or 0
    details = counts.output_tokens_details or _NO_DETAILS
    return Usage(
        input_tokens=(counts.input_tokens or 0) + read + written,
        output_tokens=counts.output_tokens or 0,
        cached_input_tokens=read,
        cache_write_tokens=written,
        reasoning_tokens=details.thinking_tokens or 0,
        vendor=Opaque(WIRE_NAME, data),
    )


def usage_body(usage: Usage | None) -> dict[str, Any]:
    """Ours as the vendor's `usage` object, zeros where nobody counted; its own goes back as it came."""
    if usage is None:
        return {"input_tokens": 0, "output_tokens": 0}
    if usage.vendor is not None and usage.vendor.wire == WIRE_NAME and isinstance(usage.vendor.data, dict):
        return usage.vendor.data
    beside = usage.cached_input_tokens + usage.cache_write_tokens
    body: dict[str, Any] = {
        "input_tokens": max(0, usage.input_tokens - beside),
        "cache_creation_input_tokens": usage.cache_write_tokens,
        "cache_read_input_tokens": usage.cached_input_tokens,
        "output_tokens": usage.output_tokens,
    }
    if usage.reasoning_tokens:
        body["output_tokens_details"] = {"thinking_tokens": usage.reasoning_tokens}
    return body
