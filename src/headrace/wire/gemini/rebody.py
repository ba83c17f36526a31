"""A client's own body, readdressed: what a relay sends where client and provider speak this protocol."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from headrace.wire.gemini.body import ContentBody, RequestBody, spelled
from headrace.wire.reading import read_fields, read_object
from headrace.wire.relay import raw_fields

_SCHEMAS = (b"JsonSchema", b"json_schema")
_CALLS = (b'"functionCall"', b'"function_call"', b'"functionResponse"', b'"function_response"')


def rebody(body: bytes, _model: str, quirks: Mapping[str, Any]) -> bytes | None:
    """A client's body as it is, for the path names the model; a name that it holds itself is left out.

    None where the quirks ask for another one, which `build` makes.
    """
    if quirks.get("schema_fields") == "openapi" and any(word in body for word in _SCHEMAS):
        return None
    unsigned, ids = bool(quirks.get("call_signature")), bool(quirks.get("no_call_ids"))
    if (unsigned or ids) and any(word in body for word in _CALLS):
        contents = read_fields(spelled(read_object(body), RequestBody), RequestBody).contents
        if any((unsigned and _is_unsigned(one)) or (ids and _has_ids(one)) for one in contents):
            return None
    fields = raw_fields(body)
    return body if fields.pop("model", None) is None else msgspec.json.encode(fields)


def _is_unsigned(content: ContentBody) -> bool:
    """Whether a turn has calls and no signature: parallel calls share that of the first."""
    calls = [part for part in content.parts or () if part.function_call is not None]
    return bool(calls) and not any(part.thought_signature for part in calls)


def _has_ids(content: ContentBody) -> bool:
    told = [part.function_call or part.function_response for part in content.parts or ()]
    return any(one is not None and one.id for one in told)
