"""Anthropic Messages, both directions: `WIRE` for those who call, the encoder and parsers for servers.

A provider row of this wire has a base URL that ends in `/v1`. Its key goes as a bearer token (in the header
`x-api-key` before version 2026-10-21 of the API); beta features need the header `anthropic-beta`.
Source: Anthropic's official Python client (anthropic 2.11, `_client.py`, `_constants.py`), read 2026-11-25.
"""

from __future__ import annotations

from headrace.wire.anthropic.build import build
from headrace.wire.anthropic.count import COUNTING
from headrace.wire.anthropic.decode import MessagesDecoder
from headrace.wire.anthropic.encode import MessagesEncoder
from headrace.wire.anthropic.failure import error_body, error_event, failure_from_response
from headrace.wire.anthropic.models import LISTING
from headrace.wire.anthropic.parse import count_body, parse_count, parse_request
from headrace.wire.anthropic.quirks import QUIRKS
from headrace.wire.anthropic.rebody import rebody
from headrace.wire.anthropic.schema import VERSION, WIRE_NAME
from headrace.wire.anthropic.whole import message_body
from headrace.wire.base import Front, Wire
from headrace.wire.relay import event_relay

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
    id_prefix="msg_",
    error_body=error_body,
)

WIRE = Wire(
    name=WIRE_NAME,
    content_type="text/event-stream",
    build=build,
    decoder=MessagesDecoder,
    failure=failure_from_response,
    relay=event_relay(MessagesDecoder, lambda failure, _events: error_event(failure)),
    rebody=rebody,
    front=_FRONT,
    quirks=QUIRKS,
    headers={"anthropic-version": VERSION},
    listing=LISTING,
    counting=COUNTING,
)
