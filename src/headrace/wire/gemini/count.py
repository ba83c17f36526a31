"""How many tokens a prompt has: what asks the vendor, its answer, and a client's question.

Source: `CountTokensRequest` of Google's v1beta API as its generated clients document it, and the official
Python client (google-genai 3.4, `models.py`), read 2026-11-25. A request holds either `contents` alone, as
that client sends them, or a whole `generateContentRequest` with the system prompt and the tools.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from headrace.core.request import Request
from headrace.wire.base import Counting, ParsedRequest, WireRequest
from headrace.wire.count import tokens_under
from headrace.wire.gemini.build import build, path_of
from headrace.wire.gemini.parse import parse_request
from headrace.wire.reading import read_object

METHOD = "countTokens"
_WHOLE = ("generateContentRequest", "generate_content_request")


def build_count(request: Request, quirks: Mapping[str, Any]) -> WireRequest | None:
    """What asks for the tokens of `request`; None where the provider cannot say."""
    if quirks.get("no_count"):
        return None
    built = build(request, quirks)
    path = path_of(request.model, METHOD)
    whole = {"model": path[1:].rpartition(":")[0], **msgspec.json.decode(built.body)}
    return WireRequest(path, msgspec.json.encode({"generateContentRequest": whole}), built.warnings)


def parse_count(body: bytes, path: Mapping[str, str]) -> ParsedRequest:
    """Read a client's question. path: see `parse_request`. Raises RequestError that names the field."""
    data = read_object(body)
    whole = next((data[name] for name in _WHOLE if isinstance(data.get(name), dict)), data)
    return parse_request(body if whole is data else msgspec.json.encode(whole), path)


def count_body(input_tokens: int) -> bytes:
    """The answer to it."""
    return msgspec.json.encode({"totalTokens": input_tokens})


COUNTING = Counting(build_count, lambda body: tokens_under(body, "totalTokens"))
