"""OpenAI's chat endpoints: /v1/chat/completions, /v1/models and /v1/models/{id}."""

from __future__ import annotations

import secrets
import string
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import msgspec

from headrace.core.chunk import Cancelled, Chunk, Failure, Terminal
from headrace.core.fold import ReplyFold
from headrace.core.model import Model, ModelCard, Source
from headrace.core.reply import Reply
from headrace.errors import RequestError, StreamCancelledException, Truncated
from headrace.server.app import App
from headrace.server.counters import Tally
from headrace.server.exchange import Exchange, Fields
from headrace.server.problem import JSON_TYPE, respond_problem
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
        CollectSink(exchange, model.card.id, parsed.request.model, fields, self._report).begin(opened.source)

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


class CollectSink:
    """Gathers a whole reply and answers with one body; any failure is a real HTTP status.

    model: its id, for the tally. asked: the name the client gave, which the body repeats.
    """

    __slots__ = ("_asked", "_exchange", "_fields", "_fold", "_model", "_report", "_source")

    def __init__(self, exchange: Exchange, model: str, asked: str, fields: Fields, report: Report) -> None:
        self._exchange: Exchange | None = exchange
        self._model = model
        self._asked = asked
        self._fields = fields
        self._fold = ReplyFold()
        self._report = report
        self._source: Source[Chunk] | None = None

    def begin(self, source: Source[Chunk]) -> None:
        """Start the source and answer the exchange when it has ended."""
        assert self._exchange is not None
        self._source = source
        self._exchange.listener = self
        source.start(self)

    def push(self, batch: Sequence[Chunk], /) -> None:
        if self._exchange is not None:
            self._fold.feed(batch)

    def end(self, terminal: Terminal, /) -> None:
        self._fold.feed((terminal,))
        exchange, reply = self._settle(terminal)
        if exchange is None:
            return
        if isinstance(terminal, Cancelled):
            why = terminal.why or "the answer was cancelled"
            terminal = Failure.of(StreamCancelledException(why, http_status=503))
        if isinstance(terminal, Failure):
            respond_problem(exchange, terminal)
        elif not reply.candidates:
            respond_problem(exchange, Failure.of(Truncated("the model ended without an answer")))
        else:
            exchange.respond(200, self._fields, completion_body(reply, **_says(self._asked)))

    def on_pause(self) -> None:
        """Nothing is written before the end."""

    def on_resume(self) -> None:
        """Nothing is written before the end."""

    def on_lost(self) -> None:
        source = self._source
        self._settle(Cancelled("the client went away"), lost=True)
        if source is not None:
            source.cancel()

    def on_shutdown(self, failure: Failure) -> None:
        source = self._source
        exchange, _ = self._settle(failure)
        if exchange is not None:
            respond_problem(exchange, failure)
        if source is not None:
            source.cancel()

    def _settle(self, terminal: Terminal, *, lost: bool = False) -> tuple[Exchange | None, Reply]:
        """The exchange, once; None when the answer has been given or nobody waits for it."""
        exchange, self._exchange = self._exchange, None
        self._source = None
        reply = self._fold.reply()
        if exchange is not None:
            exchange.listener = None
            duration_s = exchange.wheel.now_s() - exchange.began_s
            self._report(Tally(self._model, terminal, duration_s, None, reply.usage, lost))
        return exchange, reply


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
