"""The child process: one engine, its requests, one socket to the parent. Nothing here knows any engine.

Run as `python -m headrace.runners.worker PLACE FD [--die-with-parent]`. It ends when the socket does.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Sequence
from typing import assert_never

import msgspec

from headrace.core.chunk import Cancelled, Chunk, Failure, Terminal
from headrace.errors import HeadraceError, RunnerError
from headrace.runners.base import Engine, Wedged, engine_at
from headrace.runners.frames import (
    Ask,
    Batch,
    Cancel,
    Credit,
    Down,
    End,
    FrameReader,
    GivenUp,
    Health,
    Load,
    Loaded,
    LoadFailed,
    Ping,
    Pong,
    Progress,
    Run,
    Up,
    down,
    encoded,
)
from headrace.runners.shown import without_folders

_PR_SET_PDEATHSIG = 1
_LEAVE_S = 1.0  # to leave by the loop, the usual way, once the parent is gone
_PROGRESS_S = 1.0  # a reply tells no more than one sign of life in this time


class Reply:
    """One reply under way: its task and the chunks it may still send."""

    def __init__(self, credit: int) -> None:
        self.credit = credit
        self.begun = self.cancelled = False
        self.told_s = 0.0  # when its last sign of life was sent
        self.granted = asyncio.Event()
        self.task: asyncio.Task[None] | None = None


class Worker:
    """Takes messages from the parent, runs the engine, sends chunks back."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.replies: dict[int, Reply] = {}
        self.writer: asyncio.StreamWriter | None = None
        self._checks: set[asyncio.Task[None]] = set()

    async def serve(self, sock: socket.socket) -> None:
        """Until the parent closes its end."""
        reader, self.writer = await asyncio.open_connection(sock=sock)
        frames = FrameReader()
        while data := await reader.read(262_144):
            for body in frames.feed(data):
                self._take(down(body))

    def _send(self, message: Up) -> None:
        assert self.writer is not None  # set before the first message is read
        if not self.writer.is_closing():
            self.writer.write(encoded(message))

    def _take(self, message: Down) -> None:
        match message:
            case Run():
                reply = self.replies[message.id] = Reply(message.credit)
                reply.task = asyncio.create_task(self._run(message, reply))
            case Credit():
                if (known := self.replies.get(message.id)) is not None:
                    known.credit += message.more
                    known.granted.set()
            case Cancel():
                self._cancel(self.replies.get(message.id))
            case Load():
                self._load(message)
            case Ask():
                check = asyncio.create_task(self._tell_health())
                self._checks.add(check)
                check.add_done_callback(self._checks.discard)
            case Ping():
                self._send(Pong())
            case _:
                assert_never(message)

    def _cancel(self, reply: Reply | None) -> None:
        if reply is None or reply.task is None:
            return
        reply.cancelled = True
        # A task that is cancelled before its first turn never runs at all, and would never tell its end.
        if reply.begun:
            reply.task.cancel()

    def _load(self, message: Load) -> None:
        try:
            # On the loop's own thread: there is nothing else to do before the model is there.
            facts = self.engine.load(message.options)
        except HeadraceError as error:
            self._send(LoadFailed(Failure.of(error)))
        except Exception as error:  # noqa: BLE001 - whatever the engine raised, the parent must hear of it
            self._send(LoadFailed(Failure.of(_load_error(error))))
        else:
            self._send(Loaded(facts))

    async def _tell_health(self) -> None:
        self._send(Health(await self.engine.health()))

    def _tell_progress(self, id: int, reply: Reply) -> None:
        now_s = time.monotonic()
        if now_s - reply.told_s >= _PROGRESS_S:
            reply.told_s = now_s
            self._send(Progress(id))

    async def _run(self, message: Run, reply: Reply) -> None:
        async def emit(chunks: Sequence[Chunk]) -> None:
            if not chunks:
                self._tell_progress(message.id, reply)
                return
            self._send(Batch(message.id, list(chunks)))
            reply.credit -= len(chunks)
            while reply.credit <= 0:
                reply.granted.clear()
                await reply.granted.wait()

        terminal: Terminal
        given_up = ""
        try:
            reply.begun = True
            if reply.cancelled:
                raise asyncio.CancelledError
            terminal = await self.engine.run(msgspec.msgpack.decode(message.job), emit)
        except asyncio.CancelledError:
            terminal = Cancelled("the reader stopped the stream")
        except HeadraceError as error:
            terminal = Failure.of(error)
        except Wedged as wedged:
            terminal = Failure.of(wedged.error)
            given_up = str(wedged)
        except Exception as error:  # noqa: BLE001 - an engine's fault is the stream's failure, not the worker's
            text = without_folders(f"the engine raised {type(error).__name__}: {error}")
            terminal = Failure.of(RunnerError(text))
        del self.replies[message.id]
        self._send(End(message.id, terminal))
        if given_up:
            self._send(GivenUp(given_up))


def _load_error(error: Exception) -> RunnerError:
    return RunnerError(f"the engine could not load: {type(error).__name__}: {error}", code="E502")


def _die_with_parent() -> None:
    """Linux: the kernel kills us with the thread that started us, even while native code holds the loop."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _die_with_socket(fd: int) -> None:
    """A thread that ends the process soon after the parent's end closed, whatever holds the loop meanwhile.

    The signal above is Linux's, and comes only where the parent's main thread started us.
    """

    def wait() -> None:
        poll = select.poll()
        poll.register(fd, getattr(select, "POLLRDHUP", 0))  # a hang-up is always told
        poll.poll()
        time.sleep(_LEAVE_S)
        os._exit(0)

    threading.Thread(target=wait, daemon=True).start()


def main(argv: Sequence[str]) -> None:
    """The process's whole life."""
    place, fd = argv[0], int(argv[1])
    if "--die-with-parent" in argv:
        _die_with_parent()
    _die_with_socket(fd)
    sock = socket.socket(fileno=fd)
    sock.setblocking(False)
    engine = engine_at(place)
    asyncio.run(Worker(engine).serve(sock))
    # Native threads may still be at work on a reply nobody reads: leave without waiting for them.
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
