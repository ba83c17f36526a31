"""OpenAI chat completions, both directions: `WIRE` for those who call, the encoder and parser for servers."""

from __future__ import annotations

from headrace.wire.base import Front, Wire
from headrace.wire.openai_chat.decode import ChatDecoder
from headrace.wire.openai_chat.encode import ChatEncoder, completion_body
from headrace.wire.openai_chat.failure import error_event, failure_from_response
from headrace.wire.openai_chat.quirks import QUIRKS
from headrace.wire.openai_chat.relay import ChatRelay
from headrace.wire.openai_chat.request import ParsedRequest, build, parse_request, rebody
from headrace.wire.openai_chat.schema import WIRE_NAME
from headrace.wire.openai_error import error_body
from headrace.wire.openai_models import LISTING

__all__ = [
    "FRONT",
    "WIRE",
    "ChatDecoder",
    "ChatEncoder",
    "ChatRelay",
    "ParsedRequest",
    "completion_body",
    "error_body",
    "error_event",
    "parse_request",
]

FRONT = Front(
    content_type="text/event-stream; charset=utf-8",
    ping=b": ping\n",
    parse=lambda body, _path: parse_request(body),
    encoder=lambda says, parsed: ChatEncoder(
        id=says.id, model=says.model, created_s=says.created_s, include_usage=parsed.include_usage
    ),
    body=lambda reply, says, _parsed: completion_body(
        reply, id=says.id, model=says.model, created_s=says.created_s
    ),
    error_body=error_body,
    id_prefix="chatcmpl-",
)

WIRE = Wire(
    name=WIRE_NAME,
    content_type="text/event-stream",
    build=build,
    decoder=ChatDecoder,
    failure=failure_from_response,
    relay=ChatRelay,
    rebody=rebody,
    front=FRONT,
    quirks=QUIRKS,
    listing=LISTING,
)
