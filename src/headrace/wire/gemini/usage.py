"""Token counts: the vendor's convention and ours.

The vendor's total is prompt + candidates + tool use + thoughts; the prompt includes cached content. Ours:
`input_tokens` is prompt and tool use (what tools gave was input), `output_tokens` candidates and thoughts.
"""

from __future__ import annotations

import msgspec

from headrace.core.usage import Usage
from headrace.wire.gemini.schema import Fields, UsageCounts, kept, own


def usage_from(data: Fields) -> Usage | None:
    """The vendor's `usageMetadata` in our convention, None where it counts nothing yet.

    Raises msgspec.ValidationError where a count is none.
    """
    counts = msgspec.convert(data, UsageCounts, strict=False)
    prompt, thoughts = counts.prompt_token_count, counts.thoughts_token_count or 0
    answer = counts.candidates_token_count
    if prompt is None and answer is None and not thoughts:
        return None
    return Usage(
        input_tokens=(prompt or 0) + (counts.tool_use_prompt_token_count or 0),
        output_tokens=(answer or 0) + thoughts,
        cached_input_tokens=counts.cached_content_token_count or 0,
        reasoning_tokens=thoughts,
        vendor=kept(data),
    )


def usage_body(usage: Usage) -> Fields:
    """Ours as the vendor's `usageMetadata`; what came over this wire goes back as it came."""
    given = own(usage.vendor)
    if given:
        return given
    body: Fields = {
        "promptTokenCount": usage.input_tokens,
        "candidatesTokenCount": usage.output_tokens - usage.reasoning_tokens,
        "totalTokenCount": usage.total_tokens,
    }
    if usage.reasoning_tokens:
        body["thoughtsTokenCount"] = usage.reasoning_tokens
    if usage.cached_input_tokens:
        body["cachedContentTokenCount"] = usage.cached_input_tokens
    return body
