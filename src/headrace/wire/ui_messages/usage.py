"""Token counts: the package's words and ours. Both count alike: input with cache, output with reasoning.

Source: the npm package `ai` 7.0.173, `types/usage.ts`, read 2026-11-25 (5.x: `cachedInputTokens` and
`reasoningTokens` beside the sums). The protocol itself has no place for counts: servers put them into the
message's metadata, under `usage` by custom. `raw` holds what a provider's wire said, by wire.
"""

from __future__ import annotations

from typing import Any

import msgspec

from headrace.core.opaque import Opaque
from headrace.core.usage import Usage
from headrace.wire.ui_messages.metadata import WIRE_NAME, Part, is_own, own, read_metadata, says


def usage_body(usage: Usage) -> Part:
    """Usage in the package's words; what came over this wire goes back as it came."""
    if is_own(usage.vendor):
        return own(usage.vendor)
    fresh = usage.input_tokens - usage.cached_input_tokens - usage.cache_write_tokens
    body: Part = {
        "inputTokens": usage.input_tokens,
        "inputTokenDetails": {
            "noCacheTokens": max(fresh, 0),
            "cacheReadTokens": usage.cached_input_tokens,
            "cacheWriteTokens": usage.cache_write_tokens,
        },
        "outputTokens": usage.output_tokens,
        "outputTokenDetails": {
            "textTokens": max(usage.output_tokens - usage.reasoning_tokens, 0),
            "reasoningTokens": usage.reasoning_tokens,
        },
        "totalTokens": usage.total_tokens,
    }
    if usage.estimated:
        body["estimated"] = True
    if usage.vendor is not None and says(usage.vendor):
        body["raw"] = {usage.vendor.wire: usage.vendor.data}
    return body


def usage_from(body: Any) -> Usage | None:
    """Usage as a message's metadata tells it; None where it tells none."""
    if not isinstance(body, dict):
        return None
    into, out = _count(body, "inputTokens"), _count(body, "outputTokens")
    if into is None and out is None:
        return None
    details, written = _details(body, "inputTokenDetails"), _details(body, "outputTokenDetails")
    cached, thought = _count(details, "cacheReadTokens"), _count(written, "reasoningTokens")
    vendor, _ = read_metadata(body.get("raw"))
    usage = Usage(
        input_tokens=into or 0,
        output_tokens=out or 0,
        cached_input_tokens=(_count(body, "cachedInputTokens") if cached is None else cached) or 0,
        cache_write_tokens=_count(details, "cacheWriteTokens") or 0,
        reasoning_tokens=(_count(body, "reasoningTokens") if thought is None else thought) or 0,
        estimated=body.get("estimated") is True,
        vendor=None if is_own(vendor) else vendor,
    )
    if usage_body(usage) == body:
        return usage
    return msgspec.structs.replace(usage, vendor=Opaque(WIRE_NAME, body))


def _details(body: Part, name: str) -> Part:
    found = body.get(name)
    return found if isinstance(found, dict) else {}


def _count(body: Part, name: str) -> int | None:
    value = body.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
