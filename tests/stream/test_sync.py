"""The synchronous face: one background loop, bounded, cancellable, also inside a running loop."""

from __future__ import annotations

import asyncio
import contextvars
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from headrace.core.chunk import Cancelled, Chunk, Failure, Finish, TextDelta
from headrace.errors import RequestError, StreamCancelledException, Unavailable
from headrace.simulate.script import ScriptedSource
from headrace.stream.generation import GenerationStream
from headrace.stream.loop_thread import background_loop, stop_background_loop
from headrace.stream.sync import SyncStream, iterate_sync


class Source:
    """An async generator that tells whether it was closed, and how far it ran."""

    def __init__(self, count: int = 10_000_000, error: Exception | None = None, hang: bool = False) -> None:
        self.count, self.error, self.hang = count, error, hang
        self.made = 0
        self.closed = threading.Event()
        self.threads: set[str] = set()

    async def __call__(self) -> AsyncIterator[int]:
        try:
            for number in range(self.count):
                self.threads.add(threading.current_thread().name)
                self.made += 1
                yield number
                await asyncio.sleep(0)
            if self.error is not None:
                raise self.error
            if self.hang:
                await asyncio.Event().wait()
        finally:
            self.closed.set()


def until(condition: Callable[[], bool]) -> None:
    """Wait (at most 10 s) for what another thread does."""
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.001)


async def turns() -> None:
    """Turns of the background loop: enough for a source to go on, if it would."""
    for _ in range(100):
        await asyncio.sleep(0)


def texts(count: int) -> list[Chunk]:
    return [TextDelta(0, str(number)) for number in range(count)]


def test_a_plain_loop() -> None:
    source = Source(1000)
    assert list(iterate_sync(source)) == list(range(1000))
    assert source.closed.is_set()
    assert source.threads == {"headrace-sync"}


def test_streams_sources_and_awaitables() -> None:
    async def opened() -> GenerationStream:
        await asyncio.sleep(0)
        return GenerationStream.from_iterable("ab")

    assert list(iterate_sync(opened)) == [TextDelta(0, "a"), TextDelta(0, "b"), Finish()]
    assert list(iterate_sync(lambda: GenerationStream.from_iterable("ab").text)) == ["a", "b"]
    assert list(iterate_sync(lambda: ScriptedSource(texts(2)))) == texts(2)


def test_inside_a_running_loop() -> None:
    async def main() -> list[int]:
        return list(iterate_sync(Source(5)))

    assert asyncio.run(main()) == [0, 1, 2, 3, 4]


def test_the_callers_context_is_there() -> None:
    user: contextvars.ContextVar[str] = contextvars.ContextVar("user", default="nobody")
    user.set("me")

    async def who() -> AsyncIterator[str]:
        yield user.get()

    assert list(iterate_sync(who)) == ["me"]


def test_errors_are_raised_where_they_stand() -> None:
    boom = LookupError("boom")
    stream = iterate_sync(Source(2, error=boom))
    assert [next(stream), next(stream)] == [0, 1]
    with pytest.raises(LookupError) as caught:
        next(stream)
    assert caught.value is boom
    assert list(stream) == []
    failing = iterate_sync(lambda: ScriptedSource(texts(1), Failure.of(Unavailable("down"))))
    next(failing)
    with pytest.raises(Unavailable):
        next(failing)
    cancelled = iterate_sync(lambda: ScriptedSource([], Cancelled("shutdown")))
    with pytest.raises(StreamCancelledException, match="shutdown"):
        next(cancelled)


def test_what_make_raises_is_raised_at_the_first_read() -> None:
    refusal = RequestError("no", field="model", value=3)

    def make() -> Any:
        raise refusal

    stream: SyncStream[Any] = iterate_sync(make)
    with pytest.raises(RequestError) as caught:
        next(stream)
    assert caught.value is refusal
    wrong: SyncStream[Any] = iterate_sync(lambda: 3)  # type: ignore[arg-type,return-value]
    with pytest.raises(TypeError, match="int"):
        next(wrong)


def test_closing_stops_the_source_and_waits_for_it() -> None:
    source = Source(3, hang=True)
    with iterate_sync(source) as stream:
        assert next(stream) == 0
    assert source.closed.is_set()
    assert list(stream) == []
    stream.close()


