"""One request and its response as an endpoint sees them, whatever carries the bytes.

An endpoint is a plain function of an `Exchange`. It answers at once with `respond`, or hangs itself in as
`listener`, lets go of what it has read (`release`) and answers later: `start`, `write`..., `finish`. What
carries the bytes (`direct.DirectExchange`, `asgi.AsgiExchange`) implements the five writing methods and
calls `hold`, `go_on` and `lose`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from headrace.core.chunk import Failure
from headrace.server.keys import NOBODY, Key
from headrace.server.squeeze import Compress, Squeeze, gains, is_worth_it, squeezed_fields
from headrace.transport.wheel import Deadline, Wheel
from headrace.wire.openai_error import error_body

Fields = Sequence[tuple[bytes, bytes]]
NO_HEADERS: Mapping[str, str] = {}


class Listener(Protocol):
    """Who answers an exchange over time. Called on the loop's thread; must neither block nor raise."""

    def on_pause(self) -> None:
        """The client reads more slowly than we write: bring less."""

    def on_resume(self) -> None:
        """The client has caught up."""

    def on_lost(self) -> None:
        """The client is gone; nothing that is written will arrive."""

    def on_shutdown(self, failure: Failure, /) -> None:
        """The server can wait no longer: end now, telling the client `failure`."""


class Exchange:
    """One request and its response.

    owner: whose request it is, empty: nobody's in particular. key: `NOBODY` where none is
    needed. fields: headers that its response will have, whatever it is. squeezes:
    what it may have in gzip.
    path: percent-decoded, without the query. query: as sent. headers: names in lower case, repeated fields
    joined by a comma. body: whole. began_s: when it was complete, on the loop's clock. status: 0 until the
    response has begun. bytes_out: of response bodies. on_done: called once when it is closed.
    error_body: an error's JSON in the client's protocol; OpenAI's where no endpoint has said otherwise.
    paused: the client is behind. closed: the response is complete, given up or the client is gone. lost: it
    is gone, and did not have all.
    """

    __slots__ = (
        "_squeeze",
        "_stall",
        "began_s",
        "body",
        "bytes_out",
        "closed",
        "error_body",
        "fields",
        "headers",
        "key",
        "listener",
        "lost",
        "method",
        "on_done",
        "owner",
        "path",
        "paused",
        "query",
        "request_id",
        "squeezes",
        "status",
        "wheel",
    )

    def __init__(
        self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes, wheel: Wheel
    ) -> None:
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        self.body = body
        self.wheel = wheel
        self.began_s = wheel.now_s()
        self.request_id = ""
        self.owner = ""
        self.key: Key = NOBODY
        self.fields: Fields = ()
        self.squeezes: Compress = "off"
        self._squeeze: Squeeze | None = None
        self.status = 0
        self.bytes_out = 0
        self.paused = False
        self.closed = False
        self.lost = False
        self.error_body: Callable[[Failure], bytes] = error_body
        self.listener: Listener | None = None
        self.on_done: Callable[[Exchange], None] | None = None
        self._stall: Deadline | None = None

    # What endpoints call.

    def release(self) -> None:
        """Let go of the request's headers and body: a stream that waits keeps neither."""
        self.headers = NO_HEADERS
        self.body = b""
        self.query = ""

    def respond(self, status: int, fields: Fields, body: bytes) -> None:
        """The whole response at once. Does nothing when `closed`."""
        raise NotImplementedError

    def start(self, status: int, fields: Fields) -> None:
        """Begin a response of unknown length. The head leaves with the first bytes that follow."""
        raise NotImplementedError

    def write(self, data: bytes) -> None:
        """A piece of the body, never empty. Does nothing when `closed`."""
        raise NotImplementedError

    def finish(self, data: bytes = b"") -> None:
        """The last piece, and the proper end. Does nothing when `closed`."""
        raise NotImplementedError

    def abort(self) -> None:
        """Cut the connection, so that the client sees an incomplete response. `on_lost` follows."""
        raise NotImplementedError

    # What the carrier of the bytes calls.

    def hold(self, slow_reader_s: float) -> None:
        """The client is behind; cut it off unless it has caught up in `slow_reader_s`."""
        if self.closed or self.paused:
            return
        self.paused = True
        self._stall = self.wheel.after(slow_reader_s, self.abort)
        if self.listener is not None:
            self.listener.on_pause()

    def go_on(self) -> None:
        """The client has caught up."""
        self._drop_stall()
        if self.paused:
            self.paused = False
            if self.listener is not None and not self.closed:
                self.listener.on_resume()

    def lose(self) -> None:
        """The client is gone."""
        if self.closed:
            return
        listener = self.listener
        self.lost = True
        self._done()
        if listener is not None:
            listener.on_lost()

    def shut_down(self, failure: Failure) -> None:
        """The server can wait no longer."""
        if self.listener is not None:
            self.listener.on_shutdown(failure)
        else:
            self.abort()

    def _own_fields(self) -> Fields:
        """Response headers that every exchange has."""
        if not self.request_id:
            return self.fields
        return ((b"x-request-id", self.request_id.encode("ascii")), *self.fields)

    def _squeezed_whole(self, fields: Fields, body: bytes) -> tuple[Fields, bytes]:
        """A whole response as it leaves."""
        if self.squeezes == "off" or not is_worth_it(body) or not gains(fields):
            return fields, body
        return squeezed_fields(fields), Squeeze().last(body)

    def _squeezed_head(self, fields: Fields) -> Fields:
        """The head of a response of unknown length as it leaves; `_squeeze` is for what follows."""
        if self.squeezes != "all" or not gains(fields):
            return fields
        self._squeeze = Squeeze()
        return squeezed_fields(fields)

    def _done(self) -> None:
        """Closed, for whatever reason: forget who listened, tell who counts."""
        self.closed = True
        self.listener = None
        self._drop_stall()
        on_done, self.on_done = self.on_done, None
        if on_done is not None:
            on_done(self)

    def _drop_stall(self) -> None:
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None
