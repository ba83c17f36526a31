"""The process around the server: uvicorn is the frame (loop, signals, lifespan), the drain is ours."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from types import FrameType
from typing import Unpack

import uvicorn

from headrace.core.model import ModelCard
from headrace.errors import ConfigError
from headrace.server import (
    about,
    audio,
    health,
    metrics,
    models,
    openai_chat,
    openapi,
    others,
    responses,
    streams,
    ui_resume,
)
from headrace.server.app import App, Runtime
from headrace.server.asgi import AsgiApp
from headrace.server.collector import quieten_collector
from headrace.server.dialects import error_body_of
from headrace.server.direct import DirectProtocol
from headrace.server.door import Door
from headrace.server.listen import bind, is_loopback, url_of
from headrace.server.options import AppOptions

logger = logging.getLogger("headrace.server")
_FLUSH_S = 2.0


def make_app(runtime: Runtime, **options: Unpack[AppOptions]) -> App:
    """The server with every endpoint, without sockets. options: see `AppOptions`."""
    app = App(runtime, **options)
    app.error_body_of = error_body_of
    rooms = (
        health,
        openai_chat,
        others,
        audio,
        models,
        about,
        streams,
        responses,
        ui_resume,
        metrics,
        openapi,
    )
    for room in rooms:
        room.install(app)
    return app


def asgi_app(runtime: Runtime, **options: Unpack[AppOptions]) -> AsgiApp:
    """The same server as an ASGI application, to mount or run under any ASGI server."""
    return AsgiApp(make_app(runtime, **options))


class RunningServer:
    """A server in the running loop. url: http://host:port. app: its counters and what is live."""

    def __init__(self, app: App, url: str, frame: Frame) -> None:
        self.app = app
        self.url = url
        self._frame = frame

    @property
    def connections(self) -> int:
        """Client connections open now."""
        return len(self._frame.server_state.connections)

    def stop(self) -> None:
        """Begin the graceful shutdown; the `async with` block that lent the server waits for its end."""
        self._frame.stop()


class Frame(uvicorn.Server):
    """uvicorn's server, with a drain that knows streams without a task, and no polling."""

    def __init__(self, app: App, *, takes_signals: bool) -> None:
        super().__init__(
            uvicorn.Config(
                AsgiApp(app),
                http=DirectProtocol,
                ws="none",
                lifespan="on",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
            )
        )
        self.app = app
        self._takes_signals = takes_signals
        self._stop = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self.ready = asyncio.Event()

    def stop(self) -> None:
        """Begin the graceful shutdown."""
        self.should_exit = True
        self._stop.set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)
        self.ready.set()

    async def main_loop(self) -> None:
        while not await self.on_tick(0):  # which also renews the date header
            try:
                async with asyncio.timeout(1.0):
                    await self._stop.wait()
            except TimeoutError:
                continue

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        await self.app.drain(self.app.limits.drain_s)
        for connection in list(self.server_state.connections):
            connection.shutdown()
        await self._flush()
        await self.lifespan.shutdown()

    async def _flush(self) -> None:
        """Let the last bytes leave; whoever does not read them is cut off."""
        wait_s = 0.0
        while self.server_state.connections and wait_s < _FLUSH_S:
            await asyncio.sleep(wait_s / 4)
            wait_s = max(0.002, wait_s * 1.25)
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        if self.server_state.connections:
            await asyncio.sleep(0)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        if not self._takes_signals:
            yield
            return
        with super().capture_signals():
            yield
            # uvicorn would raise them again, and Ctrl-C would end in a traceback; they have been obeyed.
            self._captured_signals.clear()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self.should_exit:
            self.force_exit = True  # asked twice: wait no longer
        self.should_exit = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._poke)

    def _poke(self) -> None:
        self._stop.set()
        if self.force_exit:
            self.app.hurry()


