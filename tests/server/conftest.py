"""The carriers under which every endpoint must behave the same: our protocol, and ASGI servers."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import pytest
import uvicorn
import uvloop
from tests.store.servers import Server, valkey_server

from headrace.server.app import App, Runtime
from headrace.server.asgi import AsgiApp
from headrace.server.door import Door
from headrace.server.limits import Limits
from headrace.server.listen import bind, url_of
from headrace.server.serve import make_app, running_server
from headrace.sessions.table import Sessions


@dataclass
class Served:
    """A running server."""

    url: str
    app: App
    count_connections: Callable[[], int]
    stop: Callable[[], None]


Serve: TypeAlias = Callable[[Runtime, Limits, Sessions, Door | None], AbstractAsyncContextManager[Served]]


@dataclass
class Carrier:
    """One way to serve."""

    name: str
    serve: Serve
    loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None
    served: list[Served] = field(default_factory=list)

    @property
    def is_direct(self) -> bool:
        return self.name.startswith("direct")

    def run(self, main: Coroutine[Any, Any, None]) -> None:
        """Run a test's body; afterwards nothing it began may live on."""

        async def checked() -> None:
            await main
            for served in self.served:
                assert not served.app.live
                assert not served.app.sessions.live
                assert served.count_connections() == 0
            for _ in range(5):  # the openai client leaves its generators to the loop to close
                await asyncio.sleep(0)
            assert len(asyncio.all_tasks()) == 1

        with asyncio.Runner(loop_factory=self.loop_factory, debug=False) as runner:
            runner.run(checked())

    @asynccontextmanager
    async def serving(
        self,
        runtime: Runtime,
        limits: Limits | None = None,
        sessions: Sessions | None = None,
        door: Door | None = None,
    ) -> AsyncIterator[Served]:
        async with self.serve(runtime, limits or Limits(drain_s=2), sessions or Sessions(), door) as served:
            self.served.append(served)
            yield served


@asynccontextmanager
async def _direct(
    runtime: Runtime, limits: Limits, sessions: Sessions, door: Door | None
) -> AsyncIterator[Served]:
    async with running_server(runtime, limits=limits, sessions=sessions, door=door) as server:
        yield Served(server.url, server.app, lambda: server.connections, server.stop)


class _PlainServer(uvicorn.Server):
    """uvicorn as anybody runs it, less the signals and a tenth of a second of polling."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready, self.over = asyncio.Event(), asyncio.Event()
        self.capture_signals = contextlib.nullcontext  # type: ignore[method-assign,assignment]

    async def main_loop(self) -> None:
        self.ready.set()
        await self.over.wait()


def _asgi(http: str) -> Serve:
    @asynccontextmanager
    async def serve(
        runtime: Runtime, limits: Limits, sessions: Sessions, door: Door | None
    ) -> AsyncIterator[Served]:
        app = make_app(runtime, limits=limits, sessions=sessions, door=door)
        config = uvicorn.Config(
            AsgiApp(app),
            http=http,
            ws="none",
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=1,
        )
        server = _PlainServer(config)
        sockets = bind("127.0.0.1", 0)
        serving = asyncio.create_task(server.serve(sockets))
        await server.ready.wait()
        try:
            url = url_of(sockets[0])
            yield Served(url, app, lambda: len(server.server_state.connections), server.over.set)
        finally:
            server.over.set()
            await serving
            for sock in sockets:
                sock.close()

    return serve


_CARRIERS = {
    "direct": lambda: Carrier("direct", _direct),
    "direct-uvloop": lambda: Carrier("direct-uvloop", _direct, uvloop.new_event_loop),
    "asgi-h11": lambda: Carrier("asgi-h11", _asgi("h11")),
}


@pytest.fixture(params=list(_CARRIERS))
def carrier(request: pytest.FixtureRequest) -> Carrier:
    """Every way to serve."""
    return _CARRIERS[request.param]()


@pytest.fixture(params=["direct", "direct-uvloop"])
def direct(request: pytest.FixtureRequest) -> Carrier:
    """Our own protocol, for what only it promises."""
    return _CARRIERS[request.param]()


@pytest.fixture(scope="module")
def valkey() -> Iterator[Server]:
    with valkey_server() as server:
        yield server
