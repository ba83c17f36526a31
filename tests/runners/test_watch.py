"""A local worker's clocks: turned by hand, then on real processes that hang or are stopped."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest
from tests.runners.hosting import asked, hosted

from headrace.core.chunk import Cancelled, Failure, Finish
from headrace.errors import RunnerError
from headrace.runners.host import EngineHost
from headrace.runners.watch import Watch, WorkerClocks

CLOCKS = WorkerClocks(first_token_s=5, idle_s=3, answer_s=100, stop_s=4)


def turned(watch: Watch[str], ticks: int) -> list[str]:
    """The clocks that ran out in so many ticks."""
    out: list[str] = []
    for _ in range(ticks):
        late, why = watch.tick()
        out += [one.error.code for one in late]
        for one in late:
            watch.stopped(one.id)
        if why:
            out.append(why)
            break
    return out


def watching(credit: int = 64) -> Watch[str]:
    watch: Watch[str] = Watch(CLOCKS)
    watch.begin(1, "reader", credit)
    return watch


def test_the_first_content_has_a_longer_clock_than_the_rest() -> None:
    watch = watching()
    assert turned(watch, 4) == []
    assert turned(watch, 1) == ["first_token"]
    watch = watching()
    watch.replies[1].begun = True
    assert turned(watch, 2) == []
    assert turned(watch, 1) == ["idle"]


def test_every_sign_of_life_begins_a_clock_anew() -> None:
    watch = watching()
    for _ in range(20):
        assert turned(watch, 4) == []
        watch.progress(1)


def test_a_reader_that_has_all_it_may_have_stops_its_clock() -> None:
    watch = watching(credit=0)
    assert turned(watch, 50) == []
    watch.granted(1, 32)
    assert turned(watch, 5) == ["first_token"]


def test_a_reply_that_does_not_stop_costs_the_process() -> None:
    watch = watching(credit=0)
    watch.stopped(1)
    watch.progress(1)  # a sign of life is not an end
    assert turned(watch, 3) == []
    assert turned(watch, 1) == ["the local engine did not stop a reply in 4 s"]


def test_a_process_that_answers_nothing_is_told_from_one_that_does() -> None:
    watch: Watch[str] = Watch(WorkerClocks(answer_s=3))
    watch.begin(1, "reader", 64)
    for _ in range(10):
        assert turned(watch, 2) == []
        watch.heard()
    assert turned(watch, 3) == ["the local engine's process has not answered for 3 s"]


def test_a_stopped_process_is_replaced_and_its_streams_end_typed() -> None:
    async def work(host: EngineHost) -> None:
        kept, other = asked(host, say=2, then="hang"), asked(host, say=2, then="hang")
        await asyncio.gather(kept.some(3), other.some(3))
        assert host.trouble == ""
        old = host.worker_pid
        os.kill(old, signal.SIGSTOP)
        await asyncio.gather(kept.done.wait(), other.done.wait())
        for ended in (kept, other):
            assert isinstance(ended.terminal, Failure)
            assert (ended.terminal.kind, ended.terminal.retryable) == ("runner", True)
            assert ended.terminal.http_status == 503
            assert "has not answered" in ended.terminal.message
        assert "has not answered" in host.trouble
        assert "has not answered" in await host.health()
        again = asked(host, say=1)
        await again.done.wait()
        assert again.terminal == Finish("stop")
        assert host.worker_pid not in (0, old)
        assert (host.trouble, await host.health()) == ("", "")

    hosted(work, host={"clocks": WorkerClocks(answer_s=1.5, tick_s=0.1)})


def test_a_process_that_is_silent_shows_in_health_before_it_is_given_up() -> None:
    async def work(host: EngineHost) -> None:
        kept = asked(host, say=2, then="hang")
        await kept.some(3)
        os.kill(host.worker_pid, signal.SIGSTOP)
        while not host.trouble:
            await asyncio.sleep(0.02)
        assert kept.terminal is None
        assert "has not answered" in host.trouble
        os.kill(host.worker_pid, signal.SIGCONT)
        while host.trouble:
            await asyncio.sleep(0.02)
        kept.source.cancel()

    hosted(work, host={"clocks": WorkerClocks(answer_s=600, tick_s=0.05)})


def test_a_process_that_was_stopped_while_idle_is_found_by_the_next_request() -> None:
    async def work(host: EngineHost) -> None:
        await host.warm()
        os.kill(host.worker_pid, signal.SIGSTOP)
        kept = asked(host, say=1)
        await kept.done.wait()
        assert isinstance(kept.terminal, Failure)
        assert kept.terminal.retryable
        again = asked(host, say=1)
        await again.done.wait()
        assert again.terminal == Finish("stop")

    hosted(work, host={"clocks": WorkerClocks(answer_s=1.5, tick_s=0.1)})


@pytest.mark.parametrize(("say", "code"), [(0, "first_token"), (2, "idle")])
def test_an_engine_without_a_sign_of_life_fails_its_stream_only(say: int, code: str) -> None:
    async def work(host: EngineHost) -> None:
        other = asked(host, say=2, then="tell")
        await other.some(3)
        kept = asked(host, say=say, then="hang", silent=say == 0)
        await kept.done.wait()
        assert isinstance(kept.terminal, Failure)
        assert (kept.terminal.kind, kept.terminal.code) == ("timeout", code)
        pid = host.worker_pid
        again = asked(host, say=1)  # the engine took the cancel: its slot is free, its neighbour goes on
        await again.done.wait()
        assert again.terminal == Finish("stop")
        assert (host.worker_pid, other.terminal) == (pid, None)
        other.source.cancel()

    hosted(work, host={"clocks": WorkerClocks(first_token_s=2.5, idle_s=2.5, tick_s=0.1)})


def test_an_engine_that_takes_no_cancel_is_replaced() -> None:
    async def work(host: EngineHost) -> None:
        kept = asked(host, say=1, then="ignore cancel")
        await kept.some(2)
        old = host.worker_pid
        kept.source.cancel()
        assert isinstance(kept.terminal, Cancelled)
        queued = asked(host, say=1)
        await queued.done.wait()
        assert queued.terminal == Finish("stop")
        assert host.worker_pid != old

    hosted(work, host={"clocks": WorkerClocks(stop_s=1.0, tick_s=0.1)}, slots=1)


def test_a_load_that_never_ends_is_given_up() -> None:
    async def work(host: EngineHost) -> None:
        with pytest.raises(RunnerError, match=r"did not load in 0\.3 s") as failed:
            await host.warm()
        assert (failed.value.code, host.worker_pid) == ("E502", 0)

    hosted(work, host={"clocks": WorkerClocks(load_s=0.3)}, load="hang")


def test_an_idle_worker_has_no_timer() -> None:
    async def work(host: EngineHost) -> None:
        await asked(host, say=1).done.wait()
        worker = host._worker
        assert worker is not None
        while worker.ticking:  # the turn after the last reply finds nothing to watch
            await asyncio.sleep(0.02)

    hosted(work, host={"clocks": WorkerClocks(tick_s=0.05)})
