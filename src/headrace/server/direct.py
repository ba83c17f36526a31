"""The seam under uvicorn: HTTP/1 connections that call endpoints without an ASGI task.

A request is read whole, its endpoint is called, and from then on a stream is plain `transport.write` calls.
While a stream waits there is this connection, its exchange and whatever listens to it: no task, coroutine,
event, scope, header list or parser. Why not a subclass of uvicorn's protocol:
docs/decisions/2026-11-21-server-seam.md.
"""

from __future__ import annotations

import asyncio
from collections import deque
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

from headrace.core.chunk import Failure
from headrace.server.exchange import Exchange, Fields
from headrace.server.problem import problem, problem_parts
from headrace.server.reading import HttpRequest, RequestReader
from headrace.transport.wheel import Deadline

if TYPE_CHECKING:
    from uvicorn.config import Config
    from uvicorn.server import ServerState

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_LAST_CHUNK = b"0\r\n\r\n"
_LINGER_S = 2.0
_BUSY_BODY_BYTES = 64 * 1024
_TURN_REQUESTS = 16  # answered for one client before the loop sees to the others
_SLICE_BYTES = 16 * 1024  # parsed at a time: a read may hold thousands of small requests
_STATUS_LINES = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus
}


def head_bytes(status: int, *groups: Fields) -> bytes:
    """A response's head. Raises ValueError for a field that would break it."""
    lines = [_STATUS_LINES.get(status) or b"HTTP/1.1 %d \r\n" % status]
    for fields in groups:
        lines += [b"%b: %b\r\n" % field for field in fields]
    if any(line.count(b"\n") != 1 or line.count(b"\r") != 1 for line in lines):
        raise ValueError("a line break in a response header")
    lines.append(b"\r\n")
    return b"".join(lines)


class DirectExchange(Exchange):
    """An exchange over one `DirectProtocol`."""

    __slots__ = ("_chunked", "_connection", "_head")

    def __init__(self, connection: DirectProtocol, request: HttpRequest) -> None:
        super().__init__(
            request.method, request.path, request.query, request.headers, request.body, connection.wheel
        )
        self._connection = connection
        self._chunked = not request.http10  # HTTP/1.0 knows no chunks: there the end of the connection ends
        self._head = b""

    def respond(self, status: int, fields: Fields, body: bytes) -> None:
        if self.closed:
            return
        self.status = status
        fields, body = self._squeezed_whole(fields, body)
        length = (b"content-length", b"%d" % len(body))
        head = head_bytes(status, self._connection.usual_fields(), self._own_fields(), fields, (length,))
        if self.method == "HEAD":
            body = b""
        self.bytes_out += len(body)
        self._connection.transport.write(head + body)
        self._end()

    def start(self, status: int, fields: Fields) -> None:
        if self.closed:
            return
        self.status = status
        fields = self._squeezed_head(fields)
        if self._chunked:
            extra: Fields = ((b"transfer-encoding", b"chunked"),)
        else:
            extra = ()
            self._connection.closes = True
        self._head = head_bytes(status, self._connection.usual_fields(), self._own_fields(), fields, extra)

    def write(self, data: bytes) -> None:
        if self.closed:
            return
        if self._squeeze is not None:
            data = self._squeeze.piece(data)
        self.bytes_out += len(data)
        head, self._head = self._head, b""
        data = b"%b%x\r\n%b\r\n" % (head, len(data), data) if self._chunked else head + data
        self._connection.transport.write(data)

    def finish(self, data: bytes = b"") -> None:
        if self.closed:
            return
        if self._squeeze is not None:
            data = self._squeeze.last(data)
        self.bytes_out += len(data)
        if self._chunked:
            data = b"%x\r\n%b\r\n0\r\n\r\n" % (len(data), data) if data else _LAST_CHUNK
        self._connection.transport.write(self._head + data)
        self._head = b""
        self._end()

    def abort(self) -> None:
        self._connection.transport.abort()

    def _end(self) -> None:
        self._done()
        self._connection.answered()


