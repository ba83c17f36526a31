"""Calls that go wrong: told to the model, or raised, as the run says."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
from typing import Any

import pytest
from tests.dispatch.doubles import OneModel, ScriptedModel, calling, said

import headrace
from headrace.core.chunk import ToolResult
from headrace.dispatch import tool_calls, tool_threads
from headrace.errors import ToolError


def boom(text: str = "boom") -> str:
    """Raises."""
    raise LookupError(text)


async def boom_later() -> None:
    raise LookupError("later")


async def hang() -> None:
    await asyncio.Event().wait()


@headrace.tool(timeout_s=0.01)
async def hang_a_little() -> None:
    await asyncio.Event().wait()


async def cancels_itself() -> None:
    raise asyncio.CancelledError


def exits() -> None:
    sys.exit(3)


def odd() -> complex:
    return 1j


def long() -> str:
    return "x" * (tool_calls.MAX_OUTPUT_CHARS + 1)


TOOLS = (boom, boom_later, hang, hang_a_little, cancels_itself, exits, odd, long)
TABLE = [
    ("boom", "{}", "raised", "LookupError: boom"),
    ("boom_later", "{}", "raised", "LookupError: later"),
    ("hang", "{}", "timeout", "hang took longer than 0.02 s"),
    ("hang_a_little", "{}", "timeout", "hang_a_little took longer than 0.01 s"),
    ("cancels_itself", "{}", "raised", "cancels_itself was cancelled"),
    ("exits", "{}", "raised", "SystemExit: 3"),
    ("odd", "{}", "bad_result", "complex cannot be written as JSON"),
    ("long", "{}", "bad_result", "longer than 1000000 characters"),
    ("boom", '{"text": 1}', "bad_arguments", "the arguments of boom are wrong: text: Expected str, got int"),
    ("boom", '{"text"', "bad_arguments", "are no JSON"),
    ("nobody", "{}", "unknown_tool", "no tool is called 'nobody': there are boom, boom_later"),
]


def run(model: ScriptedModel, **ask: Any) -> headrace.ToolRun:
    ask = {"tools": TOOLS, **ask}
    return headrace.run_tools("m", "hi", runtime=OneModel(model), **ask)


@pytest.mark.parametrize(("name", "arguments", "code", "said_"), TABLE)
def test_what_goes_wrong_is_told_to_the_model(name: str, arguments: str, code: str, said_: str) -> None:
    async def main() -> None:
        model = ScriptedModel(calling(("c1", name, arguments)), said("I see."))
        result = run(model, tool_timeout_s=0.02 if name == "hang" else 30)
        results = [one async for one in result.chunks if isinstance(one, ToolResult)]
        assert [(one.id, one.name, one.is_error) for one in results] == [("c1", name, True)]
        assert said_ in results[0].output
        (told,) = model.requests[1].messages[-1].parts
        assert isinstance(told, headrace.ToolResultPart)
        assert (told.is_error, told.text) == (True, results[0].output)
        assert result.text == "I see."
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(main())


@pytest.mark.parametrize(("name", "arguments", "code", "said_"), TABLE)
def test_what_goes_wrong_is_raised_where_that_is_asked_for(
    name: str, arguments: str, code: str, said_: str
) -> None:
    async def main() -> None:
        model = ScriptedModel(calling(("c1", name, arguments), ("c2", "hang", "{}")), said("never"))
        with pytest.raises(ToolError) as caught:
            await run(model, on_error="raise", tool_timeout_s=0.02 if name == "hang" else 30).answer()
        assert (caught.value.code, caught.value.tool, caught.value.call_id) == (code, name, "c1")
        if name.startswith("boom") and code == "raised":
            assert isinstance(caught.value.__cause__, LookupError)
        assert len(model.requests) == 1
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(main())


def test_one_wrong_call_leaves_the_others_alone() -> None:
    def fine() -> str:
        return "fine"

    async def main() -> None:
        calls = [("c1", "fine", "{}"), ("c2", "boom", "{}"), ("c3", "fine", "{}")]
        model = ScriptedModel(calling(*calls), said("done"))
        chunks = [one async for one in run(model, tools=[fine, boom]).chunks if isinstance(one, ToolResult)]
        assert [(one.id, one.is_error) for one in chunks] == [("c1", False), ("c2", True), ("c3", False)]

    asyncio.run(main())


def test_the_functions_own_error_is_logged_with_its_trace(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        await run(ScriptedModel(calling(("c1", "boom", "{}"), ("c2", "no", "{}")), said("x"))).answer()

    with caplog.at_level(logging.INFO, "headrace.tools"):
        asyncio.run(main())
    levels = {(one.levelname, bool(one.exc_info)) for one in caplog.records if one.name == "headrace.tools"}
    assert levels == {("WARNING", True), ("INFO", False)}


def test_a_thread_that_hangs_is_left_and_counts_until_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()

    def stuck() -> str:
        release.wait(30)
        return "late"

    async def main() -> None:
        model = ScriptedModel(calling(("c1", "stuck", "{}")), said("done"))
        once = run(model, tools=[stuck], tool_timeout_s=0.02)
        first = [one async for one in once.chunks if isinstance(one, ToolResult)]
        assert "took longer" in first[0].output
        assert _tool_threads() == 1
        model = ScriptedModel(calling(("c1", "stuck", "{}"), ("c2", "boom", "{}")), said("done"))
        again = [one async for one in run(model, tools=[stuck, boom]).chunks if isinstance(one, ToolResult)]
        assert all("1 calls of tools are running" in one.output for one in again)

    monkeypatch.setattr(tool_threads, "MAX_THREADS", 1)
    try:
        asyncio.run(main())
    finally:
        release.set()
    _join_tool_threads()
    assert tool_threads._count._running == 0


def _tool_threads() -> int:
    return sum(thread.name == "headrace-tool" for thread in threading.enumerate())


def _join_tool_threads() -> None:
    for thread in threading.enumerate():
        if thread.name == "headrace-tool":
            thread.join(10)
