"""Endpoints that answer with a model's reply, in the protocol of any wire that has a front."""

from __future__ import annotations

import secrets
import string
import time
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from headrace.core.model import Model
from headrace.errors import RequestError
from headrace.server.app import App
from headrace.server.collect import CollectSink
from headrace.server.exchange import Exchange, Fields
from headrace.server.streams import EVENT_STREAM, EncodeSink, RelaySink, Report
from headrace.wire.base import Front, ParsedRequest, Says

_MAX_WARNING_CHARS = 2048
_PLAIN = "".join(set(string.printable) - set("%\t\n\r\x0b\x0c"))
NO_PATH: Mapping[str, str] = {}


class Answers:
    """Answers requests of one wire's clients with any model.

    relays: the name of the wire whose frames, from a provider that speaks it, may go to these clients as they
    are; empty: none.
    """

    def __init__(self, app: App, front: Front, *, relays: str = "") -> None:
        self._app = app
        self._front = front
        self._relays = relays
        self._report: Report = app.counters.add  # one bound method for all streams
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
        exchange.release()
        if parsed.request.settings.n != 1:
            raise RequestError(
                "n must be 1: one answer a request", field="n", value=parsed.request.settings.n
            )
        model = self._app.runtime.resolve(parsed.request.model)
        if parsed.stream:
            self._stream(exchange, model, parsed, body)
        else:
            self._collect(exchange, model, parsed)

    def _collect(self, exchange: Exchange, model: Model, parsed: ParsedRequest) -> None:
        opened = model.open(parsed.request)
        says = self._says(parsed)
        CollectSink(
            exchange,
            model.card.id,
            lambda reply: self._front.body(reply, says, parsed),
            self._report,
            max_bytes=self._app.limits.max_reply_bytes,
            fields=[
                (b"content-type", self._front.body_type(parsed).encode("latin-1")),
                *warning_fields((*parsed.warnings, *opened.warnings)),
            ],
        ).begin(opened.source)

    def _stream(self, exchange: Exchange, model: Model, parsed: ParsedRequest, body: bytes) -> None:
        front = self._front
        keepalive_after_s = self._app.limits.keepalive_after_s
        relayed = model.open_relay(self._relays, body, parsed.include_usage) if self._relays else None
        if relayed is not None:
            RelaySink(
                exchange,
                model.card.id,
                relayed.relay,
                self._report,
                ping=front.ping,
                keepalive_after_s=keepalive_after_s,
                fields=self._stream_fields(parsed.warnings),
            ).begin(relayed.source)
            return
        opened = model.open(parsed.request)
        EncodeSink(
            exchange,
            model.card.id,
            front.encoder(self._says(parsed), parsed),
            self._report,
            ping=front.ping,
            keepalive_after_s=keepalive_after_s,
            fields=self._stream_fields((*parsed.warnings, *opened.warnings)),
            type_of=front.type_of,
        ).begin(opened.source)

    def _says(self, parsed: ParsedRequest) -> Says:
        id = f"{self._front.id_prefix}{secrets.token_hex(12)}"
        return Says(id, parsed.request.model, int(time.time()))

    def _stream_fields(self, warnings: Sequence[str]) -> Fields:
        return (*self._fields, *warning_fields(warnings)) if warnings else self._fields


def warning_fields(warnings: Sequence[str]) -> Fields:
    """What could not be honoured, percent-encoded where a header could not hold it."""
    if not warnings:
        return ()
    text = quote("; ".join(warnings), safe=_PLAIN)
    if len(text) > _MAX_WARNING_CHARS:
        text = text[: _MAX_WARNING_CHARS - 3] + "..."
    return ((b"x-headrace-warnings", text.encode("ascii")),)
