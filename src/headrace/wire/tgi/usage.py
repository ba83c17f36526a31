"""Token counts: the last event's details and our usage."""

from __future__ import annotations

from headrace.core.opaque import Opaque
from headrace.core.usage import Usage
from headrace.wire.tgi.schema import WIRE_NAME, StreamDetails


def usage_from(details: StreamDetails) -> Usage:
    """The counts of the details; the seed is kept beside them."""
    return Usage(
        input_tokens=details.input_length,
        output_tokens=details.generated_tokens,
        vendor=Opaque(WIRE_NAME, {"seed": details.seed}),
    )


def seed_of(usage: Usage | None) -> int | None:
    """The seed that came over this wire."""
    if usage is None or usage.vendor is None or usage.vendor.wire != WIRE_NAME:
        return None
    data = usage.vendor.data
    seed = data.get("seed") if isinstance(data, dict) else None
    return seed if isinstance(seed, int) else None
