"""A model and Python functions in turn: what the stream holds, what goes back, and when it ends."""

from __future__ import annotations

import asyncio
import contextvars
from itertools import pairwise
from typing import Any

import pytest
from tests.dispatch.doubles import OneModel, ScriptedModel, calling, said

import headrace
from headrace.core.chunk import (
    BlockEnd,
    BlockStart,
    CandidateEnd,
    Chunk,
    Failure,
    Finish,
    ReasoningDelta,
    Start,
    TextDelta,
    ToolResult,
    UsageReport,
)
from headrace.core.fold import fold
from headrace.core.message import (
    ImagePart,
    Message,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    user,
)
from headrace.core.opaque import Opaque
from headrace.core.request import ToolChoice
from headrace.core.usage import Usage
from headrace.errors import BadRequest, RateLimited, RequestError, StreamingError

ADD = ("c1", "add", '{"a": 1, "b": 2}')


def add(a: int, b: int) -> int:
    """Adds two numbers."""
    return a + b


async def shout(text: str) -> str:
    """Says it loud."""
    await asyncio.sleep(0)
    return text.upper()


def run(model: ScriptedModel, *tools: Any, **ask: Any) -> headrace.ToolRun:
    return headrace.run_tools("m", "hi", tools=tools or (add, shout), runtime=OneModel(model), **ask)  # type: ignore[arg-type]


async def chunks_of(model: ScriptedModel, *tools: Any, **ask: Any) -> list[Chunk]:
    return [chunk async for chunk in run(model, *tools, **ask).chunks]


def test_the_model_and_its_tools_take_turns_in_one_stream() -> None:
    async def main() -> None:
        second = calling(("c2", "shout", '{"text": "three"}'), text="Now loud. ")
        model = ScriptedModel(calling(ADD, text="I add. "), second, said("THREE it is."))
        result = run(model)
        chunks = [chunk async for chunk in result.chunks]
        kinds = [type(one) for one in chunks]
        assert kinds.count(Start) == kinds.count(CandidateEnd) == 3
        assert [kind for kind in kinds if kind in (Start, ToolResult)] == [
            *(Start, ToolResult, Start, ToolResult, Start)
        ]
        assert [one for one in chunks if one.is_complete] == [chunks[-1]] == [Finish("stop")]
        assert [one.output for one in chunks if isinstance(one, ToolResult)] == ["3", "THREE"]
        opened = [one.block for one in chunks if isinstance(one, BlockStart)]
        assert opened == list(range(5))
        usages = [one.usage for one in chunks if isinstance(one, UsageReport)]
        assert usages == [Usage(10, 2), Usage(20, 4), Usage(30, 5)]
        assert result.text == await result.answer() == "THREE it is."
        assert fold(chunks) == result.response
        assert result.response.usage == Usage(30, 5)
        assert not result.at_limit

    asyncio.run(main())


def test_what_the_model_is_asked_next_holds_its_calls_and_their_results() -> None:
    async def main() -> None:
        model = ScriptedModel(calling(ADD, ("c2", "shout", '{"text": "x"}'), text="So. "), said("done"))
        result = run(model, system="Be brief.", temperature=0)
        text = "".join([piece async for piece in result.stream])
        assert text == "So. done"
        first, second = model.requests
        assert [tool.name for tool in first.tools] == ["add", "shout"]
        assert first.tools == second.tools
        assert (second.settings, second.model) == (first.settings, first.model)
        assert second.messages[: len(first.messages)] == first.messages
        assert second.messages[len(first.messages) :] == (
            Message(
                "assistant",
                (
                    TextPart("So. "),
                    ToolCallPart(*ADD),
                    ToolCallPart("c2", "shout", '{"text": "x"}'),
                ),
            ),
            Message("tool", (ToolResultPart("c1", (TextPart("3"),)), ToolResultPart("c2", (TextPart("X"),)))),
        )
        assert result.messages == (*second.messages, Message("assistant", (TextPart("done"),)))
        again = headrace.run_tools(
            "m",
            messages=[*result.messages, user("more")],
            tools=[add],
            runtime=OneModel(model),  # type: ignore[arg-type]
        )
        assert await again.answer() == "done"

    asyncio.run(main())


def test_reasoning_and_the_vendors_own_parts_go_back_as_they_came() -> None:
    signed, own = Opaque("anthropic", {"signature": "s"}), Opaque("anthropic", {"type": "own"})
    thought: list[Chunk] = [
        BlockStart(7, "reasoning"),
        ReasoningDelta(7, "hm"),
        BlockEnd(7, vendor=signed),
        BlockStart(8, "opaque"),
        BlockEnd(8, vendor=own),
    ]

    async def main() -> None:
        first = calling(ADD)
        model = ScriptedModel([first[0], *thought, *first[1:]], said("done"))
        await run(model).answer()
        parts = model.requests[1].messages[1].parts
        assert parts[0] == ReasoningPart("hm", signed)
        assert parts[1] == headrace.OpaquePart(own)

    asyncio.run(main())