def serve(
    runtime: Runtime,
    *,
    host: str = "127.0.0.1",
    port: int = 8787,
    open_to_all: bool = False,
    announce: Callable[[str], None] = logger.info,
    on_end: Callable[[], Coroutine[None, None, None]] | None = None,
    **options: Unpack[AppOptions],
) -> None:
    """Serve until SIGINT or SIGTERM, then drain (a second signal waits no longer) and return.

    announce: takes the lines that tell a person where the server is. open_to_all: even without keys, where
    others than this machine can reach the address. on_end: awaited in the server's loop after the last
    answer, such as the runtime's `aclose`. options: see `AppOptions`.
    Raises: ConfigError where host and port cannot be listened on, or others could use them without keys.
    """
    app = make_app(runtime, **options)
    sockets = bind(host, port)
    if not open_to_all:
        _check_keys(sockets, app.door)
    _allow_many_files()
    frame = Frame(app, takes_signals=True)
    try:
        with asyncio.Runner(loop_factory=frame.config.get_loop_factory()) as runner:
            try:
                runner.run(app.open())  # first: whoever reads the greeting may ask
                for line in greeting(sockets, app):
                    announce(line)
                quieten_collector()
                runner.run(frame.serve(sockets))
            finally:
                if on_end is not None:
                    runner.run(on_end())
    finally:
        for sock in sockets:
            sock.close()


@asynccontextmanager
async def running_server(
    runtime: Runtime,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    **options: Unpack[AppOptions],
) -> AsyncIterator[RunningServer]:
    """A server inside the running loop, for tests and for programs that embed one. Drained on exit.

    options: see `AppOptions`.
    Raises: ConfigError where host and port cannot be listened on.
    """
    app = make_app(runtime, **options)
    sockets = bind(host, port)
    await app.open()
    frame = Frame(app, takes_signals=False)
    url = url_of(sockets[0])
    serving = asyncio.create_task(frame.serve(sockets))
    waiting = asyncio.create_task(frame.ready.wait())
    try:
        await asyncio.wait({serving, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if not serving.done():
            yield RunningServer(app, url, frame)
    finally:
        frame.stop()
        await serving
        for sock in sockets:
            sock.close()


def _check_keys(sockets: Sequence[socket.socket], door: Door) -> None:
    """Raises ConfigError where anyone could use the models."""
    if is_loopback(sockets) or door.keys is not None:
        return
    for sock in sockets:
        sock.close()
    raise ConfigError(
        "others can reach this address, and there are no API keys: make one with `headrace keys new`, or let "
        "anyone use the models with --no-keys",
        source="--host",
        field="host",
        code="keys_needed",
    )


def greeting(sockets: Sequence[socket.socket], app: App) -> Iterator[str]:
    """What a person is told at the start, a line each."""
    url = f"{url_of(sockets[0])}/v1"
    cards = app.runtime.models()
    needs_key = app.door.keys is not None
    yield f"Headrace serves at {url} (Ctrl-C stops it)"
    yield f"models: {', '.join(_named(card) for card in cards)}"
    able = [card for card in cards if card.state != "not installed"]
    if able:
        model = next((alias for card in able for alias in card.aliases), able[0].id)
        body = f'{{"model": "{model}", "stream": true, "messages": [{{"role": "user", "content": "Hello"}}]}}'
        key = "-H 'authorization: Bearer YOUR_KEY' " if needs_key else ""
        yield f"try: curl -N {url}/chat/completions {key}-H 'content-type: application/json' -d '{body}'"
    if not needs_key and not is_loopback(sockets):
        yield "warning: others can reach this address without a key: anyone may use the models"


def _named(card: ModelCard) -> str:
    beside = [*card.aliases, *([card.state] if card.state != "ready" else [])]
    return f"{card.id} ({', '.join(beside)})" if beside else card.id


def _allow_many_files() -> None:
    """Each stream needs a socket or two; the usual soft limit of 1,024 files would end at 500 streams."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65_536 if hard == resource.RLIM_INFINITY else min(hard, 65_536)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
