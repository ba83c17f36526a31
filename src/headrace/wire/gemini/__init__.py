"""Google's generateContent and streamGenerateContent, both directions.

`WIRE` streams as an event stream (`alt=sse`); `ARRAY_FRONT` is what a server speaks to clients that do not
ask for one: a JSON array that arrives piece by piece. White space, which JSON allows, keeps it alive.

A provider row of this wire has a base URL that ends in the API's version, such as `/v1beta`. The header that
carries the key is the official Python client's (google-genai 3.4, `_api_client.py`), read 2026-11-25.
"""

from __future__ import annotations

from headrace.wire.base import Front, Wire
from headrace.wire.gemini.build import build
from headrace.wire.gemini.count import COUNTING, count_body, parse_count
from headrace.wire.gemini.decode import GeminiDecoder
from headrace.wire.gemini.encode import GeminiEncoder
from headrace.wire.gemini.failure import error_body, error_event, error_in_array, failure_from_response
from headrace.wire.gemini.models import LISTING
from headrace.wire.gemini.parse import parse_request
from headrace.wire.gemini.quirks import QUIRKS
from headrace.wire.gemini.rebody import rebody
from headrace.wire.gemini.response import response_body
from headrace.wire.gemini.schema import WIRE_NAME
from headrace.wire.relay import event_relay

__all__ = [
    "ARRAY_FRONT",
    "FRONT",
    "WIRE",
    "GeminiDecoder",
    "GeminiEncoder",
    "count_body",
    "error_body",
    "parse_count",
    "parse_request",
    "response_body",
]

# The official client takes every line of an event stream that is neither empty nor `data: ` for an answer of
# its own: comments and ids would break it (google-genai 1.75, _api_client.py, read 2026-11-25).
FRONT = Front(
    content_type="text/event-stream",
    ping=b"\n",
    event_ids=False,
    parse=parse_request,
    encoder=lambda says, _parsed: GeminiEncoder(id=says.id, model=says.model),
    body=lambda reply, says, _parsed: response_body(reply, id=says.id, model=says.model),
    error_body=error_body,
)

ARRAY_FRONT = Front(
    content_type="application/json; charset=UTF-8",
    ping=b"\n",
    parse=parse_request,
    encoder=lambda says, _parsed: GeminiEncoder(id=says.id, model=says.model, array=True),
    body=FRONT.body,
    error_body=error_body,
    last_words=lambda failure, events: error_in_array(failure, begun=events > 0),
)

WIRE = Wire(
    name=WIRE_NAME,
    content_type="text/event-stream",
    build=build,
    decoder=GeminiDecoder,
    failure=failure_from_response,
    relay=event_relay(GeminiDecoder, lambda failure, _events: error_event(failure), data_only=True),
    rebody=rebody,
    front=FRONT,
    framings=("sse", "array"),
    quirks=QUIRKS,
    auth="x-goog-api-key",
    listing=LISTING,
    counting=COUNTING,
)
