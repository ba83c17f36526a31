"""One event stream as a `Source`: connection after connection, joined by the last event id."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from headrace.core.chunk import Cancelled, Failure, Finish, Terminal
from headrace.core.model import Sink
from headrace.errors import HeadraceError, RequestError, StreamTimeoutException, Truncated, WireError
from headrace.framing.sse import Event, SseDecoder
from headrace.transport.http import Call, HttpRequest, Sender
from headrace.transport.pool import pool_here
from headrace.transport.refusal import refusal
from headrace.transport.url import parse_url
from headrace.transport.wheel import Deadline

MAX_REFUSAL_BYTES = 8192


class SseLimits(msgspec.Struct, frozen=True):
    """What one connection may cost.

    max_line_bytes, max_event_bytes: see `SseDecoder`. head_s: until the answer's head. idle_s: of silence.
    """

    max_line_bytes: int
    max_event_bytes: int
    head_s: float
    idle_s: float | None

    def __post_init__(self) -> None:
        if self.max_line_bytes < 1 or self.max_event_bytes < 1:
            raise RequestError("a limit in bytes must be at least 1", field="max_line_length")
        if self.head_s <= 0 or (self.idle_s is not None and self.idle_s <= 0):
            raise RequestError("a timeout must be more than 0 seconds", field="timeout")


class Reconnection(msgspec.Struct, frozen=True):
    """When to connect again.

    wanted: whether at all. interval_s: the first wait, doubled up to max_interval_s. attempts: how many in a
    row may bring no event; None for no bound.
    """

    wanted: bool
    interval_s: float
    max_interval_s: float
    attempts: int | None

    def __post_init__(self) -> None:
        if self.interval_s < 0 or self.max_interval_s < 0:
            raise RequestError("an interval must not be negative", field="retry_interval")
        if self.attempts is not None and self.attempts < 1:
            message = "max_reconnects must be at least 1, or None for no bound: reconnect=False turns it off"
            raise RequestError(message, field="max_reconnects", value=self.attempts)

    def delay_s(self, interval_s: float, misses: int, at_least_s: float) -> float:
        """Seconds to wait before the `misses`-th attempt in a row, counted from 1."""
        doubled_s = interval_s * 2.0 ** min(misses - 1, 30)
        return min(max(doubled_s, at_least_s), self.max_interval_s)


class SseSource:
    """A `Source` of events, and the receiver of each of its connections."""

    def __init__(
        self,
        request: HttpRequest,
        limits: SseLimits,
        reconnection: Reconnection,
        *,
        last_event_id: str = "",
        sender: Sender | None = None,
    ) -> None:
        self._request = request
        self._limits = limits
        self._again = reconnection
        self._sender = sender
        self._sink: Sink[Event] | None = None
        self._call: Call | None = None
        self._decoder: SseDecoder | None = None  # while a good body comes
        self._refusal: tuple[int, Mapping[str, str], bytearray] | None = None  # while a bad one comes
        self._timer: Deadline | None = None  # the head's, the silence's, or the reconnection's
        self._heard_s = 0.0
        self._misses = 0
        self._was_open = False
        self._paused = False
        self._over = False
        self.last_event_id = last_event_id
        self.retry_interval_s = reconnection.interval_s
        self.reconnections = 0

    # The source's side

    def start(self, sink: Sink[Event], /) -> None:
        """Connect. Raises RequestError for a request that cannot be written."""
        self._sender = self._sender or pool_here()
        self._sink = sink
        self._connect()

    def pause(self) -> None:
        """Stop reading; the silence clock stops too: a slow reader is not a slow server."""
        self._paused = True
        if self._call is not None:
            self._call.pause()

    def resume(self) -> None:
        """Go on."""
        self._paused = False
        self._hear()
        if self._call is not None:
            self._call.resume()

    def cancel(self) -> None:
        """Close the connection, or do not make the next one."""
        self._end(Cancelled("the event stream was closed by its reader"))

    # The connection's side

    def head(self, status: int, headers: Mapping[str, str], /) -> None:
        self._disarm()
        if status == 204:
            self._end(Finish())
        elif status != 200:
            self._refusal = (status, headers, bytearray())
            self._arm(self._limits.head_s, self._refused)
        elif not is_event_stream(headers.get("content-type", "")):
            said = headers.get("content-type") or "no content type"
            message = f"{self._where} did not answer with text/event-stream but with {said[:100]!r}"
            self._end(Failure.of(WireError(message, code="wrong_content_type")))
        else:
            limits = self._limits
            self._decoder = SseDecoder(
                limits.max_line_bytes, limits.max_event_bytes, last_event_id=self.last_event_id
            )
            self._was_open = True
            self._hear()
            self._watch()

    def data(self, data: bytes, /) -> None:
        decoder = self._decoder
        if decoder is None:
            self._keep_refusal(data)
            return
        self._hear()
        events = decoder.feed(data)
        self.last_event_id = decoder.last_event_id
        if decoder.retry is not None:
            self.retry_interval_s = decoder.retry / 1000
        failure = events.pop() if events and isinstance(events[-1], Failure) else None
        if events and self._sink is not None:
            self._misses = 0
            self._sink.push([event for event in events if isinstance(event, Event)])
        if isinstance(failure, Failure):
            self._end(failure)

    def done(self) -> None:
        if self._refusal is not None:
            self._refused()
        elif self._again.wanted:
            self._reconnect(None)
        else:
            self._end(Finish())

    def lost(self, failure: Failure, /) -> None:
        if self._refusal is not None:
            self._refused()
        elif self._was_open and self._again.wanted and failure.kind != "wire":
            self._reconnect(failure)
        else:
            self._end(failure)

    # Between

    @property
    def _where(self) -> str:
        return parse_url(self._request.url).host_header

    def _connect(self) -> None:
        if self._sender is None:
            raise RuntimeError("a source is started before it connects")
        request = self._request
        if self.last_event_id:
            # The standard sends UTF-8; header fields are written as Latin-1, byte for byte.
            value = self.last_event_id.encode().decode("latin-1")
            request = msgspec.structs.replace(request, headers={**request.headers, "last-event-id": value})
        self._decoder = None
        self._call = self._sender.send(request, self, connect_s=self._limits.head_s)
        if self._paused:
            self._call.pause()
        self._arm(self._limits.head_s, self._no_head)

    def _no_head(self) -> None:
        message = f"no answer from {self._where} within {self._limits.head_s:g} s"
        self._drop(Failure.of(StreamTimeoutException(message, code="connect")))

    def _reconnect(self, failure: Failure | None) -> None:
        """Wait, then connect again; end where that has been in vain too often."""
        self._let_go()
        self._misses += 1
        attempts = self._again.attempts
        if attempts is not None and self._misses > attempts:
            message = f"{self._where} was reached {attempts} times again without sending an event"
            self._end(failure or Failure.of(Truncated(message, code="no_events")))
            return
        asked_s = failure.detail.get("retry_after_s") if failure is not None else None
        delay_s = self._again.delay_s(self.retry_interval_s, self._misses, asked_s or 0.0)
        self._arm(delay_s, self._connect_again)

    def _connect_again(self) -> None:
        self.reconnections += 1
        try:
            self._connect()
        except HeadraceError as error:  # such as an id that no header field can carry
            self._end(Failure.of(error))

    def _keep_refusal(self, data: bytes) -> None:
        if self._refusal is not None:
            body = self._refusal[2]
            body += data[: MAX_REFUSAL_BYTES - len(body)]
            if len(body) >= MAX_REFUSAL_BYTES:
                self._refused()

    def _refused(self) -> None:
        if self._refusal is None:
            return
        status, headers, body = self._refusal
        failure = refusal(status, headers, bytes(body), self._where, self._request.headers)
        # A first refusal is told at once; a place that did answer before may be back after a while.
        if failure.retryable and self._was_open and self._again.wanted:
            self._reconnect(failure)
        else:
            self._end(failure)

    def _hear(self) -> None:
        if self._limits.idle_s is not None and self._sender is not None:
            self._heard_s = self._sender.wheel.now_s()

    def _watch(self) -> None:
        """Look at the silence clock again when it could have run out."""
        if self._limits.idle_s is None or self._sender is None:
            return
        left_s = self._heard_s + self._limits.idle_s - self._sender.wheel.now_s()
        if self._paused:
            self._arm(self._limits.idle_s, self._watch)
        elif left_s > 0:
            self._arm(left_s, self._watch)
        else:
            message = f"{self._where} was silent for {self._limits.idle_s:g} s"
            self._drop(Failure.of(StreamTimeoutException(message, code="idle")))

    def _drop(self, failure: Failure) -> None:
        """Give this connection up."""
        self._let_go()
        self.lost(failure)

    def _arm(self, delay_s: float, callback: Callable[[], None]) -> None:
        self._disarm()
        if self._sender is not None and not self._over:
            self._timer = self._sender.wheel.after(delay_s, callback)

    def _disarm(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def _let_go(self) -> None:
        self._disarm()
        self._decoder = self._refusal = None
        call, self._call = self._call, None
        if call is not None:
            call.cancel()

    def _end(self, terminal: Terminal) -> None:
        if self._over:
            return
        self._over = True
        self._let_go()
        if self._sink is not None:
            self._sink.end(terminal)


def is_event_stream(content_type: str) -> bool:
    """Whether a Content-Type names an event stream; parameters do not matter, charset least of all."""
    return content_type.partition(";")[0].strip().lower() == "text/event-stream"
