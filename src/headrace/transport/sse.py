"""The event source: events from a URL, over as many connections as it takes. Source: WHATWG HTML 9.2."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

import msgspec

from headrace.errors import RequestError
from headrace.framing.sse import MAX_EVENT_BYTES, Event
from headrace.stream.pull import PullStream
from headrace.transport.http import CONNECT_S, HttpRequest, Sender
from headrace.transport.sse_script import SCRIPTS, ScriptedSender
from headrace.transport.sse_source import Reconnection, SseLimits, SseSource

TestMode: TypeAlias = Literal["basic", "openai", "multi_line", "error"]


class SseStream(PullStream[Event]):
    """An async iterator of events: `async with stream_sse(url) as events`, or `aclose()` it."""

    def __init__(self, source: SseSource, *, max_buffer: int) -> None:
        super().__init__(source, max_buffer=max_buffer)
        self._events = source

    @property
    def last_event_id(self) -> str:
        """What a reconnection would send as Last-Event-ID: of what came, read or not."""
        return self._events.last_event_id

    @property
    def retry_interval(self) -> float:
        """Seconds before a reconnection: as given, or as the server has said since."""
        return self._events.retry_interval_s

    @property
    def reconnections(self) -> int:
        """How often a new connection was begun after the first."""
        return self._events.reconnections


def stream_sse(
    url: str = "",
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes | str | dict[str, Any] | list[Any] | None = None,
    timeout: float = CONNECT_S,
    idle_timeout: float | None = None,
    max_line_length: int = 16_384,
    max_event_length: int = MAX_EVENT_BYTES,
    max_buffer: int = 64,
    reconnect: bool | None = None,
    retry_interval: float = 3.0,
    max_retry_interval: float = 300.0,
    max_reconnects: int | None = 10,
    last_event_id: str = "",
    ca_file: str = "",
    sender: Sender | None = None,
    test_mode: TestMode | None = None,
) -> SseStream:
    """Events from `url`. Nothing is sent before the first read.

    A GET whose connection ends, well or badly, is made again with Last-Event-ID after `retry_interval`, until
    the server answers 204. Anything else is sent once. What is an error, raised at its place in the stream:
    a first connection that fails, a status that is not 200, a content type that is not `text/event-stream`,
    a limit passed, `max_reconnects` in vain; of one-shot requests, a connection cut short.

    body: a dict or list is sent as JSON. timeout: seconds until the answer's head is there. idle_timeout:
    seconds of silence after which the connection counts as lost (comments are no silence); None: never.
    max_line_length, max_event_length: bytes. max_buffer: events read ahead of a slow reader.
    reconnect: None for GET only; False never. retry_interval: seconds, until the server says otherwise; it
    doubles with each attempt in vain, up to `max_retry_interval`, which bounds the server's wish too.
    max_reconnects: attempts in a row without an event; None for no bound. last_event_id: where to go on.
    ca_file: see `HttpRequest`. sender: another way out than the loop's own connection pool.
    test_mode: a scripted stream instead of a network: `basic` (three events), `openai` (a chat completion),
    `multi_line` (names, ids, comments, many lines), `error` (cut after two events).
    Raises: RequestError for settings that cannot be used together.
    """
    method = method.upper()
    repeatable = method == "GET"
    if reconnect and not repeatable:
        message = f"a {method} is not sent again: reconnect needs GET"
        raise RequestError(message, field="reconnect", value=True)
    if test_mode is not None:
        if sender is not None:
            raise RequestError("test_mode has a sender of its own", field="sender")
        if test_mode not in SCRIPTS:
            known = ", ".join(SCRIPTS)
            raise RequestError(f"test_mode is one of {known}", field="test_mode", value=test_mode)
        sender, url = ScriptedSender(SCRIPTS[test_mode]), url or "http://test.invalid/"
        reconnect = bool(reconnect)  # a script is the same each time: no end to it unless asked for
    own = {"accept": "text/event-stream", "cache-control": "no-store"}
    if isinstance(body, (dict, list)):
        own["content-type"] = "application/json"
    given = {name.lower(): value for name, value in (headers or {}).items()}
    last_event_id = given.pop("last-event-id", last_event_id)
    source = SseSource(
        HttpRequest(method, url, own | given, _body(body), ca_file),
        SseLimits(max_line_length, max_event_length, timeout, idle_timeout),
        Reconnection(
            repeatable if reconnect is None else reconnect, retry_interval, max_retry_interval, max_reconnects
        ),
        last_event_id=last_event_id,
        sender=sender,
    )
    return SseStream(source, max_buffer=max_buffer)


def _body(body: bytes | str | dict[str, Any] | list[Any] | None) -> bytes:
    if body is None:
        return b""
    if isinstance(body, bytes):
        return body
    return body.encode() if isinstance(body, str) else msgspec.json.encode(body)
