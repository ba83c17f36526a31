"""OpenAI chat completions, both directions: `WIRE` for those who call, the encoder and parser for servers."""

from __future__ import annotations

from headrace.wire.base import Wire
from headrace.wire.openai_chat.decode import ChatDecoder
from headrace.wire.openai_chat.encode import ChatEncoder, completion_body
from headrace.wire.openai_chat.failure import error_body, error_event, failure_from_response
from headrace.wire.openai_chat.relay import ChatRelay
from headrace.wire.openai_chat.request import ParsedRequest, build, parse_request, rebody
from headrace.wire.openai_chat.schema import WIRE_NAME

__all__ = [
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

WIRE = Wire(
    name=WIRE_NAME,
    content_type="text/event-stream",
    build=build,
    decoder=ChatDecoder,
    failure=failure_from_response,
    relay=ChatRelay,
    rebody=rebody,
)
