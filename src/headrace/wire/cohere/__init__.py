"""Cohere's chat, version 2 of its API, both directions: `WIRE` to call it, its front to serve it.

A provider row of this wire has the base URL `https://api.cohere.com` and its key as a bearer token (the
official client reads it from `CO_API_KEY`).
"""

from __future__ import annotations

from headrace.wire.base import Front, Wire
from headrace.wire.cohere.build import build
from headrace.wire.cohere.decode import ChatDecoder
from headrace.wire.cohere.encode import ChatEncoder
from headrace.wire.cohere.failure import error_body, error_event, failure_from_response
from headrace.wire.cohere.models import LISTING
from headrace.wire.cohere.parse import parse_request
from headrace.wire.cohere.quirks import QUIRKS
from headrace.wire.cohere.rebody import rebody
from headrace.wire.cohere.schema import WIRE_NAME
from headrace.wire.cohere.whole import chat_body
from headrace.wire.relay import event_relay
from headrace.wire.terminator import DONE

__all__ = ["WIRE", "ChatDecoder", "ChatEncoder", "chat_body", "error_body", "error_event", "parse_request"]

_FRONT = Front(
    content_type="text/event-stream; charset=utf-8",
    ping=b": ping\n",
    parse=lambda body, _path: parse_request(body),
    encoder=lambda says, _parsed: ChatEncoder(id=says.id),
    body=lambda reply, says, _parsed: chat_body(reply, says),
    error_body=error_body,
)

WIRE = Wire(
    name=WIRE_NAME,
    content_type="text/event-stream",
    build=build,
    decoder=ChatDecoder,
    failure=failure_from_response,
    relay=event_relay(ChatDecoder, lambda failure, _events: error_event(failure) + DONE, DONE),
    rebody=rebody,
    front=_FRONT,
    listing=LISTING,
    quirks=QUIRKS,
)
