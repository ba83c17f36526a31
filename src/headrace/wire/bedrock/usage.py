"""Token counts: the vendor's convention and ours.

Bedrock's `inputTokens` leave out what was read from or written to a cache; ours include both. Its
`outputTokens` include reasoning and tell no part of it; its `totalTokens` are all of these together. Source:
the user guide's page on prompt caching as maintainers of clients quote it and their measurements
(anomalyco/opencode#38427, maximhq/bifrost#6942), read 2026-11-25. What the vendor sent is kept whole, and
given back to a client of the same wire.
"""

from __future__ import annotations

import msgspec

from headrace.core.opaque import Opaque
from headrace.core.usage import Usage
from headrace.wire.bedrock.schema import WIRE_NAME, Fields, UsageCounts, own


def usage_from(data: Fields) -> Usage:
    """The vendor's `usage` object in our convention. Raises msgspec.ValidationError where a count is none."""
    counts = msgspec.convert(data, UsageCounts, strict=False)
    read = counts.cache_read_input_tokens or 0
    written = counts.cache_write_input_tokens or 0
    return Usage(
        input_tokens=(counts.input_tokens or 0) + read + written,
        output_tokens=counts.output_tokens or 0,
        cached_input_tokens=read,
        cache_write_tokens=written,
        vendor=Opaque(WIRE_NAME, data),
    )


def usage_body(usage: Usage | None) -> Fields:
    """Ours as the vendor's `usage` object, zeros where nobody counted; its own goes back as it came."""
    usage = usage or Usage()
    told = own(usage.vendor)
    if told:
        return told
    read, written = usage.cached_input_tokens, usage.cache_write_tokens
    body: Fields = {
        "inputTokens": max(0, usage.input_tokens - read - written),
        "outputTokens": usage.output_tokens,
        "totalTokens": usage.total_tokens,
    }
    if read:
        body["cacheReadInputTokens"] = read
    if written:
        body["cacheWriteInputTokens"] = written
    return body
