"""One engine's host: starts its worker when first needed, keeps the queue, restarts after a death.

States: idle (no worker), starting (weights, process, load), ready. Requests wait in one bounded queue; the
worker gets as many at once as it has slots.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import msgspec

from headrace.core.chunk import Chunk, Failure, Terminal
from headrace.errors import HeadraceError, RunnerError
from headrace.runners.process import WorkerProcess
from headrace.runners.shown import unavailable
from headrace.runners.watch import WorkerClocks

log = logging.getLogger("headrace.runners")

QUEUE_LIMIT = 32
DEFAULT_CLOCKS = WorkerClocks()
_BACKOFF_BASE_S, _BACKOFF_CAP_S = 0.5, 30.0


class Guest(Protocol):
    """A reply that wants to be computed."""

    job: msgspec.Raw
    credit: int
    run_id: int

    def begun(self, worker: WorkerProcess, run_id: int, /) -> None: ...

    def take(self, chunks: list[Chunk], /) -> None: ...

    def over(self, terminal: Terminal, /) -> None: ...


class EngineHost:
    """Owns one worker process of one engine.

    options: an awaitable that makes the load options ready (pulling weights where needed).
    queue_limit: replies that may wait for a slot; one more is refused with E501.
    clocks: how long the worker may be silent.
    """

    def __init__(
        self,
        name: str,
        place: str,
        options: Callable[[], Awaitable[dict[str, Any]]],
        *,
        queue_limit: int = QUEUE_LIMIT,
        clocks: WorkerClocks = DEFAULT_CLOCKS,
    ) -> None:
        self.name = name
        self._place = place
        self._options = options
        self._queue_limit = queue_limit
        self._clocks = clocks
        self._waiting: deque[Guest] = deque()
        self._running: set[int] = set()
        self._worker: WorkerProcess | None = None
        self._dying: set[WorkerProcess] = set()
        self._starting: asyncio.Task[None] | None = None
        self._failures = 0  # in a row: loads that failed, workers that died
        self._retry_at_s = 0.0
        self._last_error: HeadraceError | None = None
        self._closed = False

    @property
    def worker_pid(self) -> int:
        """Of the process that computes; 0 while there is none."""
        return self._worker.pid if self._worker is not None else 0

    @property
    def waiting(self) -> int:
        """Replies in the queue."""
        return len(self._waiting)

    @property
    def readers(self) -> int:
        """Replies under way in the worker."""
        return self._worker.readers if self._worker is not None else 0

    def submit(self, guest: Guest) -> None:
        """Compute `guest` when a slot is free. A refusal reaches its `over` on the loop's next turn."""
        refusal = self._refusal()
        if refusal is not None:
            asyncio.get_running_loop().call_soon(guest.over, unavailable(refusal))
            return
        self._waiting.append(guest)
        self._pump()

    def withdraw(self, guest: Guest) -> None:
        """Forget a guest that has not begun, or stop the one that has."""
        if guest.run_id:
            if self._worker is not None:
                self._worker.cancel(guest.run_id)
        elif guest in self._waiting:
            self._waiting.remove(guest)

    async def warm(self) -> None:
        """Load now. Raises what loading raises."""
        if self._closed:
            raise RunnerError(f"{self.name} is closed", code="E501", recoverable=False)
        if self._worker is None:
            self._begin_start()
        if self._starting is not None:
            await asyncio.shield(self._starting)
        if self._worker is None and self._last_error is not None:
            raise self._last_error

    @property
    def trouble(self) -> str:
        """What is known to be wrong without asking the worker, "" where nothing is."""
        if self._worker is not None:
            return self._worker.trouble
        return str(self._last_error or "")

    async def health(self) -> str:
        """Empty where all is well or nothing is loaded yet, else one sentence."""
        if self._worker is not None:
            return await self._worker.health()
        return str(self._last_error or "")

    async def aclose(self) -> None:
        """End the worker and every reply. Nothing is left running."""
        self._closed = True
        if self._starting is not None:
            self._starting.cancel()
            await asyncio.wait([self._starting])
        workers = [*self._dying, *([self._worker] if self._worker is not None else [])]
        for worker in workers:
            await worker.close()
        self._dying.clear()
        self._fail_waiting(RunnerError(f"{self.name} was closed", code="E501", recoverable=False))

    def _refusal(self) -> HeadraceError | None:
        if self._closed:
            return RunnerError(f"{self.name} is closed", code="E501", recoverable=False)
        if len(self._waiting) >= self._queue_limit:
            text = f"{self.name} is busy: {len(self._waiting)} requests wait already"
            return RunnerError(text, code="E501", retryable=True, http_status=503)
        if self._worker is None and self._starting is None and time.monotonic() < self._retry_at_s:
            return self._last_error
        return None

    def _pump(self) -> None:
        worker = self._worker
        if worker is None:
            if self._waiting and not self._closed:
                self._begin_start()
            return
        while self._waiting and len(self._running) < worker.facts.slots:
            guest = self._waiting.popleft()
            reader = _Slot(self, guest)
            try:
                reader.run_id = worker.run(guest.job, reader, guest.credit)
            except Exception as error:  # noqa: BLE001 - one guest's fault is not its neighbours'
                self._unsent(guest, error)
                continue
            self._running.add(reader.run_id)
            guest.begun(worker, reader.run_id)

    def _unsent(self, guest: Guest, error: Exception) -> None:
        log.exception("%s: a request could not be sent to the engine", self.name)
        failure = RunnerError(f"the request could not be sent to the engine: {type(error).__name__}: {error}")
        # On the next turn: the guest may be in the middle of its `start`.
        asyncio.get_running_loop().call_soon(guest.over, Failure.of(failure))

    def freed(self, run_id: int, *, well: bool) -> None:
        """A reply is over; its slot is free."""
        self._running.discard(run_id)
        if well:
            self._failures = 0
        self._pump()

    def _begin_start(self) -> None:
        if self._starting is None:
            self._starting = asyncio.get_running_loop().create_task(self._start())

    async def _start(self) -> None:
        worker = WorkerProcess(self._died, self._clocks)
        try:
            options = await self._options()
            await self._load(worker, options)
        except HeadraceError as error:
            self._failed(error)
        except Exception as error:  # noqa: BLE001 - whoever waits must hear of it, whatever it was
            self._failed(
                RunnerError(f"{self.name} cannot start: {type(error).__name__}: {error}", code="E501")
            )
        else:
            self._worker = worker
            self._last_error = None
            log.info("%s loaded in %.2f s (process %d)", self.name, worker.facts.load_s, worker.pid)
        finally:
            self._starting = None
        self._pump()

    async def _load(self, worker: WorkerProcess, options: dict[str, Any]) -> None:
        try:
            await worker.start(self._place, options)
        except HeadraceError:
            self._back_off()
            raise

    def _failed(self, error: HeadraceError) -> None:
        self._last_error = error
        log.warning("%s cannot load: %s", self.name, error)
        self._fail_waiting(error)

    def _fail_waiting(self, error: HeadraceError) -> None:
        guests, self._waiting = self._waiting, deque()
        for guest in guests:
            guest.over(unavailable(error))

    def _back_off(self) -> None:
        """The first failure is tried again at once; each further one in a row waits twice as long."""
        self._failures += 1
        if self._failures > 1:
            wait_s = min(_BACKOFF_CAP_S, _BACKOFF_BASE_S * 2 ** (self._failures - 2))
            self._retry_at_s = time.monotonic() + wait_s

    def _died(self, worker: WorkerProcess) -> None:
        """The worker's socket closed. Its replies hear of it from the worker itself."""
        self._dying.add(worker)
        asyncio.get_running_loop().create_task(self._buried(worker))
        if worker is not self._worker:
            return
        self._worker = None
        self._running.clear()
        if not self._closed:
            self._back_off()
            why = worker.why or f"it keeps dying: {worker.log.tail()}"
            self._last_error = RunnerError(f"{self.name}: {why}", code="E502")
            log.warning("%s: process %d ended. %s", self.name, worker.pid, worker.why or worker.log.tail())

    async def _buried(self, worker: WorkerProcess) -> None:
        await worker.close()
        self._dying.discard(worker)


class _Slot:
    """A guest in one of the worker's slots."""

    __slots__ = ("_guest", "_host", "late", "run_id", "take")

    def __init__(self, host: EngineHost, guest: Guest) -> None:
        self._host, self._guest, self.run_id = host, guest, 0
        self.take = guest.take
        self.late = guest.over  # the slot stays taken until the engine has let go of it

    def over(self, terminal: Terminal) -> None:
        self._host.freed(self.run_id, well=not isinstance(terminal, Failure))
        self._guest.over(terminal)
