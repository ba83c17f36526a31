"""The parent's end of a worker: start it, load it, send replies out to their readers, notice its death."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol, TypeVar, assert_never

import msgspec

from headrace.core.chunk import Chunk, Failure, Terminal
from headrace.errors import HeadraceError, RunnerError
from headrace.runners.base import Facts
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
    encoded,
    up,
)
from headrace.runners.watch import Watch, WorkerClocks

T = TypeVar("T")

LOG_LINES = 60  # of what the worker wrote to stderr, kept to explain a failure
_HEALTH_S = 10.0
_LOOK_S = 0.01
_STOP_S = 2.0  # a worker that does not leave by itself in this time is killed


class Reader(Protocol):
    """Who gets one reply's chunks. `late`: a clock ran out; the engine is stopped, and `over` follows."""

    def late(self, failure: Failure, /) -> None: ...

    def take(self, chunks: list[Chunk], /) -> None: ...

    def over(self, terminal: Terminal, /) -> None: ...


class WorkerLog(asyncio.Protocol):
    """The last lines of the worker's stderr, bounded."""

    def __init__(self) -> None:
        self.lines: deque[str] = deque(maxlen=LOG_LINES)
        self._part = b""

    def data_received(self, data: bytes) -> None:
        *ends, part = (self._part + data).split(b"\n")
        self._part = part[-2000:]
        self.lines.extend(line[-2000:].decode("utf-8", "replace") for line in ends)

    def tail(self, lines: int = 5) -> str:
        """The last lines that say something, joined by " | "."""
        said = [line.strip() for line in [*self.lines, self._part.decode("utf-8", "replace")] if line.strip()]
        return " | ".join(said[-lines:])


