"""OpenAI's chat endpoints: /v1/chat/completions, /v1/models and /v1/models/{id}."""

from __future__ import annotations

import secrets
import string
import time
from collections.abc import Sequence
from functools import partial
from typing import Any
from urllib.parse import quote

import msgspec

from headrace.core.model import Model, ModelCard
from headrace.errors import RequestError
from headrace.server.app import App
from headrace.server.collect import CollectSink
from headrace.server.exchange import Exchange, Fields
from headrace.server.problem import JSON_TYPE
from headrace.server.streams import EVENT_STREAM, EncodeSink, RelaySink, Report
from headrace.wire.openai_chat.completion import completion_body
from headrace.wire.openai_chat.encode import ChatEncoder
from headrace.wire.openai_chat.failure import error_event
from headrace.wire.openai_chat.request import ParsedRequest, parse_request

WIRE = "openai_chat"
_MAX_WARNING_CHARS = 2048
_PLAIN = "".join(set(string.printable) - set("%\t\n\r\x0b\x0c"))


def install(app: App) -> None:
    """Add the endpoints."""
    chat = ChatEndpoints(app)
    app.routes["POST", "/v1/chat/completions"] = chat.completions
    app.routes["GET", "/v1/models"] = chat.list_models
    app.trees["GET", "/v1/models/"] = chat.one_model


class ChatEndpoints:
    """The endpoints of one server."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._report: Report = app.counters.add  # one bound method for all streams

    def completions(self, exchange: Exchange) -> None:
        """Answer a chat request, as a stream of events or as one body."""
        body = exchange.body
        parsed = parse_request(body)
        exchange.release()
        if parsed.request.settings.n != 1:
            raise RequestError(
                "n must be 1: one answer a request", field="n", value=parsed.request.settings.n
            )
        model = self._app.runtime.resolve(parsed.request.model)
        if parsed.stream:
            self._stream(exchange, model, parsed, body)
            return
        opened = model.open(parsed.request)
        fields = [JSON_TYPE, *_warning_fields((*parsed.warnings, *opened.warnings))]
        CollectSink(
            exchange,
            model.card.id,
            partial(completion_body, **_says(parsed.request.model)),
            self._report,
            max_bytes=self._app.limits.max_reply_bytes,
            fields=fields,
        ).begin(opened.source)

    def _stream(self, exchange: Exchange, model: Model, parsed: ParsedRequest, body: bytes) -> None:
        keepalive_after_s = self._app.limits.keepalive_after_s
        relayed = model.open_relay(WIRE, body, parsed.include_usage)
        if relayed is not None:
            RelaySink(
                exchange,
                model.card.id,
                relayed.relay,
                error_event,
                self._report,
                keepalive_after_s=keepalive_after_s,
                fields=_stream_fields(parsed.warnings),
            ).begin(relayed.source)
            return
        opened = model.open(parsed.request)
        EncodeSink(
            exchange,
            model.card.id,
            ChatEncoder(**_says(parsed.request.model), include_usage=parsed.include_usage),
            error_event,
            self._report,
            keepalive_after_s=keepalive_after_s,
            fields=_stream_fields((*parsed.warnings, *opened.warnings)),
        ).begin(opened.source)

    def list_models(self, exchange: Exchange) -> None:
        """Every model that can be named."""
        cards = [_card_body(card) for card in self._app.runtime.models()]
        exchange.respond(200, (JSON_TYPE,), msgspec.json.encode({"object": "list", "data": cards}))

    def one_model(self, exchange: Exchange) -> None:
        """One of them, by id or alias; ids hold slashes."""
        card = self._app.runtime.resolve(exchange.path.removeprefix("/v1/models/")).card
        exchange.respond(200, (JSON_TYPE,), msgspec.json.encode(_card_body(card)))


def _says(model: str) -> dict[str, Any]:
    """What every event or body of one answer says of itself."""
    return {"id": f"chatcmpl-{secrets.token_hex(12)}", "model": model, "created_s": int(time.time())}


def _stream_fields(warnings: Sequence[str]) -> Fields:
    return (*EVENT_STREAM, *_warning_fields(warnings)) if warnings else EVENT_STREAM


def _warning_fields(warnings: Sequence[str]) -> Fields:
    """What could not be honoured, percent-encoded where a header could not hold it."""
    if not warnings:
        return ()
    text = quote("; ".join(warnings), safe=_PLAIN)
    if len(text) > _MAX_WARNING_CHARS:
        text = text[: _MAX_WARNING_CHARS - 3] + "..."
    return ((b"x-headrace-warnings", text.encode("ascii")),)


def _card_body(card: ModelCard) -> dict[str, Any]:
    body: dict[str, Any] = {
        "id": card.id,
        "object": "model",
        "created": card.created_s,
        "owned_by": card.owner,
        "capabilities": list(card.capabilities),
        "state": card.state,
    }
    if card.context_tokens:
        body["context_tokens"] = card.context_tokens
    if card.description:
        body["description"] = card.description
    if card.aliases:
        body["aliases"] = list(card.aliases)
    return body