def test_an_answer_without_calls_is_the_whole_run() -> None:
    async def main() -> None:
        chunks = await chunks_of(ScriptedModel(said("Hello.")))
        assert [type(one) for one in chunks].count(Start) == 1
        assert isinstance(chunks[-1], Finish)

    asyncio.run(main())


def test_calls_without_ids_get_some_that_their_results_name() -> None:
    async def main() -> None:
        calls = [("", "add", '{"a": 1, "b": 1}'), ("", "add", '{"a": 2, "b": 2}')]
        model = ScriptedModel(calling(*calls), said("done"))
        chunks = await chunks_of(model)
        ids = [one.id for one in chunks if isinstance(one, BlockStart) and one.kind == "tool-call"]
        assert len(set(ids)) == 2
        assert [one.id for one in chunks if isinstance(one, ToolResult)] == ids
        assert [
            part.id for part in model.requests[1].messages[-1].parts if isinstance(part, ToolResultPart)
        ] == ids

    asyncio.run(main())


def test_calls_of_a_step_run_at_once_and_their_results_keep_their_order() -> None:
    async def main() -> None:
        met = asyncio.Barrier(3)

        async def meet(name: str) -> str:
            await met.wait()
            for _ in range({"a": 20, "b": 10, "c": 0}[name]):
                await asyncio.sleep(0)
            return name

        calls = [(f"c{name}", "meet", f'{{"name": "{name}"}}') for name in "abc"]
        model = ScriptedModel(calling(*calls), said("done"))
        chunks = await chunks_of(model, meet)
        assert [one.output for one in chunks if isinstance(one, ToolResult)] == ["a", "b", "c"]

    asyncio.run(main())


def test_no_more_calls_run_at_once_than_may() -> None:
    running = most = 0

    async def count() -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1

    async def main() -> None:
        model = ScriptedModel(calling(*[(f"c{at}", "count", "{}") for at in range(9)]), said("done"))
        await run(model, count, max_parallel=2).answer()

    asyncio.run(main())
    assert most == 2


def test_a_plain_function_runs_in_a_thread_with_the_callers_context() -> None:
    who = contextvars.ContextVar("who", default="nobody")

    def whoami() -> str:
        asyncio_is_here = True
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            asyncio_is_here = False
        return f"{who.get()} {asyncio_is_here}"

    async def main() -> None:
        who.set("ann")
        model = ScriptedModel(calling(("c", "whoami", "{}")), said("done"))
        chunks = await chunks_of(model, whoami)
        assert [one.output for one in chunks if isinstance(one, ToolResult)] == ["ann False"]

    asyncio.run(main())


def test_images_and_nothing_are_results_too() -> None:
    def draw() -> ImagePart:
        return ImagePart(url="https://example.org/i.png")

    def nothing() -> None: ...

    async def main() -> None:
        model = ScriptedModel(calling(("c1", "draw", "{}"), ("c2", "nothing", "")), said("done"))
        await run(model, draw, nothing).answer()
        told = model.requests[1].messages[-1].parts
        assert told == (
            ToolResultPart("c1", (ImagePart(url="https://example.org/i.png"),)),
            ToolResultPart("c2", (TextPart("null"),)),
        )

    asyncio.run(main())


def test_at_the_limit_the_run_ends_with_the_calls_that_were_not_run() -> None:
    ran = []

    def once() -> None:
        ran.append(1)

    async def main() -> None:
        model = ScriptedModel(calling(("c", "once", "{}")))
        result = run(model, once, max_steps=3)
        assert await result.answer() == ""
        assert result.at_limit
        assert len(model.requests) == 3
        assert len(ran) == 2
        assert result.response.finish_reason == "tool_calls"
        assert [call.name for call in result.response.tool_calls] == ["once"]
        assert result.messages[-1].role == "assistant"
        with pytest.raises(StreamingError, match="after 1 steps") as caught:
            await run(model, once, max_steps=1, on_limit="raise").answer()
        assert caught.value.code == "max_steps"
        assert len(ran) == 2

    asyncio.run(main())


