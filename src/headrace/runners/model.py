"""A local model as the rest of the house sees it, and one of its replies as a source."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec

from headrace.core.chunk import Cancelled, Chunk, Terminal
from headrace.core.model import ModelCard, Opened, OpenedRelay, Sink
from headrace.core.request import Request
from headrace.runners.base import Planner
from headrace.runners.frames import packed
from headrace.runners.host import EngineHost
from headrace.runners.process import WorkerProcess

# Chunks of one reply that may be under way from the worker; a paused reader gets no more than these.
WINDOW_CHUNKS = 64


class LocalModel:
    """One engine's model. Nothing is pulled, started or loaded before the first reply is started."""

    def __init__(
        self,
        card: Callable[[], ModelCard],
        host: EngineHost,
        planner: Planner,
        count_planner: Planner | None = None,
    ) -> None:
        """count_planner: the job that only counts the prompt's tokens, where the engine has one."""
        self._card = card
        self._planner = planner
        self._count_planner = count_planner
        self.host = host

    @property
    def card(self) -> ModelCard:
        """Its state is read from the disk at each call."""
        card = self._card()
        return msgspec.structs.replace(card, loaded=True) if self.host.worker_pid else card

    def open(self, request: Request, /) -> Opened:
        """Raises RequestError for what the engine cannot be asked."""
        plan = self._planner(request)
        return Opened(LocalSource(self.host, plan.job), plan.warnings)

    def open_count(self, request: Request, /) -> Opened | None:
        """See `CountsTokens.open_count`. Loads the model, as a reply would."""
        if self._count_planner is None:
            return None
        plan = self._count_planner(request)
        return Opened(LocalSource(self.host, plan.job), plan.warnings)

    def open_relay(self, wire: str, body: bytes, include_usage: bool, /) -> OpenedRelay | None:
        """None: the engine speaks chunks."""
        return None

    async def warm(self) -> None:
        """Pull where needed, start and load now. Raises RunnerError (E500 download, E502 load, ...)."""
        await self.host.warm()

    async def health(self) -> str:
        """Empty where all is well or nothing is loaded yet, else one sentence."""
        return await self.host.health()

    async def aclose(self) -> None:
        """End the worker process; replies under way end with a failure."""
        await self.host.aclose()


class LocalSource:
    """One reply of a local engine. While paused, at most `WINDOW_CHUNKS` more arrive.

    Raises RequestError for a job that cannot be sent to the engine's process.
    """

    def __init__(self, host: EngineHost, job: dict[str, Any]) -> None:
        self.job = packed(job)
        self.credit = WINDOW_CHUNKS
        self.run_id = 0
        self._host = host
        self._sink: Sink[Chunk] | None = None
        self._worker: WorkerProcess | None = None
        self._started = self._cancelled = self._paused = False
        self._owed = 0  # chunks taken and not yet granted anew

    # The reader's side.

    def start(self, sink: Sink[Chunk], /) -> None:
        if self._started:
            raise RuntimeError("a source is started once")
        self._started = True
        self._sink = sink
        if self._cancelled:
            asyncio.get_running_loop().call_soon(self._end, Cancelled("cancelled before it began"))
        else:
            self._host.submit(self)

    def pause(self) -> None:
        self._paused = True

    def resume(self) -> None:
        self._paused = False
        self._grant()

    def cancel(self) -> None:
        if self._cancelled:
            return
        self._cancelled = True
        if self._sink is not None:
            self._host.withdraw(self)
            self._end(Cancelled("the reader stopped the stream"))

    # The host's side.

    def begun(self, worker: WorkerProcess, run_id: int, /) -> None:
        """It has a slot."""
        self._worker, self.run_id = worker, run_id

    def take(self, chunks: list[Chunk], /) -> None:
        """Chunks from the worker."""
        if self._sink is None:
            return  # cancelled: what was under way is dropped
        self._owed += len(chunks)
        self._sink.push(chunks)
        self._grant()

    def over(self, terminal: Terminal, /) -> None:
        """The worker, the queue or a failure ended it."""
        self._end(terminal)

    def _grant(self) -> None:
        # Half a window at once: a message to the worker for every 32 chunks, not for each.
        if self._paused or self._sink is None or self._worker is None or self._owed < WINDOW_CHUNKS // 2:
            return
        owed, self._owed = self._owed, 0
        self._worker.grant(self.run_id, owed)

    def _end(self, terminal: Terminal) -> None:
        sink, self._sink = self._sink, None
        self._worker = None
        if sink is not None:
            sink.end(terminal)