def test_closing_what_never_began_begins_nothing() -> None:
    source = Source()
    with iterate_sync(source):
        pass
    assert source.made == 0


def test_closing_while_it_is_being_opened() -> None:
    opening = threading.Event()
    cancelled = threading.Event()

    async def slow() -> Any:
        opening.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    stream: SyncStream[Any] = iterate_sync(slow)
    reader = threading.Thread(target=lambda: list(stream))
    failures: list[Any] = []
    hook, threading.excepthook = threading.excepthook, failures.append
    try:
        reader.start()
        assert opening.wait(10)
        stream.close()
        reader.join(10)
    finally:
        threading.excepthook = hook
    assert cancelled.is_set()
    assert [failure.exc_type for failure in failures] == [StreamCancelledException]


def test_letting_go_stops_the_source() -> None:
    source = Source(3, hang=True)
    stream = iterate_sync(source)
    next(stream)
    del stream
    assert source.closed.wait(10)


def test_a_slow_reader_slows_the_source() -> None:
    source = Source()
    with iterate_sync(source, max_buffer=16) as stream:
        next(stream)
        until(lambda: stream._bridge._paused)
        asyncio.run_coroutine_threadsafe(turns(), background_loop()).result(10)
        assert source.made <= 18
        assert [next(stream) for _ in range(5000)] == list(range(1, 5001))


def test_many_streams_share_one_thread() -> None:
    before = threading.active_count()
    streams = [iterate_sync(Source(50)) for _ in range(50)]
    assert [sum(stream) for stream in streams] == [1225] * 50
    assert threading.active_count() <= before + 1


def test_reading_inside_the_background_loop_is_refused_and_not_a_deadlock() -> None:
    async def inner() -> list[int]:
        return list(iterate_sync(Source(3)))

    with pytest.raises(RuntimeError, match="own event loop"):
        asyncio.run_coroutine_threadsafe(inner(), background_loop()).result(10)


def test_an_interrupt_while_waiting_stops_the_source() -> None:
    closed = threading.Event()

    async def interrupting() -> AsyncIterator[int]:
        try:
            yield 0
            # Only once the reader's thread really waits, so that nothing depends on luck.
            while not stream._bridge.changed._waiters:  # type: ignore[attr-defined]
                await asyncio.sleep(0)
            os.kill(os.getpid(), signal.SIGINT)
            await asyncio.Event().wait()
        finally:
            closed.set()

    stream = iterate_sync(interrupting)
    assert next(stream) == 0
    with pytest.raises(KeyboardInterrupt):
        next(stream)
    assert closed.wait(10)
    assert list(stream) == []


def test_the_background_loop_can_be_stopped_and_starts_again() -> None:
    source = Source(1, hang=True)
    stream = iterate_sync(source)
    next(stream)
    stop_background_loop()
    assert source.closed.is_set()
    assert list(iterate_sync(Source(3))) == [0, 1, 2]


def test_a_forked_child_and_an_unclosed_stream_at_exit() -> None:
    """Both in a process of their own: the child has its own loop, and nothing is printed at the end."""
    code = """
import os, signal, sys, warnings
from headrace.stream.sync import iterate_sync
warnings.simplefilter("error")
warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 and later warn of fork with threads
async def numbers():
    n = 0
    while True:
        yield n
        n += 1
async def three():
    for n in range(3):
        yield n
stream, ahead, unbegun, ended = map(iterate_sync, (numbers, numbers, three, three))
assert next(stream) == 0
for n in range(100):  # items wait in it at the fork
    assert next(ahead) == n
assert list(ended) == [0, 1, 2]
child = os.fork()
if child == 0:
    signal.alarm(30)  # a child that hangs is a failure, not a wait
    other = iterate_sync(numbers)
    assert [next(other), next(other)] == [0, 1]
    assert list(unbegun) == [0, 1, 2]
    for old in (stream, ahead):
        try:
            next(old)
        except RuntimeError as error:
            assert "another process" in str(error), error
        else:
            raise AssertionError("a stream of the parent was read")
    assert next(ended, "over") == "over"
    stream.close()  # frees nothing of the parent's, and waits for nothing
    del ahead, old
    sys.stdout.write("child ")
    sys.stdout.flush()
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
assert next(stream) == 1
assert next(ahead) == 100
print("parent")
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "child parent\n", "")
