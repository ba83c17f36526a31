"""Stopping a run, from every state: no task, no source and no waiting call is left."""

from __future__ import annotations

import asyncio
import threading
from functools import partial
from typing import Any

import pytest
from tests.dispatch.doubles import OneModel, ScriptedModel, calling, said

import headrace
from headrace.core.chunk import Cancelled, Chunk, Finish, Terminal, ToolResult
from headrace.dispatch.tool_calls import CallRunner
from headrace.dispatch.tool_loop import ToolLoop
from headrace.structured.function import FunctionTool


class Waiting:
    """A tool that waits, and tells when it begins and ends."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.release = asyncio.Event()
        self.ended = 0

    async def wait(self) -> str:
        self.begun.set()
        try:
            await self.release.wait()
        finally:
            self.ended += 1
        return "waited"


def run(model: ScriptedModel, *tools: Any) -> headrace.ToolRun:
    return headrace.run_tools("m", "hi", tools=tools, runtime=OneModel(model))  # type: ignore[arg-type]


WAIT = ("c1", "wait", "{}")


@pytest.mark.parametrize("state", ["new", "first step", "calls", "second step", "over"])
@pytest.mark.parametrize("way", ["close", "cancel the reader"])
def test_a_run_stops_from_every_state(state: str, way: str) -> None:
    async def main() -> None:
        tool = Waiting()
        model = ScriptedModel(calling(WAIT, WAIT), said("done"), hangs=state in ("first step", "second step"))
        if state == "second step":
            model._scripts[0] = [*model._scripts[0], Finish("tool_calls")]
            tool.release.set()
        if state == "over":
            tool.release.set()
        if state == "first step":
            model._scripts[0] = list(said("half"))[:3]
        result = run(model, tool.wait)
        reader = asyncio.create_task(_read(result))
        if state == "new":
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)
        elif state == "calls":
            await tool.begun.wait()
        else:
            await _settle()
        assert len(model.requests) == (2 if state in ("second step", "over") else 1)
        if way == "close":
            await result.aclose()
        else:
            reader.cancel()
        await asyncio.gather(reader, return_exceptions=True)
        await _settle()
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert tool.ended == (2 if state in ("calls", "second step", "over") else 0)
        if state not in ("new", "over"):
            assert all(source.ended or source.cancelled for source in model.sources)
        await result.aclose()

    asyncio.run(main())


async def _read(result: headrace.ToolRun) -> None:
    async for _ in result.chunks:
        pass


async def _settle() -> None:
    for _ in range(60):
        await asyncio.sleep(0)


def test_closing_does_not_wait_for_a_thread_and_drops_what_it_gives() -> None:
    release = threading.Event()
    begun = threading.Event()

    def stuck() -> str:
        begun.set()
        release.wait(30)
        return "late"

    async def main() -> None:
        model = ScriptedModel(calling(("c1", "stuck", "{}")), said("done"))
        result = run(model, stuck)
        reader = asyncio.create_task(_read(result))
        await asyncio.to_thread(begun.wait, 10)
        await result.aclose()
        await asyncio.gather(reader, return_exceptions=True)
        assert len(model.requests) == 1
        assert result.response.tool_results == ()
        release.set()
        for thread in threading.enumerate():
            if thread.name == "headrace-tool":
                await asyncio.to_thread(thread.join, 10)
        await _settle()
        assert not [thread for thread in threading.enumerate() if thread.name == "headrace-tool"]
        assert asyncio.all_tasks() == {asyncio.current_task()}

    try:
        asyncio.run(main())
    finally:
        release.set()


class Sink:
    """What the loop pushes. then: called with each batch."""

    def __init__(self, then: Any = None) -> None:
        self.chunks: list[Chunk] = []
        self.terminal: Terminal | None = None
        self.then = then

    def push(self, batch: Any, /) -> None:
        self.chunks += batch
        if self.then is not None:
            self.then(batch)

    def end(self, terminal: Terminal, /) -> None:
        assert self.terminal is None
        self.terminal = terminal


def loop_of(model: ScriptedModel, *tools: Any) -> ToolLoop:
    made = {tool.name: tool for tool in map(FunctionTool, tools)}
    runner = CallRunner(made, 8, None, "tell")
    request = headrace.Request("m")
    return ToolLoop(request, model.open(request), model.open, runner, max_steps=4, on_limit="finish")


def test_cancelling_before_the_calls_have_begun_runs_none_of_them() -> None:
    async def main() -> None:
        tool = Waiting()
        model = ScriptedModel(calling(WAIT), said("done"))
        loop = loop_of(model, tool.wait)
        sink = Sink()
        loop.start(sink)
        while loop._task is None:
            await asyncio.sleep(0)
        loop.cancel()
        await _settle()
        assert isinstance(sink.terminal, Cancelled)
        assert not tool.begun.is_set()

    asyncio.run(main())


async def now() -> str:
    return "noon"


def _stop_at(kind: Any, loop: ToolLoop, batch: Any) -> None:
    if any(isinstance(one, kind) for one in batch):
        loop.cancel()


def test_the_sink_may_cancel_from_inside_a_push() -> None:
    async def main() -> None:
        for kind in (headrace.TextDelta, ToolResult):
            model = ScriptedModel(calling(("c", "now", "{}"), text="hi"), said("done"))
            loop = loop_of(model, now)
            sink = Sink(partial(_stop_at, kind, loop))
            loop.start(sink)
            await _settle()
            assert isinstance(sink.terminal, Cancelled)
            assert len(model.requests) == 1

    asyncio.run(main())


def test_a_reader_that_is_slow_while_the_tools_run_holds_the_next_step_back() -> None:
    async def main() -> None:
        tool = Waiting()
        model = ScriptedModel(calling(WAIT), said("done"))
        loop = loop_of(model, tool.wait)
        sink = Sink()
        loop.start(sink)
        await tool.begun.wait()
        loop.pause()
        tool.release.set()
        await _settle()
        assert len(model.sources) == 2
        assert model.sources[1].paused
        before = len(sink.chunks)
        assert isinstance(sink.chunks[-1], ToolResult)
        loop.resume()
        await _settle()
        assert len(sink.chunks) > before
        assert isinstance(sink.terminal, Finish)
        loop.cancel()  # after the end nothing happens

    asyncio.run(main())
