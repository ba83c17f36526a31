"""OpenAI Responses, both directions: `WIRE` for those who call, the encoder and parser for servers."""

from __future__ import annotations

from typing import Any

import msgspec

from headrace.core.chunk import Chunk
from headrace.core.reply import Reply
from headrace.core.stage import Stage
from headrace.wire.base import Front, ParsedRequest, Says, Wire
from headrace.wire.openai_models import LISTING
from headrace.wire.openai_responses.build import build, custom_tools, request_fields
from headrace.wire.openai_responses.decode import ResponsesDecoder
from headrace.wire.openai_responses.encode import ResponsesEncoder
from headrace.wire.openai_responses.failure import error_body, error_event, failure_from_response
from headrace.wire.openai_responses.parse import parse_request
from headrace.wire.openai_responses.quirks import QUIRKS
from headrace.wire.openai_responses.rebody import rebody
from headrace.wire.openai_responses.schema import WIRE_NAME
from headrace.wire.openai_responses.snapshot import Snapshot
from headrace.wire.openai_responses.template import own
from headrace.wire.openai_responses.whole import response_body
from headrace.wire.relay import event_relay

__all__ = [
    "WIRE",
    "ParsedRequest",
    "ResponsesDecoder",
    "ResponsesEncoder",
    "build",
    "error_body",
    "error_event",
    "parse_request",
    "response_body",
]


def _about(says: Says, parsed: ParsedRequest) -> dict[str, Any]:
    """What a response says of itself and repeats of the request."""
    request = parsed.request
    echo = request_fields(request)
    if request.messages and own(request.messages[0].vendor).get("instructions"):
        echo["instructions"] = request.messages[0].text
    if parsed.background:
        echo["background"] = True
    kept = own(request.vendor)
    echo.update({name: kept[name] for name in ("metadata", "truncation") if name in kept})
    return {
        "id": says.id,
        "model": says.model,
        "created_s": says.created_s,
        "echo": echo,
        "custom": custom_tools(request),
    }


def _encoder(says: Says, parsed: ParsedRequest) -> Stage[Chunk, bytes]:
    return ResponsesEncoder(**_about(says, parsed))


def _body(reply: Reply, says: Says, parsed: ParsedRequest) -> bytes:
    return response_body(reply, **_about(says, parsed))


def _pending(says: Says, parsed: ParsedRequest) -> bytes:
    about = _about(says, parsed)
    snapshot = Snapshot(says.id, says.model, says.created_s, about["echo"], {})
    return msgspec.json.encode(snapshot.response("queued", []))


_FRONT = Front(
    content_type="text/event-stream; charset=utf-8",
    ping=b": ping\n",
    parse=lambda body, _path: parse_request(body),
    encoder=_encoder,
    body=_body,
    error_body=error_body,
    id_prefix="resp_",
    last_words=error_event,
    pending=_pending,
)

WIRE = Wire(
    name=WIRE_NAME,
    content_type="text/event-stream",
    build=build,
    decoder=ResponsesDecoder,
    failure=failure_from_response,
    relay=event_relay(ResponsesDecoder, error_event),
    rebody=rebody,
    front=_FRONT,
    quirks=QUIRKS,
    listing=LISTING,
)
