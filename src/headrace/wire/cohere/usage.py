"""Token counts: the vendor's convention and ours.

`tokens` are what the model took and gave, its own template included; `billed_units`, which are fewer, are
what is paid for. Ours are the tokens, like those of other vendors. `cached_tokens` are part of the input, and
`output_tokens` include thinking. What the vendor sent is kept whole, and given back to a client of the same
wire; nobody else knows what is billed.
"""

from __future__ import annotations

import msgspec

from headrace.core.opaque import Opaque
from headrace.core.usage import Usage
from headrace.wire.cohere.schema import WIRE_NAME, Fields, TokenCounts, UsageCounts, own


def usage_from(data: Fields) -> Usage:
    """The vendor's `usage` object in our convention. Raises msgspec.ValidationError where a count is none."""
    counts = msgspec.convert(data, UsageCounts, strict=False)
    tokens = counts.tokens or counts.billed_units or TokenCounts()
    return Usage(
        input_tokens=int(tokens.input_tokens or 0),
        output_tokens=int(tokens.output_tokens or 0),
        cached_input_tokens=int(counts.cached_tokens or 0),
        vendor=Opaque(WIRE_NAME, data),
    )


def usage_body(usage: Usage) -> Fields:
    """Ours as the vendor's `usage` object; its own goes back as it came."""
    told = own(usage.vendor)
    if told:
        return told
    body: Fields = {"tokens": {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens}}
    if usage.cached_input_tokens:
        body["cached_tokens"] = usage.cached_input_tokens
    return body