class DirectProtocol(asyncio.Protocol):
    """One client connection: reads requests, answers them one after the other.

    uvicorn makes it (`http=DirectProtocol`), lists it in `ServerState.connections` and calls `shutdown`.
    config.app: an `asgi.AsgiApp`, whose `app` answers. transport and closes (no further request will be
    taken) are read by the exchange.
    """

    __slots__ = (
        "_advancing",
        "_app",
        "_backlog",
        "_deadline",
        "_exchange",
        "_held",
        "_lingers",
        "_paused",
        "_reader",
        "_state",
        "_unread",
        "_yields",
        "closes",
        "transport",
        "wheel",
    )

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self._app = config.app.app  # type: ignore[union-attr]
        self._state = server_state
        self._exchange: DirectExchange | None = None
        self._reader: RequestReader | None = None
        self._backlog: deque[HttpRequest | Failure] | None = None
        self._deadline: Deadline | None = None
        self._unread = b""  # came, but was not parsed: enough is waiting
        self._advancing = False
        self._yields = False  # has had its turn, the next is scheduled
        self._paused = False  # the client reads more slowly than we write
        self._held = False  # we stopped reading
        self._lingers = False  # the last answer is out: what comes now is thrown away
        self.closes = False

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport = cast(asyncio.Transport, transport)  # uvloop's is one in all but name
        self.wheel = self._app.wheel
        self._state.connections.add(self)  # type: ignore[arg-type]
        transport.set_write_buffer_limits(high=self._app.limits.write_buffer_bytes)
        self._file(self._app.limits.head_s, self._too_slow)

    def data_received(self, data: bytes) -> None:
        if self._lingers or self.closes:
            return
        self._unread = self._unread + data if self._unread else data
        if self._yields:
            self._bound_reading()
        else:
            self._advance()

    def eof_received(self) -> None:
        # Most clients that go away send just this, so a half-closed one counts as gone (as with nginx).
        self._lose()
        self._file(self._app.limits.slow_reader_s, self.transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        self._state.connections.discard(self)
        self._file(0, None)
        self._lose()
        self._drop_reader()

    def pause_writing(self) -> None:
        self._paused = True
        if self._exchange is not None:
            self._exchange.hold(self._app.limits.slow_reader_s)

    def resume_writing(self) -> None:
        self._paused = False
        if self._exchange is not None:
            self._exchange.go_on()
        elif not self._advancing and not self.closes:
            self._file(0, None)  # the slow reader's
            self._advance()

    # What uvicorn calls.

    def shutdown(self) -> None:
        """Take no new request; close as soon as nothing is under way."""
        self.closes = True
        self._drop_waiting()
        if self._exchange is None:
            self._close()

    # What the exchange calls.

    def usual_fields(self) -> Fields:
        """Headers of every response: date and server, and whether the connection ends after it."""
        fields = self._state.default_headers
        return [*fields, (b"connection", b"close")] if self.closes or self._app.draining else fields

    def answered(self) -> None:
        """The current response is complete."""
        self._exchange = None
        self.closes = self.closes or self._app.draining
        self._state.total_requests += 1
        if not self._advancing:
            self._advance()

    def _advance(self) -> None:
        """Answer what is complete, one at a time and only so much in one turn, then see what to wait for."""
        self._advancing = True
        self._parse()
        for _ in range(_TURN_REQUESTS):
            if not self._backlog or self._exchange is not None or self._paused or self.closes:
                break
            self._answer(self._backlog.popleft())
        self._advancing = False
        if not self._backlog:
            self._backlog = None
        reader = self._reader
        if reader is not None and not reader.in_message:
            reader = None
            self._drop_reader()
        if self._exchange is None:
            self._settle(reader)
        self._bound_reading()

    def _take_turn(self) -> None:
        self._yields = False
        if self._backlog or self._unread:
            self._advance()

    def _parse(self) -> None:
        """Find requests in what has come, until enough of them wait."""
        data, at = self._unread, 0
        while at < len(data) and not self._is_full():
            self._feed(data[at : at + _SLICE_BYTES])
            at += _SLICE_BYTES
        self._unread = data[at:]

    def _feed(self, data: bytes) -> None:
        reader = self._reader
        if reader is None:
            reader = self._reader = RequestReader(self._app.limits)
        before = (reader.in_message, reader.in_body)
        complete = reader.feed(data)
        if (reader.in_message, reader.in_body) != before:
            self._file(0, None)  # another phase, another deadline
        if complete:
            if self._backlog is None:
                self._backlog = deque()
            self._backlog += complete

    def _answer(self, item: HttpRequest | Failure) -> None:
        if isinstance(item, Failure):
            self._refuse(item)
            return
        self._file(0, None)
        self.closes = not item.keep_alive
        self._exchange = exchange = DirectExchange(self, item)
        self._app.answer(exchange)

    def _settle(self, reader: RequestReader | None) -> None:
        """Nothing is being answered: close, or wait for the (rest of the) next request."""
        if self.closes:
            if not self._lingers:
                self._close()
            return
        limits = self._app.limits
        if self._paused:
            # Nothing more is answered before the client has read what was.
            if self._deadline is None:
                self._file(limits.slow_reader_s, self.transport.abort)
            return
        if self._backlog or self._unread:
            if not self._yields:
                self._yields = True
                asyncio.get_running_loop().call_soon(self._take_turn)
            return
        self._await_request(reader)

    def _await_request(self, reader: RequestReader | None) -> None:
        limits = self._app.limits
        if reader is None:
            if self._deadline is None:  # empty lines before a request move no deadline
                self._file(limits.idle_s, self._close)
            return
        if self._deadline is None:
            self._file(limits.body_s if reader.in_body else limits.head_s, self._too_slow)
        if reader.wants_continue:
            reader.wants_continue = False
            self.transport.write(_CONTINUE)

    def _is_full(self) -> bool:
        """Whether enough has been read ahead. Behind a running answer not less, so that we see it end."""
        if self._backlog and len(self._backlog) >= self._app.limits.max_pipelined:
            return True
        if self._exchange is None:
            return self._paused
        return self._reader is not None and self._reader.unfinished_bytes > _BUSY_BODY_BYTES

    def _bound_reading(self) -> None:
        full = bool(self._unread) or self._is_full()
        if full == self._held or self.transport.is_closing():
            return
        self._held = full
        if full:
            self.transport.pause_reading()
        else:
            self.transport.resume_reading()

    def _too_slow(self) -> None:
        if self._reader is None:
            self._close()  # not a byte came: there is no request to answer
            return
        self._refuse(problem(408, "the request did not come in time", "request_timeout"))

    def _refuse(self, failure: Failure) -> None:
        """Answer what could not be read, then let the client read that before the connection goes."""
        self.closes = self._lingers = True
        self._drop_reader()
        self._drop_waiting()
        if self.transport.is_closing():
            return
        self._app.counters.refused += 1
        status, fields, body = problem_parts(failure)
        length = (b"content-length", b"%d" % len(body))
        self.transport.write(head_bytes(status, self.usual_fields(), fields, (length,)) + body)
        if self.transport.can_write_eof():
            self.transport.write_eof()
            self._file(_LINGER_S, self.transport.abort)
        else:
            self._close()

    def _close(self) -> None:
        """Close when what is written has been sent, or when the client takes too long to read it."""
        self._lingers = True
        self._file(self._app.limits.slow_reader_s, self.transport.abort)
        self.transport.close()

    def _lose(self) -> None:
        exchange, self._exchange = self._exchange, None
        self.closes = True
        self._drop_waiting()
        if exchange is not None:
            exchange.lose()

    def _drop_reader(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.close()

    def _drop_waiting(self) -> None:
        self._backlog = None
        self._unread = b""

    def _file(self, delay_s: float, callback: Any) -> None:
        """One deadline at a time; `None` for none."""
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        if callback is not None:
            self._deadline = self.wheel.after(delay_s, callback)
