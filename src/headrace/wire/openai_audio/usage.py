"""What an answer cost: the vendor counts tokens or seconds; seconds are kept for this wire only."""

from __future__ import annotations

import msgspec

from headrace.core.usage import Usage
from headrace.wire.openai_audio.schema import Fields, UsageBody, kept, own


def usage_from(data: Fields) -> Usage:
    """The vendor's `usage` object. Raises msgspec.ValidationError where a count is none."""
    counts = msgspec.convert(data, UsageBody, strict=False)
    return Usage(counts.input_tokens or 0, counts.output_tokens or 0, vendor=kept(data))


def usage_body(usage: Usage, *, typed: bool) -> Fields:
    """Ours as the vendor's object; what came over this wire goes back as it came.

    typed: whether it says that it counts tokens, as a transcription's does and speech's does not.
    """
    given = own(usage.vendor)
    if given:
        return given
    return {
        **({"type": "tokens"} if typed else {}),
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "total_tokens": usage.total_tokens,
    }