class WorkerProcess(asyncio.Protocol):
    """One child process with one engine. Everything here runs on the loop that started it."""

    def __init__(self, on_death: Callable[[WorkerProcess], None], clocks: WorkerClocks) -> None:
        self.log = WorkerLog()
        self.facts = Facts(0)
        self.why = ""  # it was killed, one sentence
        self._on_death = on_death
        self._clocks = clocks
        self._watch: Watch[Reader] = Watch(clocks)
        self._timer: asyncio.TimerHandle | None = None
        self._ids = 0
        self._asked: deque[asyncio.Future[str]] = deque()
        self._frames = FrameReader()
        self._loop = asyncio.get_running_loop()
        self._loaded: asyncio.Future[Facts] = self._loop.create_future()
        self._transport: asyncio.Transport | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._log_transport: asyncio.BaseTransport | None = None
        self._reaped: asyncio.Task[None] | None = None
        self._folder = ""

    @property
    def pid(self) -> int:
        """Of the child; 0 before it was started."""
        return self._process.pid if self._process is not None else 0

    async def start(self, place: str, options: dict[str, Any]) -> Facts:
        """Start the child and load the engine. Raises RunnerError (E502 and what the engine says)."""
        self._folder = tempfile.mkdtemp(prefix="hr-")  # 0700: only this user can reach the engine's socket
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = _spawned(place, theirs.fileno())
        try:
            stderr = self._process.stderr
            assert stderr is not None  # asked for above
            self._log_transport, _ = await self._loop.connect_read_pipe(lambda: self.log, stderr)
            ours.setblocking(False)
            self._transport, _ = await self._loop.create_connection(lambda: self, sock=ours)
            self._send(Load({**options, "socket_path": os.path.join(self._folder, "engine.sock")}))
            async with asyncio.timeout(self._clocks.load_s):
                self.facts = await asyncio.shield(self._loaded)
        except TimeoutError as error:
            await self.close()
            text = f"the engine did not load in {self._clocks.load_s:g} s"
            raise self._explained(RunnerError(text, code="E502")) from error
        except BaseException:
            ours.close() if self._transport is None else self._transport.abort()
            await self.close()
            raise
        return self.facts

    def run(self, job: msgspec.Raw, reader: Reader, credit: int) -> int:
        """Begin one reply; its number, for `grant` and `cancel`. Where it raises, nothing was begun."""
        id = self._ids + 1
        self._send(Run(id, job, credit))
        self._ids = id
        self._watch.begin(id, reader, credit)
        if self._timer is None:
            self._timer = self._loop.call_later(self._clocks.tick_s, self._tick)
        return id

    @property
    def readers(self) -> int:
        """Replies under way."""
        return len(self._watch.replies)

    @property
    def ticking(self) -> bool:
        """Whether a timer runs."""
        return self._timer is not None

    @property
    def trouble(self) -> str:
        """What is known to be wrong without asking, "" where nothing is."""
        silent_s = self._watch.silent_s
        if self.why or silent_s < 2 * self._clocks.tick_s:
            return self.why
        return f"the local engine's process has not answered for {silent_s:g} s"

    def grant(self, id: int, more: int) -> None:
        """Let the worker send `more` chunks of reply `id`."""
        self._send(Credit(id, more))
        self._watch.granted(id, more)

    def cancel(self, id: int) -> None:
        """Stop reply `id`. Its reader hears the end when its slot is free."""
        self._send(Cancel(id))
        self._watch.stopped(id)

    async def health(self) -> str:
        """Empty where the engine is well, else one sentence."""
        asked: asyncio.Future[str] = self._loop.create_future()
        self._asked.append(asked)
        self._send(Ask())
        try:
            async with asyncio.timeout(_HEALTH_S):
                return await asked
        except TimeoutError:
            said = f"the engine's process did not answer in {_HEALTH_S:.0f} s"
            if not self._watch.replies:
                self.kill(said)  # else its clocks judge: it may be the engine alone that is slow to tell
            return said

    def _told(self, said: str) -> None:
        asked = self._asked.popleft() if self._asked else None
        if asked is not None and not asked.done():
            asked.set_result(said)

    def _send(self, message: Down) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(encoded(message))

    def _tick(self) -> None:
        """The one timer. It runs while there are replies to wait for."""
        self._timer = None
        if not self._watch.replies:
            self._watch.heard()
            return
        late, why = self._watch.tick()
        for one in late:
            reader = self._watch.replies[one.id].reader
            self.cancel(one.id)
            self._tell(reader.late, Failure.of(one.error))
        if why:
            self.kill(why)
        else:
            self._send(Ping())
            self._timer = self._loop.call_later(self._clocks.tick_s, self._tick)

    # The socket's side.

    def data_received(self, data: bytes) -> None:
        self._watch.heard()
        try:
            messages = [up(body) for body in self._frames.feed(data)]
        except ValueError as error:  # msgspec's errors are ValueErrors too
            self.log.lines.append(f"the worker sent what cannot be read: {error}")
            if self._transport is not None:
                self._transport.abort()
            return
        for message in messages:
            match message:
                case Batch():
                    self._hand_on(message)
                case End():
                    self._end(message)
                case Progress():
                    self._watch.progress(message.id)
                case _:
                    self._learn(message)

    def _learn(self, message: Pong | Health | GivenUp | Loaded | LoadFailed) -> None:
        """News of the process itself."""
        match message:
            case Pong():
                pass  # that something came is the answer
            case Health():
                self._told(message.said)
            case GivenUp():
                self.kill(message.why)
            case Loaded():
                self._settle(message.facts)
            case LoadFailed():
                self._settle(self._explained(message.failure.error()))
            case _:
                assert_never(message)

    def _hand_on(self, batch: Batch) -> None:
        reply = self._watch.replies.get(batch.id)
        if reply is None:
            self._unknown(batch.id)
            return
        reply.begun = True
        reply.credit -= len(batch.chunks)
        if not reply.stopping:
            reply.quiet_s = 0.0
        try:
            reply.reader.take(batch.chunks)
        except Exception as error:  # noqa: BLE001 - a reader's fault is not its neighbours'
            self._reader_raised(error)
            self.cancel(batch.id)

    def _end(self, end: End) -> None:
        reply = self._watch.replies.pop(end.id, None)
        if reply is None:
            self._unknown(end.id)
        else:
            self._tell(reply.reader.over, end.terminal)

    def _tell(self, hears: Callable[[T], None], terminal: T) -> None:
        try:
            hears(terminal)
        except Exception as error:  # noqa: BLE001 - as above
            self._reader_raised(error)

    def _reader_raised(self, error: Exception) -> None:
        context = {"message": "a reader of the local engine raised", "exception": error}
        self._loop.call_exception_handler(context)

    def _unknown(self, id: int) -> None:
        self.log.lines.append(f"the worker told of reply {id}, which nobody waits for")

    def connection_lost(self, error: Exception | None) -> None:
        self._settle(self._explained(RunnerError("the worker died while it loaded", code="E502")))
        if self._reaped is None:
            self._reaped = self._loop.create_task(self._reap())
        while self._asked:
            self._told("the engine's process died")
        replies = list(self._watch.replies.values())
        self._watch.replies.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._on_death(self)
        why = self.why or "the local engine's process died"
        died = RunnerError(f"{why}; the next request starts a new one", retryable=True, http_status=503)
        for reply in replies:
            self._tell(reply.reader.over, Failure.of(died))

    def _settle(self, outcome: Facts | HeadraceError) -> None:
        if self._loaded.done():
            return
        if isinstance(outcome, Facts):
            self._loaded.set_result(outcome)
        else:
            self._loaded.set_exception(outcome)
            self._loaded.exception()  # whoever waited may be gone: not an error of its own

    def _explained(self, error: HeadraceError) -> HeadraceError:
        said = self.log.tail()
        if said:
            error.message = f"{error.message} (it said: {said})"
            error.args = (error.message,)
        return error

    # The end.

    def kill(self, why: str) -> None:
        """End the child at once, whatever it is at; its replies hear `why`."""
        self.why = self.why or why
        if self._process is not None:
            self._process.kill()
        if self._transport is not None:
            self._transport.abort()

    async def close(self) -> None:
        """End the child and free all it held. From any state, more than once."""
        if self._transport is not None:
            self._transport.close()
        if self._reaped is None:
            self._reaped = self._loop.create_task(self._reap())
        await asyncio.shield(self._reaped)

    async def _reap(self) -> None:
        """No zombie, no open pipe, no file left."""
        process = self._process
        if process is not None:
            await _ended(process)
        if self._log_transport is not None:
            self._log_transport.close()
        elif process is not None and process.stderr is not None:
            process.stderr.close()
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)


def _spawned(place: str, fd: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-P", "-m", "headrace.runners.worker", place, str(fd)]
    # Linux sends the signal when the *thread* that started the child ends: only the main one lives as long.
    if threading.current_thread() is threading.main_thread():
        command.append("--die-with-parent")
    return subprocess.Popen(  # noqa: S603 - our own module under our own interpreter
        command,
        pass_fds=(fd,),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, "OMP_WAIT_POLICY": "PASSIVE"},
        start_new_session=True,  # Ctrl-C at the terminal stops an answer, not the engine
    )


async def _ended(process: subprocess.Popen[bytes]) -> None:
    """Wait for the child by looking now and then: at interpreter exit no thread can be had to wait in."""
    deadline_s = time.monotonic() + _STOP_S
    while process.poll() is None:
        if time.monotonic() > deadline_s:
            process.kill()
        await asyncio.sleep(_LOOK_S)
