"""Token counts: the vendor's convention and ours.

Ours: `input_tokens` includes cached tokens and `output_tokens` includes reasoning, as the vendor's do. A
place that counts reasoning beside its output has the quirk `reasoning_beside_output` and is converted. What
the vendor sent is kept whole, and given back to a client of the same wire.
"""

from __future__ import annotations

from typing import Any

import msgspec

from headrace.core.opaque import Opaque
from headrace.core.usage import Usage
from headrace.wire.openai_responses.schema import WIRE_NAME, InputDetails, OutputDetails, UsageCounts
from headrace.wire.openai_responses.template import own

_NO_INPUT = InputDetails()
_NO_OUTPUT = OutputDetails()


def usage_from(data: dict[str, Any], *, reasoning_beside_output: bool = False) -> Usage:
    """The vendor's `usage` object in our convention. Raises msgspec.ValidationError where a count is none."""
    counts = msgspec.convert(data, UsageCounts, strict=False)
    given = counts.input_tokens_details or _NO_INPUT
    reasoning = (counts.output_tokens_details or _NO_OUTPUT).reasoning_tokens or 0
    output = counts.output_tokens or 0
    return Usage(
        input_tokens=counts.input_tokens or 0,
        output_tokens=output + reasoning if reasoning_beside_output else output,
        cached_input_tokens=given.cached_tokens or 0,
        cache_write_tokens=given.cache_write_tokens or 0,
        reasoning_tokens=reasoning,
        vendor=Opaque(WIRE_NAME, data),
    )


def usage_body(usage: Usage) -> dict[str, Any]:
    """Ours as the vendor's `usage` object; what came over this wire goes back as it came."""
    kept = own(usage.vendor)
    if kept:
        return kept
    return {
        "input_tokens": usage.input_tokens,
        "input_tokens_details": {
            "cached_tokens": usage.cached_input_tokens,
            "cache_write_tokens": usage.cache_write_tokens,
        },
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
        "total_tokens": usage.total_tokens,
    }
