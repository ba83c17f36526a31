"""A source that plays a written script: the tests' workhorse, and the engine under every simulated model.

It keeps no thread and no task: one timer or one loop callback at a time, at most `batch` chunks a turn.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator

from headrace.core.chunk import TERMINALS, Cancelled, Chunk, Failure, Finish, Terminal
from headrace.core.model import Sink
from headrace.errors import HeadraceError, StreamGenerationException

FINISH = Finish()


class ScriptedSource:
    """Pushes `chunks` in order, then ends with `terminal`.

    chunks: read lazily, so a script may be long or endless; a terminal among them ends the script there.
    terminal: None never ends (a model that hangs) until `cancel`.
    first_delay_s: before the first chunk. interval_s: between two chunks that carry tokens; 0 is as fast as
    the loop turns. batch: chunks pushed in one turn of the loop at most.
    A script that raises ends the stream with that error as a `Failure`.
    Readings for tests: `pushed` (chunks given to the sink), `cancelled` (whether `cancel` was called),
    `paused`, `ended`.
    """

    def __init__(
        self,
        chunks: Iterable[Chunk],
        terminal: Terminal | None = FINISH,
        *,
        first_delay_s: float = 0.0,
        interval_s: float = 0.0,
        batch: int = 32,
    ) -> None:
        self._chunks: Iterator[Chunk] = iter(chunks)
        self._terminal = terminal
        self._due_s = first_delay_s  # on the loop's clock once started
        self._interval_s = interval_s
        self._batch = batch
        self._sink: Sink[Chunk] | None = None
        self._timer: asyncio.Handle | None = None
        self._silent = False  # the script is over and never ends
        self.pushed = 0
        self.paused = False
        self.cancelled = False
        self.ended = False

    def start(self, sink: Sink[Chunk], /) -> None:
        if self._sink is not None or self.ended:
            raise RuntimeError("a source is started once")
        self._sink = sink
        loop = asyncio.get_running_loop()
        self._due_s += loop.time()
        if self.cancelled:
            loop.call_soon(self._end, Cancelled("cancelled before it began"))
        elif not self.paused:
            self._schedule()

    def pause(self) -> None:
        self.paused = True
        self._drop_timer()

    def resume(self) -> None:
        if not self.paused:
            return
        self.paused = False
        if self._sink is not None and not self.ended:
            # The pace starts again from now: a reader that was slow gets no burst.
            if self._interval_s:
                self._due_s = max(self._due_s, asyncio.get_running_loop().time())
            self._schedule()

    def cancel(self) -> None:
        if self.cancelled or self.ended:
            return
        self.cancelled = True
        if self._sink is not None:
            self._end(Cancelled("the reader stopped the stream"))

    def _schedule(self) -> None:
        self._drop_timer()
        loop = asyncio.get_running_loop()
        if self._due_s > loop.time():
            self._timer = loop.call_at(self._due_s, self._turn)
        else:
            self._timer = loop.call_soon(self._turn)

    def _drop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _turn(self) -> None:
        """One turn of the loop: what is due now, bounded by `batch`."""
        self._timer = None
        batch, terminal = self._take()
        if batch and self._sink is not None:
            self.pushed += len(batch)
            self._sink.push(batch)
        if self.ended:
            return  # the sink cancelled us from inside its push
        if terminal is not None:
            self._end(terminal)
        elif not self.paused and not self._silent:
            self._schedule()

    def _take(self) -> tuple[list[Chunk], Terminal | None]:
        batch: list[Chunk] = []
        try:
            while len(batch) < self._batch and self._is_due():
                chunk = next(self._chunks, None)
                if chunk is None:
                    self._silent = self._terminal is None
                    return batch, self._terminal
                if isinstance(chunk, TERMINALS):
                    return batch, chunk
                batch.append(chunk)
                if self._interval_s and chunk.token_count:
                    self._due_s += self._interval_s
        except HeadraceError as error:
            return batch, Failure.of(error)
        except Exception as error:  # noqa: BLE001 - a script's own fault is the stream's failure
            wrapped = StreamGenerationException(f"the script raised {type(error).__name__}: {error}")
            return batch, Failure.of(wrapped)
        return batch, None

    def _is_due(self) -> bool:
        return not self._interval_s or self._due_s <= asyncio.get_running_loop().time()

    def _end(self, terminal: Terminal) -> None:
        sink, self._sink = self._sink, None
        self._drop_timer()
        self._chunks = iter(())
        if sink is not None and not self.ended:
            self.ended = True
            sink.end(terminal)