@pytest.mark.parametrize("reason", ["length", "content_filter"])
def test_calls_of_an_answer_that_was_cut_are_not_run(reason: str) -> None:
    async def main() -> None:
        model = ScriptedModel(calling(ADD, reason=reason))
        result = run(model)
        await result.answer()
        assert (len(model.requests), result.response.finish_reason) == (1, reason)
        assert not result.response.tool_results

    asyncio.run(main())


def test_a_demanded_call_is_demanded_once() -> None:
    async def main() -> None:
        for choice, then in (("required", None), ("add", None), ("auto", ToolChoice("auto"))):
            model = ScriptedModel(calling(ADD), said("done"))
            await run(model, tool_choice=choice).answer()
            assert model.requests[0].tool_choice is not None
            assert model.requests[1].tool_choice == then

    asyncio.run(main())


def test_a_step_that_fails_ends_the_run() -> None:
    async def main() -> None:
        failing = [
            Start("r"),
            BlockStart(0, "text"),
            TextDelta(0, "half"),
            Failure.of(RateLimited("no more")),
        ]
        model = ScriptedModel(calling(ADD), failing)
        result = run(model)
        with pytest.raises(RateLimited):
            await result.answer()
        assert result.text == "half"
        assert result.response.earlier[-1].role == "tool"

    asyncio.run(main())


def test_a_step_that_cannot_be_asked_ends_the_run() -> None:
    class Picky(ScriptedModel):
        def open(self, request: Any, /) -> Any:
            if len(request.messages) > 1:
                raise BadRequest("too many messages")
            return super().open(request)

    async def main() -> None:
        with pytest.raises(BadRequest, match="too many messages"):
            await run(Picky(calling(ADD))).answer()
        before = len(asyncio.all_tasks())
        with pytest.raises(BadRequest):
            headrace.run_tools("m", messages=[user("a"), user("b")], tools=[add], runtime=OneModel(Picky([])))  # type: ignore[arg-type]
        assert len(asyncio.all_tasks()) == before

    asyncio.run(main())


def test_warnings_of_every_step_are_told_once() -> None:
    class Warning(ScriptedModel):
        def open(self, request: Any, /) -> Any:
            self._warnings = ("always", f"{len(request.messages)} messages")
            return super().open(request)

    async def main() -> None:
        result = run(Warning(calling(ADD), said("done")), temperature=9)
        assert result.warnings[1:] == ("always", "1 messages")
        assert "temperature" in result.warnings[0]
        await result.answer()
        assert result.warnings[1:] == ("always", "1 messages", "3 messages")

    asyncio.run(main())


def test_a_typed_answer_after_the_tools() -> None:
    async def main() -> None:
        model = ScriptedModel(calling(ADD, text="I add: {}"), said('{"sum": 3}'))
        assert await run(model).parsed(dict[str, int]) == {"sum": 3}

    asyncio.run(main())


def no_tool(*values: int) -> None: ...


@pytest.mark.parametrize(
    ("ask", "field"),
    [
        ({"tools": []}, "tools"),
        ({"tools": [add, add]}, "tools.1"),
        ({"tools": [headrace.Tool("add")]}, "tools.0"),
        ({"tools": [no_tool]}, "tools.no_tool.values"),
        ({"max_steps": 0}, "max_steps"),
        ({"max_parallel": 0}, "max_parallel"),
        ({"on_error": "hope"}, "on_error"),
        ({"on_limit": "hope"}, "on_limit"),
        ({"n": 2}, "n"),
        ({"temprature": 2}, "temprature"),
    ],
)
def test_what_cannot_be_asked_is_named(ask: dict[str, Any], field: str) -> None:
    async def main() -> None:
        with pytest.raises(RequestError) as caught:
            headrace.run_tools("m", "x", **{"tools": [add], "runtime": OneModel(ScriptedModel([])), **ask})
        assert caught.value.field == field

    asyncio.run(main())


def test_without_a_loop_it_is_a_plain_iterator() -> None:
    # The echo calls no tools: what is shown here is the way through the background loop.
    chunks = list(headrace.run_tools_sync("sim/echo", "hello", tools=[add]))
    assert fold(chunks).text == "hello"
    assert [one.is_complete for one in chunks].count(True) == 1


def test_the_order_of_chunks_does_not_depend_on_how_they_are_read() -> None:
    async def main() -> None:
        for size in (1, 2, 256):
            model = ScriptedModel(calling(ADD, text="I add. "), said("done " * 20))
            stream = headrace.GenerationStream(run(model).chunks.release(), max_buffer=size)
            blocks = []
            async for chunk in stream:
                blocks.append(getattr(chunk, "block", -1))
                await asyncio.sleep(0)
            real = [one for one in blocks if one >= 0]
            assert all(before <= after for before, after in pairwise(real))

    asyncio.run(main())
