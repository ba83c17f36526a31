"""How many tokens a prompt has: what asks the vendor, and its answer.

Source: the official Python client (anthropic 2.11, `types/message_count_tokens_params.py`,
`types/message_tokens_count.py`), read 2026-11-25.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from headrace.core.request import Request
from headrace.wire.anthropic.build import MAX_TOKENS, build
from headrace.wire.base import Counting, WireRequest
from headrace.wire.count import tokens_under

PATH = "/messages/count_tokens"
# Fields of a message that make no prompt: they are refused here.
_NO_PROMPT = frozenset(
    {"max_tokens", "stream", "temperature", "top_p", "top_k", "stop_sequences", "metadata", "service_tier"}
)


def build_count(request: Request, quirks: Mapping[str, Any]) -> WireRequest | None:
    """What asks for the tokens of `request`; None where the provider cannot say."""
    if quirks.get("no_count"):
        return None
    settings = request.settings
    if settings.max_tokens is None:  # none is asked for here: no warning that it was missing
        settings = msgspec.structs.replace(settings, max_tokens=MAX_TOKENS)
    built = build(msgspec.structs.replace(request, settings=settings), quirks)
    body: dict[str, Any] = msgspec.json.decode(built.body)
    prompt = {name: value for name, value in body.items() if name not in _NO_PROMPT}
    return WireRequest(PATH, msgspec.json.encode(prompt), built.warnings)


COUNTING = Counting(build_count, lambda body: tokens_under(body, "input_tokens"))
