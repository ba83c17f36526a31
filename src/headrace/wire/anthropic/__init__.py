"""Anthropic Messages, both directions: `WIRE` for those who call, the encoder and parsers for servers.

A provider row of this wire has a base URL that ends in `/v1`, its key as a bearer token (`auth = "bearer"`;
the header `x-api-key` before version 2026-10-21 of the API) and the header `anthropic-version`; beta features
need `anthropic-beta` too.
"""

from __future__ import annotations

from headrace.wire.anthropic.build import build
from headrace.wire.anthropic.decode import MessagesDecoder
from headrace.wire.anthropic.encode import MessagesEncoder
from headrace.wire.anthropic.failure import error_body, error_event, failure_from_response
from headrace.wire.anthropic.parse import count_body, parse_count, parse_request
from headrace.wire.anthropic.schema import WIRE_NAME
from headrace.wire.anthropic.whole import message_body
from headrace.wire.base import Front, Wire
from headrace.wire.relay import event_relay, renamed

__all__ = [
    "WIRE",
    "MessagesDecoder",
    "MessagesEncoder",
    "count_body",
    "error_body",
    "error_event",
    "message_body",
    "parse_count",
    "parse_request",
]

_FRONT = Front(
    content_type="text/event-stream; charset=utf-8",
    ping=b": ping\n",
    parse=lambda body, _path: parse_request(body),
    encoder=lambda says, _parsed: MessagesEncoder(id=says.id, model=says.model),
    body=message_body,
    error_body=error_body,
)

WIRE = Wire(
    name=WIRE_NAME,
    content_type="text/event-stream",
    build=build,
    decoder=MessagesDecoder,
    failure=failure_from_response,
    relay=event_relay(MessagesDecoder, lambda failure, _events: error_event(failure)),
    rebody=renamed,
    front=_FRONT,
)
