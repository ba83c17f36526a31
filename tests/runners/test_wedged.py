"""An engine that cannot stop what it began: its worker is killed and replaced, everybody hears why."""

from __future__ import annotations

import asyncio
from typing import Any

import psutil
import pytest
from tests.runners.conftest import Bench
from tests.runners.hosting import asked, hosted
from tests.runners.keeping import Kept

from headrace.core.chunk import Cancelled, Failure, Finish
from headrace.core.message import user
from headrace.core.request import GenerationSettings, Request
from headrace.runners.host import EngineHost
from headrace.runners.llama_job import plan
from headrace.runners.local import LLAMA
from headrace.runners.model import LocalSource

BOMB = {"type": "integer", "multipleOf": 1_000_003}  # refused by the planner; here it is past it


def test_an_engine_that_gives_up_is_replaced() -> None:
    async def work(host: EngineHost) -> None:
        other = asked(host, say=1, then="hang")
        await other.some(2)
        old = host.worker_pid
        culprit = asked(host, then="wedge")
        await asyncio.gather(culprit.done.wait(), other.done.wait())
        assert isinstance(culprit.terminal, Failure)
        assert (culprit.terminal.kind, culprit.terminal.message) == ("request", "too much")
        assert isinstance(other.terminal, Failure)
        assert (other.terminal.kind, other.terminal.retryable, other.terminal.http_status) == (
            "runner",
            True,
            503,
        )
        assert "too much" in other.terminal.message
        assert "too much" in await host.health()
        again = asked(host, say=1)
        await again.done.wait()
        assert again.terminal == Finish("stop")
        assert host.worker_pid not in (0, old)
        assert await host.health() == ""

    hosted(work)


def cpu_s(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


@pytest.mark.real_model
@pytest.mark.parametrize("cancelled", [False, True], ids=["waited for", "cancelled"])
def test_a_schema_that_does_not_compile_in_time_costs_the_worker(bench: Bench, cancelled: bool) -> None:
    """The native compiler stops only with its process; a reader that left changes nothing about that."""

    async def options() -> dict[str, Any]:
        return {**await bench.model.host._options(), "compile_s": 2.0}

    def started(host: EngineHost, job: dict[str, Any]) -> Kept:
        source = LocalSource(host, job)
        kept = Kept(source)
        source.start(kept)
        return kept

    def job(**changed: Any) -> dict[str, Any]:
        return {**plan(Request("x", (user("hi"),), GenerationSettings(max_tokens=2))).job, **changed}

    async def run() -> None:
        host = EngineHost("local/mine", LLAMA, options)
        try:
            await host.warm()
            worker = host._worker
            assert worker is not None
            kept = started(host, job(schema=BOMB, schema_field="the.field"))
            if cancelled:
                before_s = cpu_s(worker.pid)
                while cpu_s(worker.pid) - before_s < 0.2:  # it is compiling
                    await asyncio.sleep(0.02)
                kept.source.cancel()
                assert isinstance(kept.terminal, Cancelled)
            else:
                await kept.done.wait()
                assert isinstance(kept.terminal, Failure)
                assert (kept.terminal.kind, kept.terminal.detail["field"]) == ("request", "the.field")
                assert "in 2 s" in kept.terminal.message
            while host.worker_pid == worker.pid:  # the socket's end tells the host
                await asyncio.sleep(0.05)
            assert "did not compile" in worker.why
            again = started(host, job())
            await again.done.wait()
            assert isinstance(again.terminal, Finish)
        finally:
            await host.aclose()

    bench.run(run())
