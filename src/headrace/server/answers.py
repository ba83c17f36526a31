"""Endpoints that answer with a model's reply, in the protocol of any wire that has a front."""

from __future__ import annotations

import secrets
import string
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any
from urllib.parse import quote

from headrace.core.model import Model, Opened, Source
from headrace.errors import RequestError
from headrace.metrics.measures import Call
from headrace.server.app import App
from headrace.server.asked import Asked, asked_of
from headrace.server.collect import CollectSink
from headrace.server.exchange import Exchange, Fields
from headrace.server.last_words import last_words
from headrace.server.place import Place
from headrace.server.problem import JSON_TYPE, failure_of
from headrace.server.readers import ExchangeReader, stream_fields
from headrace.sessions.ending import Ending, end_of
from headrace.sessions.produce import EncodeProducer, RelayProducer, StreamProducer
from headrace.sessions.session import Session
from headrace.wire.base import Front, ParsedRequest, Says
from headrace.wire.kept import left_out

_MAX_WARNING_CHARS = 2048
_PLAIN = "".join(set(string.printable) - set("%\t\n\r\x0b\x0c"))
NO_PATH: Mapping[str, str] = {}
NO_PROTOCOL = ""
STREAM_ID = b"x-headrace-stream-id"


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
        self._fields = stream_fields(front.content_type, front.headers)

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
        app = self._app
        door = app.door
        bounds = door.bounds_of(exchange.key)
        asked = asked_of(exchange, self._front, door.queue.max_wait_s, bounds.max_streams)
        exchange.release()
        if parsed.request.settings.n != 1:
            raise RequestError(
                "n must be 1: one answer a request", field="n", value=parsed.request.settings.n
            )
        if parsed.background and not app.sessions.log.keeps:
            raise RequestError(
                "background: nothing is kept here that could be asked for later ([streams] log is none): "
                "ask without it, or have the server started with another log",
                field="background",
                value=True,
            )
        model = app.resolve(exchange, parsed.request.model)
        if parsed.stream:
            self._stream(exchange, model, parsed, body, asked)
        elif parsed.background:
            self._later(exchange, model, parsed, asked)
        else:
            self._collect(exchange, model, parsed, asked)

    def _collect(self, exchange: Exchange, model: Model, parsed: ParsedRequest, asked: Asked) -> None:
        opened = model.open(parsed.request)
        says = self._says(parsed)
        with self._place(exchange, model, parsed, says, asked) as place:
            CollectSink(
                exchange,
                model.card.id,
                lambda reply: self._front.body(reply, says, parsed),
                place.report,
                max_bytes=self._app.limits.max_reply_bytes,
                fields=[
                    (b"content-type", self._front.body_type(parsed).encode("latin-1")),
                    *warning_fields(_warnings(parsed, opened)),
                ],
            ).begin(place.waiting(opened.source))

    def _stream(
        self, exchange: Exchange, model: Model, parsed: ParsedRequest, body: bytes, asked: Asked
    ) -> None:
        may_relay = self._relays and not parsed.background  # which is asked for by the id in its events
        relayed = model.open_relay(self._relays, body, parsed.include_usage) if may_relay else None
        says = self._says(parsed)
        opened = model.open(parsed.request) if relayed is None else None
        with (
            self._place(exchange, model, parsed, says, asked) as place,
            self._session(says, model, parsed, asked) as session,
        ):
            tells = self._tells(exchange, model, place)
            if opened is None:
                assert relayed is not None
                producer: StreamProducer = RelayProducer(session, relayed.relay, *tells)
                source: Source[Any] = relayed.source
                warnings, type_of = parsed.warnings, None
            else:
                producer = encodes = self._encodes(session, parsed, says, tells)
                source, warnings = opened.source, _warnings(parsed, opened)
                type_of = encodes.content_type if self._front.type_of is not None else None
            ExchangeReader(
                exchange,
                fields=self._stream_fields(says.id, warnings),
                ping=self._front.ping,
                keepalive_after_s=self._app.limits.keepalive_after_s,
                words=partial(last_words, self._front if self._name != NO_PROTOCOL else None),
                type_of=type_of,
                on_start=producer.clock.sent,
            ).begin(self._app.sessions, says.id, 0, session)
            producer.begin(place.waiting(source))

    def _later(self, exchange: Exchange, model: Model, parsed: ParsedRequest, asked: Asked) -> None:
        """Make the answer in the background: the client is told how to ask for it."""
        assert self._front.pending is not None
        opened = model.open(parsed.request)
        says = self._says(parsed)
        pending = self._front.pending(says, parsed)
        fields = (JSON_TYPE, (STREAM_ID, says.id.encode("ascii")), *warning_fields(_warnings(parsed, opened)))
        with (
            self._place(exchange, model, parsed, says, asked) as place,
            self._session(says, model, parsed, asked) as session,
        ):
            producer = self._encodes(session, parsed, says, self._tells(exchange, model, place))
            producer.begin(place.waiting(opened.source))
        exchange.respond(200, fields, pending)

    @contextmanager
    def _session(self, says: Says, model: Model, parsed: ParsedRequest, asked: Asked) -> Iterator[Session]:
        """The answer's stream, which ends where the answer cannot begin."""
        facts: dict[str, Any] = {"front": self._name, "model": model.card.id}
        if parsed.background and self._front.pending is not None:
            facts["pending"] = self._front.pending(says, parsed).decode()
        session = self._app.sessions.begin(
            says.id,
            facts,
            owner=asked.owner,
            alias=parsed.alias,
            events=self._events,
            tells_ids=asked.tells_ids,
            detaches=asked.detaches or parsed.background,
        )
        try:
            yield session
        except BaseException as error:
            failure = failure_of(error)
            ending = Ending(failure, said=False)
            session.end(end_of(failure, ending, time.time(), {}), (), ending)
            raise

    def _encodes(
        self, session: Session, parsed: ParsedRequest, says: Says, tells: tuple[Any, ...]
    ) -> EncodeProducer:
        front = self._front
        return EncodeProducer(session, front.encoder(says, parsed), front.type_of, *tells)

    def _tells(self, exchange: Exchange, model: Model, place: Place) -> tuple[Any, ...]:
        """What every producer takes for its tally."""
        # Not the loop's own clock: uvloop's stands still between two looks at its sockets, and ticks in ms.
        began_s = time.monotonic() - (exchange.wheel.now_s() - exchange.began_s)
        return model.card.id, place.report, began_s, time.monotonic, self._app.measures.targets

    def _place(
        self, exchange: Exchange, model: Model, parsed: ParsedRequest, says: Says, asked: Asked
    ) -> Place:
        """The answer's place among the others. Raises RateLimited."""
        account = self._app.measures.account(self._call(exchange, model, says, asked))
        return self._app.admit(exchange, model.card.id, parsed.request, asked.claim, account)

    def _call(self, exchange: Exchange, model: Model, says: Says, asked: Asked) -> Call:
        card, request_id = model.card, exchange.request_id
        return Call(says.id, card.id, says.model, self._name, card.owner, request_id, asked.traceparent)

    def _says(self, parsed: ParsedRequest) -> Says:
        id = f"{self._front.id_prefix}{secrets.token_hex(12)}"
        return Says(id, parsed.request.model, int(time.time()))

    def _stream_fields(self, id: str, warnings: Sequence[str]) -> Fields:
        return (*self._fields, (STREAM_ID, id.encode("ascii")), *warning_fields(warnings))


def _warnings(parsed: ParsedRequest, opened: Opened) -> tuple[str, ...]:
    """What could not be honoured, each once."""
    vendor = parsed.request.vendor
    again = {left_out(name, vendor.wire) for name in parsed.told} if vendor is not None else set()
    return tuple(dict.fromkeys((*parsed.warnings, *(one for one in opened.warnings if one not in again))))


def warning_fields(warnings: Sequence[str]) -> Fields:
    """What could not be honoured, percent-encoded where a header could not hold it."""
    if not warnings:
        return ()
    text = quote("; ".join(warnings), safe=_PLAIN)
    if len(text) > _MAX_WARNING_CHARS:
        text = text[: _MAX_WARNING_CHARS - 3] + "..."
    return ((b"x-headrace-warnings", text.encode("ascii")),)
