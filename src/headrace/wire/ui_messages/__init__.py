"""The UI message stream (version 1) of the npm package `ai`, both directions: what web front ends speak.

`FRONT` answers pages, `WIRE` calls servers that answer them. A provider row of this wire has the address of
the chat endpoint itself as its base URL (`https://app.example/api/chat`): the transport's `api`.
"""

from __future__ import annotations

from headrace.wire.base import Front, Wire
from headrace.wire.ui_messages.build import build
from headrace.wire.ui_messages.decode import UiDecoder
from headrace.wire.ui_messages.encode import UiEncoder
from headrace.wire.ui_messages.failure import error_body, error_event, failure_from_response
from headrace.wire.ui_messages.metadata import WIRE_NAME
from headrace.wire.ui_messages.parse import GOES_ON, parse_request
from headrace.wire.ui_messages.whole import message_body

__all__ = [
    "FRONT",
    "WIRE",
    "WIRE_NAME",
    "UiDecoder",
    "UiEncoder",
    "error_body",
    "error_event",
    "parse_request",
]

FRONT = Front(
    content_type="text/event-stream; charset=utf-8",
    ping=b": ping\n",
    parse=parse_request,
    encoder=lambda says, parsed: UiEncoder(says, parsed.wanted.get(GOES_ON, "")),
    body=lambda reply, says, parsed: message_body(reply, parsed.wanted.get(GOES_ON) or says.id),
    error_body=error_body,
    id_prefix="msg_",
    headers={"x-vercel-ai-ui-message-stream": "v1", "x-accel-buffering": "no"},
)

WIRE = Wire(
    name=WIRE_NAME,
    content_type="text/event-stream",
    build=build,
    decoder=UiDecoder,
    failure=failure_from_response,
    front=FRONT,
)
