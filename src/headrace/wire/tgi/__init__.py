"""Hugging Face Text Generation Inference, both directions: text in, tokens out.

A server has three fronts: `ROOT_FRONT` (`POST /`, what huggingface_hub sends; the wire's own),
`GENERATE_FRONT` (never streams) and `GENERATE_STREAM_FRONT` (always does). Requests name no model: the path's
{"model": ...} does.
"""

from __future__ import annotations

from headrace.wire.base import Front, Wire
from headrace.wire.tgi.build import build
from headrace.wire.tgi.decode import TgiDecoder
from headrace.wire.tgi.encode import TgiEncoder
from headrace.wire.tgi.failure import error_body, failure_from_response
from headrace.wire.tgi.models import LISTING
from headrace.wire.tgi.parse import Endpoint, parse_request
from headrace.wire.tgi.quirks import QUIRKS
from headrace.wire.tgi.schema import WIRE_NAME
from headrace.wire.tgi.whole import reply_body

__all__ = [
    "GENERATE_FRONT",
    "GENERATE_STREAM_FRONT",
    "ROOT_FRONT",
    "WIRE",
    "TgiDecoder",
    "TgiEncoder",
    "parse_request",
]


def _front(endpoint: Endpoint) -> Front:
    listed = endpoint == "root"
    return Front(
        content_type="text/event-stream; charset=utf-8",
        ping=b": ping\n",
        parse=lambda body, path: parse_request(body, path, endpoint),
        encoder=lambda _says, parsed: TgiEncoder(parsed.wanted),
        body=lambda reply, _says, parsed: reply_body(reply, parsed.wanted, listed=listed),
        error_body=error_body,
    )


ROOT_FRONT = _front("root")
GENERATE_FRONT = _front("generate")
GENERATE_STREAM_FRONT = _front("generate_stream")

WIRE = Wire(
    name=WIRE_NAME,
    content_type="text/event-stream",
    build=build,
    decoder=TgiDecoder,
    failure=failure_from_response,
    front=ROOT_FRONT,
    quirks=QUIRKS,
    listing=LISTING,
)
