"""The worker process and its host, with an engine that misbehaves on demand."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Sequence
from typing import Any

import psutil
import pytest
from tests.runners.hosting import asked, hosted
from tests.runners.keeping import Kept

from headrace.core.chunk import Cancelled, Chunk, Failure, Finish
from headrace.errors import RunnerError
from headrace.runners.host import EngineHost
from headrace.runners.model import WINDOW_CHUNKS, LocalSource


def test_chunks_come_in_order_through_many_windows() -> None:
    async def work(host: EngineHost) -> None:
        kept = asked(host, say=10 * WINDOW_CHUNKS)
        await kept.done.wait()
        assert kept.text == "".join(f"{number} " for number in range(10 * WINDOW_CHUNKS))
        assert kept.terminal == Finish("stop")

    hosted(work)


def test_a_paused_reader_gets_no_more_than_the_window() -> None:
    async def work(host: EngineHost) -> None:
        slow = asked(host, say=50 * WINDOW_CHUNKS)
        slow.source.pause()
        quick = asked(host, say=50 * WINDOW_CHUNKS)  # the other stream is not held up
        await quick.done.wait()
        await slow.some(WINDOW_CHUNKS)
        assert len(slow.chunks) == WINDOW_CHUNKS
        assert slow.terminal is None
        slow.source.resume()
        await slow.done.wait()
        assert slow.text == quick.text

    hosted(work)


def test_a_cancelled_reply_frees_its_slot() -> None:
    async def work(host: EngineHost) -> None:
        first = asked(host, say=1, then="hang")
        second = asked(host, say=1)
        await first.some(2)
        assert second.chunks == []
        first.source.cancel()
        assert isinstance(first.terminal, Cancelled)
        await second.done.wait()
        assert second.terminal == Finish("stop")

    hosted(work, slots=1)


def test_a_waiting_reply_can_be_cancelled() -> None:
    async def work(host: EngineHost) -> None:
        first = asked(host, then="hang")
        await first.some(1)
        second = asked(host, say=1)
        assert host.waiting == 1
        second.source.cancel()
        assert host.waiting == 0
        assert isinstance(second.terminal, Cancelled)
        first.source.cancel()

    hosted(work, slots=1)


def test_cancel_before_start_computes_nothing() -> None:
    async def work(host: EngineHost) -> None:
        source = LocalSource(host, {"say": 1})
        kept = Kept(source)
        source.cancel()
        source.start(kept)
        await kept.done.wait()
        assert (kept.chunks, type(kept.terminal)) == ([], Cancelled)
        assert host.worker_pid == 0

    hosted(work)


def test_a_full_queue_refuses_and_says_try_again() -> None:
    async def work(host: EngineHost) -> None:
        running = asked(host, then="hang")
        await running.some(1)
        waiting = [asked(host, say=1) for _ in range(2)]
        refused = asked(host, say=1)
        assert refused.terminal is None  # not from inside start
        await refused.done.wait()
        assert isinstance(refused.terminal, Failure)
        assert (refused.terminal.code, refused.terminal.retryable) == ("E501", True)
        assert refused.terminal.http_status == 503
        running.source.cancel()
        for kept in waiting:
            await kept.done.wait()
            assert kept.terminal == Finish("stop")

    hosted(work, host={"queue_limit": 2}, slots=1)


@pytest.mark.parametrize("how", ["crash", "kill"])
def test_a_dead_worker_ends_its_streams_and_the_next_request_starts_a_new_one(how: str) -> None:
    async def work(host: EngineHost) -> None:
        first, other = asked(host, say=2, then="hang"), asked(host, say=2, then="hang")
        await asyncio.gather(first.some(3), other.some(3))
        queued = asked(host, say=3)
        old = host.worker_pid
        if how == "kill":
            os.kill(old, signal.SIGKILL)
        else:
            other.source.cancel()
            await queued.done.wait()
            asked(host, then="crash")
        await first.done.wait()
        assert isinstance(first.terminal, Failure)
        assert first.text == "0 1 "
        error = first.terminal.error()
        assert isinstance(error, RunnerError)
        assert (error.recoverable, error.retryable) == (True, True)
        await queued.done.wait()  # it had not begun when the worker died: it is computed by the next one
        assert queued.terminal == Finish("stop")
        again = asked(host, say=1)
        await again.done.wait()
        assert again.terminal == Finish("stop")
        assert host.worker_pid not in (0, old)

    hosted(work)


@pytest.mark.parametrize(
    ("job", "kind", "said"),
    [("refuse", "request", "not like this"), ("raise", "runner", "ZeroDivisionError: in run")],
)
def test_an_engine_that_raises_fails_one_stream_only(job: str, kind: str, said: str) -> None:
    async def work(host: EngineHost) -> None:
        failed, fine = asked(host, then=job), asked(host, say=1)
        await asyncio.gather(failed.done.wait(), fine.done.wait())
        assert isinstance(failed.terminal, Failure)
        assert failed.terminal.kind == kind
        assert said in failed.terminal.message
        assert fine.terminal == Finish("stop")

    hosted(work)


@pytest.mark.parametrize(
    ("load", "said"),
    [("fail", "no such weights"), ("raise", "ZeroDivisionError: in load"), ("exit", "native code gives up")],
)
def test_a_load_that_fails_is_typed_and_backs_off(load: str, said: str) -> None:
    async def work(host: EngineHost) -> None:
        for attempt in range(2):
            kept = asked(host, say=1)
            await kept.done.wait()
            assert isinstance(kept.terminal, Failure), attempt
            assert kept.terminal.code == "E502"
            assert said in kept.terminal.message
        # Two failures in a row: the third request is answered at once, without a new process.
        kept = asked(host, say=1)
        await kept.done.wait()
        assert isinstance(kept.terminal, Failure)
        assert psutil.Process().children() == [] or host.worker_pid == 0
        assert said in kept.terminal.message
        with pytest.raises(RunnerError):
            await host.warm()

    hosted(work, load=load)


def test_closing_while_it_loads_leaves_nothing() -> None:
    async def work(host: EngineHost) -> None:
        kept = asked(host, say=1)
        await asyncio.sleep(0)
        await host.aclose()
        assert isinstance(kept.terminal, Failure)
        late = asked(host, say=1)
        await late.done.wait()
        assert isinstance(late.terminal, Failure)

    hosted(work)


def test_health_is_the_engines_own_word() -> None:
    async def work(host: EngineHost) -> None:
        assert await host.health() == ""
        await host.warm()
        assert await host.health() == ""
        await asked(host, then="raise").done.wait()
        assert await host.health() == "divided by zero"

    hosted(work)


def test_a_reader_that_raises_harms_no_other() -> None:
    class Broken(Kept):
        def push(self, batch: Sequence[Chunk], /) -> None:
            raise ZeroDivisionError("in a sink")

    async def work(host: EngineHost) -> None:
        told: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: told.append(context))
        source = LocalSource(host, {"say": 3, "then": "hang"})
        broken = Broken(source)
        source.start(broken)
        fine = asked(host, say=100)
        await asyncio.gather(broken.done.wait(), fine.done.wait())
        assert fine.terminal == Finish("stop")
        assert isinstance(broken.terminal, Cancelled)
        assert isinstance(told[0]["exception"], ZeroDivisionError)

    hosted(work)


def test_it_works_on_uvloop() -> None:
    uvloop = pytest.importorskip("uvloop")

    async def work(host: EngineHost) -> None:
        kept = asked(host, say=500)
        await kept.done.wait()
        assert kept.terminal == Finish("stop")
        os.kill(host.worker_pid, signal.SIGKILL)
        again = asked(host, say=1)
        await again.done.wait()

    hosted(work, loop=uvloop.new_event_loop)
