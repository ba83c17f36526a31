"""One request and its whole answer, for whatever is not a stream (model lists, error bodies)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import msgspec

from headrace.core.chunk import Failure
from headrace.errors import HeadraceError, StreamTimeoutException, WireError
from headrace.transport.http import CONNECT_S, Call, HttpRequest, Sender

MAX_BODY_BYTES = 8 * 1024 * 1024


class HttpResponse(msgspec.Struct, frozen=True):
    """A complete response. headers: names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Collector:
    """A receiver that keeps a body up to a bound, then resolves a future."""

    __slots__ = ("_future", "_headers", "_left_bytes", "_max_body_bytes", "_parts", "_status", "call")

    def __init__(self, future: asyncio.Future[HttpResponse], max_body_bytes: int) -> None:
        self._future = future
        self._max_body_bytes = self._left_bytes = max_body_bytes
        self._status = 0
        self._headers: Mapping[str, str] = {}
        self._parts: list[bytes] = []
        self.call: Call | None = None

    def head(self, status: int, headers: Mapping[str, str], /) -> None:
        self._status, self._headers = status, headers

    def data(self, data: bytes, /) -> None:
        self._left_bytes -= len(data)
        if self._left_bytes >= 0:
            self._parts.append(data)
            return
        if self.call is not None:
            self.call.cancel()
        self._end(WireError(f"the response exceeds {self._max_body_bytes} bytes", code="body_too_large"))

    def done(self) -> None:
        self._end(HttpResponse(self._status, self._headers, b"".join(self._parts)))

    def lost(self, failure: Failure, /) -> None:
        self._end(failure.error())

    def _end(self, outcome: HttpResponse | HeadraceError) -> None:
        if self._future.done():
            return
        if isinstance(outcome, HeadraceError):
            self._future.set_exception(outcome)
        else:
            self._future.set_result(outcome)


async def fetch(
    sender: Sender,
    request: HttpRequest,
    *,
    connect_s: float = CONNECT_S,
    total_s: float = 60.0,
    max_body_bytes: int = MAX_BODY_BYTES,
) -> HttpResponse:
    """Send `request` and wait for all of the answer, whatever its status.

    total_s: for everything together. max_body_bytes: a longer body is a WireError (body_too_large).
    Raises: Unavailable, StreamTimeoutException (connect or total), Truncated, WireError, RequestError.
    """
    future: asyncio.Future[HttpResponse] = asyncio.get_running_loop().create_future()
    collector = Collector(future, max_body_bytes)
    call = collector.call = sender.send(request, collector, connect_s=connect_s)
    try:
        async with asyncio.timeout(total_s):
            return await future
    except TimeoutError as error:
        if isinstance(error, HeadraceError):
            raise
        raise StreamTimeoutException(f"no whole response within {total_s:g} s", code="total") from error
    finally:
        call.cancel()
