"""The house as `headrace serve` builds it of a headrace.toml, the places behind it, and clients before it.

All of it lives in one loop on a virtual clock: time moves when everything waits, so a stall of minutes costs
nothing, and a clock of the house never runs out because the machine is slow.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from headrace.config import load_config
from headrace.dispatch.runtime import Runtime
from headrace.server.limits import Limits
from headrace.server.serve import RunningServer, running_server
from headrace.sessions.table import Sessions
from headrace.testing.clock import VirtualClockLoop
from tests.faults.speech import SPEECHES
from tests.faults.upstream import Upstream, scripted_upstream
from tests.matrix import script
from tests.matrix.clients import CLIENTS
from tests.matrix.clients.base import Talk

CLOCK_S = 5.0  # each of the four
LIMITS = Limits(drain_s=2.0, keepalive_after_s=60.0)  # no comment before a clock runs out
QUIET_S = 0.01  # a clock of the house runs out after several of them
_SETTLE_S = 20.0
_TURNS = 30  # of the loop: most cells are over by then, and the clock need not move


class FaultLoop(VirtualClockLoop):
    """Names under .invalid are known to nobody, without asking the machine's resolver."""

    def __init__(self) -> None:
        super().__init__(quiet_s=QUIET_S)

    async def getaddrinfo(self, host: Any, port: Any, **more: Any) -> Any:
        if str(host).endswith(".invalid"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return await super().getaddrinfo(host, port, **more)


class Baseline(NamedTuple):
    """What the process holds: tasks, and open files and sockets less those of clients to the server."""

    tasks: frozenset[asyncio.Task[Any]]
    files: int


def open_files(port: int) -> int:
    """How many files and sockets are open, less the connections to `port`, which clients keep; 0 where the
    system does not tell."""
    if not os.path.isdir("/proc/self/fd"):
        return 0
    return sum(not _is_to(int(number), port) for number in os.listdir("/proc/self/fd"))


def _is_to(number: int, port: int) -> bool:
    """Whether a file is one of the two ends of a connection to `port`."""
    try:
        end = socket.socket(fileno=number)
    except OSError:  # no socket
        return False
    try:
        return end.family == socket.AF_INET and port in (end.getsockname()[1], end.getpeername()[1])
    except OSError:  # it listens, or is not connected any more
        return False
    finally:
        end.detach()


class Rig:
    """server: the one of all cells that need none of their own. folder: for files."""

    def __init__(
        self, upstream: Upstream, runtime: Runtime, server: RunningServer, folder: Path, stack: AsyncExitStack
    ) -> None:
        self.upstream = upstream
        self.runtime = runtime
        self.server = server
        self.folder = folder
        self._stack = stack
        self._talks: dict[str, Talk] = {}

    @staticmethod
    def model(wire: str, place: str = "place") -> str:
        """The id of the model that a place of the wire has."""
        return f"{wire}_{place}/{script.MODEL}"

    async def talk(self, client: str) -> Talk:
        """The official client of a wire, connected to the server."""
        if client not in self._talks:
            self._talks[client] = await self._stack.enter_async_context(
                CLIENTS[client].connected(self.server.url)
            )
        return self._talks[client]

    @asynccontextmanager
    async def serving(
        self, sessions: Sessions | None = None, limits: Limits = LIMITS
    ) -> AsyncIterator[RunningServer]:
        """A server of one's own over the same places."""
        async with running_server(self.runtime, sessions=sessions, limits=limits) as server:
            yield server

    def baseline(self) -> Baseline:
        """What is held now."""
        return Baseline(frozenset(asyncio.all_tasks()), open_files(urlsplit(self.server.url).port or 0))

    async def settled(self, before: Baseline) -> None:
        """Wait until nothing of the cell is left. Raises AssertionError naming what is."""
        for _ in range(_TURNS):
            if not self._left(before):
                return
            await asyncio.sleep(0)
        try:
            async with asyncio.timeout(_SETTLE_S):
                while self._left(before):
                    await asyncio.sleep(_SETTLE_S / 200)
        except TimeoutError:
            raise AssertionError(f"left behind: {self._left(before)}") from None

    def _left(self, before: Baseline) -> list[str]:
        now = self.baseline()
        app = self.server.app
        left = {
            "exchanges": len(app.live),
            "sessions": len(app.sessions.live),
            "upstream sockets": self.upstream.open,
            "tasks": len(now.tasks - before.tasks),
            "files": max(0, now.files - before.files),
            "connections": max(0, self.server.connections - len(self._talks)),
        }
        return [f"{count} {name}" for name, count in left.items() if count]


def config_text(upstream: Upstream, refused: str) -> str:
    """A headrace.toml with the places of every wire. refused: where nothing listens."""
    clocks = ("connect_s", "first_token_s", "idle_s", "total_s")
    lines = ["[clocks]", *(f"{name} = {CLOCK_S * (100 if name == 'total_s' else 1)}" for name in clocks)]
    for wire, speech in SPEECHES.items():
        urls = {
            "place": upstream.url(wire),
            "refused": f"{refused}/{wire}",
            "nowhere": "http://nobody.invalid",
            "untrusted": upstream.untrusted_url(wire),
            "plaintext": upstream.plaintext_url(wire),
        }
        for place, url in urls.items():
            lines += [
                f"[providers.{wire}_{place}]",
                f'wire = "{wire}"',
                f'base_url = "{url}{speech.provider.base}"',
                'api_key = "the-places-own-key"',
            ]
            if wire == "openai_chat":
                lines.append('quirks = {reasoning_field = "reasoning_content"}')
    return "\n".join(lines) + "\n"


@asynccontextmanager
async def connected_rig(folder: Path) -> AsyncIterator[Rig]:
    """A rig for many cells; `folder`: for the configuration and logs."""
    async with AsyncExitStack() as stack:
        upstream = await stack.enter_async_context(scripted_upstream())
        taken = stack.enter_context(socket.socket())
        taken.bind(("127.0.0.1", 0))  # and no listen: whoever connects is refused
        file = folder / "headrace.toml"
        file.write_text(config_text(upstream, f"http://127.0.0.1:{taken.getsockname()[1]}"))
        runtime = Runtime(load_config(file))
        stack.push_async_callback(runtime.aclose)
        server = await stack.enter_async_context(running_server(runtime, limits=LIMITS))
        yield Rig(upstream, runtime, server, folder, stack)
