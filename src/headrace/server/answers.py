"""Endpoints that answer with a model's reply, in the protocol of any wire that has a front."""

from __future__ import annotations

import secrets
import string
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

from headrace.core.chunk import Failure
from headrace.core.model import Model, Source
from headrace.errors import RequestError
from headrace.metrics.measures import Call
from headrace.server.app import App
from headrace.server.collect import CollectSink
from headrace.server.exchange import Exchange, Fields
from headrace.server.readers import EVENT_STREAM, ExchangeReader
from headrace.sessions.produce import EncodeProducer, RelayProducer, StreamProducer
from headrace.wire.base import Front, ParsedRequest, Says

_MAX_WARNING_CHARS = 2048
_PLAIN = "".join(set(string.printable) - set("%\t\n\r\x0b\x0c"))
NO_PATH: Mapping[str, str] = {}
NO_PROTOCOL = ""
STREAM_ID = b"x-headrace-stream-id"
EVENT_IDS = "x-headrace-event-ids"
ON_DISCONNECT = "x-headrace-on-disconnect"


class Answers:
    """Answers requests of one wire's clients with any model.

    name: the front's, among `headrace.wire.FRONTS`: how a stream's log knows what its records speak;
    `NO_PROTOCOL` for sound as it is. relays: the name of the wire whose frames, from a provider that speaks
    it, may go to these clients as they are; empty: none.
    """

    def __init__(self, app: App, name: str, front: Front, *, relays: str = "") -> None:
        self._app = app
        self._name = name
        self._front = front
        self._events = front.content_type.startswith("text/event-stream")
        self._relays = relays
        own = {"content-type": front.content_type, **front.headers}
        usual = [field for field in EVENT_STREAM if field[0].decode("ascii") not in own]
        fields = [(name.encode("ascii"), value.encode("latin-1")) for name, value in own.items()]
        self._fields: Fields = (*fields, *usual)

    def __call__(self, exchange: Exchange) -> None:
        """Answer a request whose path says nothing of it."""
        self.answer(exchange, NO_PATH)

    def answer(self, exchange: Exchange, path: Mapping[str, str]) -> None:
        """Answer a request, as a stream or as one body. path: what its head says, for the front's `parse`."""
        exchange.error_body = self._front.error_body
        self.give(exchange, self._front.parse(exchange.body, path))

    def give(self, exchange: Exchange, parsed: ParsedRequest) -> None:
        """Answer a request that has been read."""
        body = exchange.body
        asked = Asked(
            detaches_on_disconnect(exchange),
            tells_ids(exchange, self._front.event_ids),
            exchange.headers.get("traceparent", ""),
        )
        exchange.release()
        if parsed.request.settings.n != 1:
            raise RequestError(
                "n must be 1: one answer a request", field="n", value=parsed.request.settings.n
            )
        model = self._app.runtime.resolve(parsed.request.model)
        if parsed.stream:
            self._stream(exchange, model, parsed, body, asked)
        else:
            self._collect(exchange, model, parsed, asked)

    def _collect(self, exchange: Exchange, model: Model, parsed: ParsedRequest, asked: Asked) -> None:
        opened = model.open(parsed.request)
        says = self._says(parsed)
        CollectSink(
            exchange,
            model.card.id,
            lambda reply: self._front.body(reply, says, parsed),
            self._app.measures.account(self._call(exchange, model, says, asked)),
            max_bytes=self._app.limits.max_reply_bytes,
            fields=[
                (b"content-type", self._front.body_type(parsed).encode("latin-1")),
                *warning_fields((*parsed.warnings, *opened.warnings)),
            ],
        ).begin(opened.source)

    def _stream(
        self, exchange: Exchange, model: Model, parsed: ParsedRequest, body: bytes, asked: Asked
    ) -> None:
        app, front, card = self._app, self._front, model.card
        relayed = model.open_relay(self._relays, body, parsed.include_usage) if self._relays else None
        says = self._says(parsed)
        warnings = parsed.warnings
        if relayed is not None:
            source: Source[Any] = relayed.source
        else:
            opened = model.open(parsed.request)
            source, warnings = opened.source, (*warnings, *opened.warnings)
        session = app.sessions.begin(
            says.id,
            {"front": self._name, "model": card.id},
            alias=parsed.alias,
            events=self._events,
            tells_ids=asked.tells_ids,
            detaches=asked.detaches,
        )
        report = app.measures.account(self._call(exchange, model, says, asked))
        rest = (card.id, report, exchange.began_s, exchange.wheel.now_s, app.measures.targets)
        type_of = None
        if relayed is not None:
            producer: StreamProducer = RelayProducer(session, relayed.relay, *rest)
        else:
            producer = encodes = EncodeProducer(session, front.encoder(says, parsed), front.type_of, *rest)
            type_of = encodes.content_type if front.type_of is not None else None
        ExchangeReader(
            exchange,
            fields=self._stream_fields(says.id, warnings),
            ping=front.ping,
            keepalive_after_s=app.limits.keepalive_after_s,
            words=no_words,  # the producer is here: it writes them
            type_of=type_of,
            on_start=producer.clock.sent,
        ).begin(app.sessions, says.id, 0, session)
        producer.begin(source)

    def _says(self, parsed: ParsedRequest) -> Says:
        id = f"{self._front.id_prefix}{secrets.token_hex(12)}"
        return Says(id, parsed.request.model, int(time.time()))

    def _call(self, exchange: Exchange, model: Model, says: Says, asked: Asked) -> Call:
        card = model.card
        return Call(
            says.id, card.id, says.model, self._name, card.owner, exchange.request_id, asked.traceparent
        )

    def _stream_fields(self, id: str, warnings: Sequence[str]) -> Fields:
        return (*self._fields, (STREAM_ID, id.encode("ascii")), *warning_fields(warnings))


class Asked(NamedTuple):
    """What the head of a request says of the stream's life, and of the trace that it belongs to."""

    detaches: bool
    tells_ids: bool
    traceparent: str


def tells_ids(exchange: Exchange, default: bool) -> bool:
    """Whether the stream's events shall say their numbers. Raises RequestError."""
    asked = exchange.headers.get(EVENT_IDS, "on" if default else "off").strip().lower()
    if asked not in ("on", "off"):
        raise RequestError(f"{EVENT_IDS}: must be on or off", field=EVENT_IDS, value=asked)
    return asked == "on"


def detaches_on_disconnect(exchange: Exchange) -> bool:
    """Whether the client asks that its stream goes on without it. Raises RequestError."""
    asked = exchange.headers.get(ON_DISCONNECT, "abort").strip().lower()
    if asked not in ("abort", "detach"):
        said = f"{ON_DISCONNECT}: must be abort (the answer stops with its client) or detach (it goes on)"
        raise RequestError(said, field=ON_DISCONNECT, value=asked)
    return asked == "detach"


def no_words(_failure: Failure) -> bytes:
    """Whoever makes the stream writes how it failed."""
    return b""


def warning_fields(warnings: Sequence[str]) -> Fields:
    """What could not be honoured, percent-encoded where a header could not hold it."""
    if not warnings:
        return ()
    text = quote("; ".join(warnings), safe=_PLAIN)
    if len(text) > _MAX_WARNING_CHARS:
        text = text[: _MAX_WARNING_CHARS - 3] + "..."
    return ((b"x-headrace-warnings", text.encode("ascii")),)
