"""The same endpoints as a plain ASGI application, for any ASGI server; slower, a task for each stream.

Under `direct.DirectProtocol` the object is only the frame that uvicorn wants to see (lifespan, config).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

from headrace.core.chunk import Failure
from headrace.errors import HeadraceError
from headrace.server.app import SHUTTING_DOWN, App
from headrace.server.exchange import Exchange, Fields
from headrace.server.problem import problem, problem_parts

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]


class AsgiExchange(Exchange):
    """An exchange whose bytes wait in a bounded outbox until `pump` has sent them."""

    __slots__ = (
        "_app",
        "_head",
        "_is_complete",
        "_outbox",
        "_outbox_bytes",
        "_task",
        "_wake",
        "is_cut",
    )

    def __init__(self, app: App, scope: Message, headers: dict[str, str], body: bytes) -> None:
        query = scope.get("query_string", b"").decode("latin-1")
        super().__init__(scope["method"], _path(scope), query, headers, body, app.wheel)
        self._app = app
        self._outbox: list[bytes] = []
        self._outbox_bytes = 0
        self._head: Message | None = None
        self._is_complete = False
        self._task = asyncio.current_task()
        self._wake = asyncio.Event()
        self.is_cut = False

    def respond(self, status: int, fields: Fields, body: bytes) -> None:
        if self.closed:
            return
        fields, body = self._squeezed_whole(fields, body)
        self._begin(status, (*fields, (b"content-length", b"%d" % len(body))))
        self.finish(body)

    def start(self, status: int, fields: Fields) -> None:
        if not self.closed:
            self._begin(status, self._squeezed_head(fields))

    def _begin(self, status: int, fields: Fields) -> None:
        self.status = status
        headers = [(name, value) for name, value in (*self._own_fields(), *fields)]
        self._head = {"type": "http.response.start", "status": status, "headers": headers}

    def write(self, data: bytes) -> None:
        if self.closed:
            return
        if self._squeeze is not None:
            data = self._squeeze.piece(data)
        self.bytes_out += len(data)
        self._outbox.append(data)
        self._outbox_bytes += len(data)
        self._wake.set()
        if self._outbox_bytes > self._app.limits.write_buffer_bytes:
            self.hold(self._app.limits.slow_reader_s)

    def finish(self, data: bytes = b"") -> None:
        if self.closed:
            return
        if self._squeeze is not None:
            data = self._squeeze.last(data)
        if data and self.method != "HEAD":
            self.bytes_out += len(data)
            self._outbox.append(data)
        self._is_complete = True
        self._wake.set()
        self._done()

    def abort(self) -> None:
        # ASGI has no word for it: the application leaves an incomplete response and the server cuts it.
        self.is_cut = True
        if self._task is not None:
            self._task.cancel()

    def lose(self) -> None:
        super().lose()
        self._wake.set()

    async def begin(self, send: Send) -> None:
        """Send a head that waits, and no end: an answer that is cut has begun, else it would seem a bug."""
        if self._head is not None:
            await send(self._head)
            await send({"type": "http.response.body", "body": b"".join(self._outbox), "more_body": True})

    async def pump(self, send: Send) -> None:
        """Send what is written until the response is complete or its client is gone."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            if self.closed and not self._is_complete:
                return
            head, self._head = self._head, None
            if head is not None:
                await send(head)
            complete = self._is_complete
            data, self._outbox = b"".join(self._outbox), []
            self._outbox_bytes = 0
            await send({"type": "http.response.body", "body": data, "more_body": not complete})
            if complete:
                return
            self.go_on()


class AsgiApp:
    """`App` as an ASGI application. Lifespan's end drains; where a server has none, `app.drain` does."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)
        else:
            raise RuntimeError(f"nothing is served over {scope['type']!r}")

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                try:
                    await self.app.open()
                except HeadraceError as error:
                    await send({"type": "lifespan.startup.failed", "message": error.message})
                    return
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                await self.app.drain(self.app.limits.drain_s)
                await self.app.aclose()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _http(self, scope: Message, receive: Receive, send: Send) -> None:
        body = await _read_body(receive, self.app.limits.max_body_bytes, self.app.limits.body_s)
        if body is None:
            return  # the client went away before its request was complete
        if isinstance(body, Failure):
            await _refuse(send, body)
            return
        await self.app.open()  # where the server has no lifespan
        exchange = AsgiExchange(self.app, scope, _headers(scope), body)
        del body
        self.app.answer(exchange)
        if exchange.closed:
            await exchange.pump(send)
            return
        watch = asyncio.create_task(_watch(exchange, receive))
        try:
            await exchange.pump(send)
        except asyncio.CancelledError:
            if exchange.is_cut:
                await exchange.begin(send)
                return
            # The server waits no longer: the client still gets its error event.
            exchange.shut_down(SHUTTING_DOWN)
            await exchange.pump(send)
            raise
        finally:
            watch.cancel()
            exchange.lose()


async def _watch(exchange: AsgiExchange, receive: Receive) -> None:
    """See the client go away."""
    while (await receive())["type"] != "http.disconnect":
        pass
    exchange.lose()


async def _read_body(receive: Receive, max_bytes: int, body_s: float) -> bytes | Failure | None:
    body = bytearray()
    try:
        async with asyncio.timeout(body_s):
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    return None
                body += message.get("body", b"")
                if len(body) > max_bytes:
                    return problem(413, f"the body is longer than {max_bytes} bytes", "body_too_large")
                if not message.get("more_body", False):
                    return bytes(body)
    except TimeoutError:
        return problem(408, "the request did not come in time", "request_timeout")


async def _refuse(send: Send, failure: Failure) -> None:
    status, fields, body = problem_parts(failure)
    headers = [*fields, (b"content-length", b"%d" % len(body)), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _headers(scope: Message) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return headers


def _path(scope: Message) -> str:
    """The path below where the application is mounted."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    return path[len(root) :] or "/" if root and path.startswith(root) else path
