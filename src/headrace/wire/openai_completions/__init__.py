"""OpenAI's legacy completions (`/v1/completions`), both directions: text in, text out."""

from __future__ import annotations

from headrace.core.reply import Reply
from headrace.wire.base import Front, ParsedRequest, Says, Wire
from headrace.wire.openai_completions.build import build
from headrace.wire.openai_completions.decode import CompletionsDecoder
from headrace.wire.openai_completions.encode import CompletionsEncoder, completion_body
from headrace.wire.openai_completions.failure import error_event
from headrace.wire.openai_completions.parse import parse_request
from headrace.wire.openai_completions.quirks import QUIRKS
from headrace.wire.openai_completions.rebody import rebody
from headrace.wire.openai_completions.schema import WIRE_NAME
from headrace.wire.openai_error import error_body, failure_from_response
from headrace.wire.openai_models import LISTING
from headrace.wire.relay import event_relay
from headrace.wire.terminator import DONE

__all__ = ["WIRE", "CompletionsDecoder", "CompletionsEncoder", "completion_body", "parse_request"]


def _encoder(says: Says, parsed: ParsedRequest) -> CompletionsEncoder:
    return CompletionsEncoder(says, include_usage=parsed.include_usage, echo=parsed.wanted.get("echo", ""))


def _body(reply: Reply, says: Says, parsed: ParsedRequest) -> bytes:
    return completion_body(reply, says, echo=parsed.wanted.get("echo", ""))


WIRE = Wire(
    name=WIRE_NAME,
    content_type="text/event-stream",
    build=build,
    decoder=CompletionsDecoder,
    failure=failure_from_response,
    relay=event_relay(CompletionsDecoder, lambda failure, _events: error_event(failure), DONE),
    rebody=rebody,
    front=Front(
        content_type="text/event-stream; charset=utf-8",
        ping=b": ping\n",
        parse=lambda body, _path: parse_request(body),
        encoder=_encoder,
        body=_body,
        error_body=error_body,
        id_prefix="cmpl-",
    ),
    quirks=QUIRKS,
    listing=LISTING,
)
