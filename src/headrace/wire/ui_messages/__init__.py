"""The UI message stream (version 1) of the npm package `ai`: how web front ends ask and read an answer.

Only a server's side: `FRONT`. No provider speaks it, so there is no decoder and no `Wire`.
"""

from __future__ import annotations

from headrace.wire.base import Front
from headrace.wire.ui_messages.encode import UiEncoder, error_body, error_event
from headrace.wire.ui_messages.parse import parse_request
from headrace.wire.ui_messages.parts import WIRE_NAME
from headrace.wire.ui_messages.whole import message_body

__all__ = ["FRONT", "WIRE_NAME", "UiEncoder", "error_body", "error_event", "parse_request"]

FRONT = Front(
    content_type="text/event-stream; charset=utf-8",
    ping=b": ping\n",
    parse=parse_request,
    encoder=lambda says, _parsed: UiEncoder(says),
    body=lambda reply, says, _parsed: message_body(reply, says),
    error_body=error_body,
    id_prefix="msg_",
    headers={"x-vercel-ai-ui-message-stream": "v1", "x-accel-buffering": "no"},
)
