"""Growing values read from a stream of chunks: which text, one value a batch, and every way to end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
import pydantic
import pytest

from headrace.core.chunk import (
    BlockEnd,
    BlockStart,
    Cancelled,
    CandidateEnd,
    Chunk,
    Failure,
    Finish,
    ReasoningDelta,
    RefusalDelta,
    Start,
    TextDelta,
    ToolCallDelta,
    UsageReport,
)
from headrace.core.usage import Usage
from headrace.errors import OutputError, RateLimited, StreamCancelledException
from headrace.simulate.script import ScriptedSource
from headrace.stream.generation import GenerationStream
from headrace.stream.sync import iterate_sync


class Recipe(msgspec.Struct):
    name: str
    steps: list[str]
    minutes: int = 0


class Model(pydantic.BaseModel):
    name: str
    steps: list[str]
    minutes: int = 0


TEXT = '{"name": "Bread", "steps": ["mix", "bake"], "minutes": 90}'
WHOLE = Recipe("Bread", ["mix", "bake"], 90)


def answer(text: str = TEXT, end: Chunk | None = None, size: int = 4, reason: Any = "stop") -> list[Chunk]:
    """A reply that thinks and then says `text`."""
    said = [TextDelta(1, text[at : at + size]) for at in range(0, len(text), size)]
    thought: list[Chunk] = [BlockStart(0, "reasoning"), ReasoningDelta(0, '{"name": "no"}'), BlockEnd(0)]
    ending: list[Chunk] = [BlockEnd(1), CandidateEnd(reason), UsageReport(Usage(1, 2)), end or Finish(reason)]
    return [Start("r"), *thought, BlockStart(1, "text"), *said, *ending]


def called(arguments: str = TEXT, tool: str = "recipe") -> list[Chunk]:
    """A reply that says a word, and calls two tools whose arguments come in turn."""
    pieces = [arguments[at : at + 5] for at in range(0, len(arguments), 5)]
    deltas: list[Chunk] = []
    for piece in pieces:
        deltas += [ToolCallDelta(1, "other"), ToolCallDelta(2, piece), ToolCallDelta(3, "again")]
    return [
        BlockStart(0, "text"),
        TextDelta(0, '{"name": "not me"}'),
        BlockEnd(0),
        BlockStart(1, "tool-call", "c0", "other"),
        BlockStart(2, "tool-call", "c1", tool),
        BlockStart(3, "tool-call", "c2", tool),
        *deltas,
        *(BlockEnd(at) for at in (1, 2, 3)),
        CandidateEnd("tool_calls"),
        Finish("tool_calls"),
    ]


def dripped(chunks: list[Chunk]) -> GenerationStream:
    """The chunks one by one, each read before the next one comes."""

    async def one_by_one() -> AsyncIterator[Chunk]:
        for chunk in chunks:
            yield chunk
            await asyncio.sleep(0)

    return GenerationStream.from_iterable(one_by_one())


def at_once(chunks: list[Chunk]) -> GenerationStream:
    """The chunks all together."""
    return GenerationStream(ScriptedSource(chunks, batch=10_000))


WAYS: dict[str, Callable[[list[Chunk]], GenerationStream]] = {"dripped": dripped, "at once": at_once}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("output", [Recipe, Model, {"type": "object", "required": ["steps"]}])
def test_the_last_value_is_the_whole(way: str, output: Any) -> None:
    async def main() -> list[Any]:
        stream = WAYS[way](answer()).partial(output)
        values = [value async for value in stream]
        assert stream.complete
        assert stream.text == TEXT
        assert await stream.result() == values[-1] == stream.value
        return values

    values = asyncio.run(main())
    plain = msgspec.to_builtins(values[-1], enc_hook=lambda model: model.model_dump())
    assert plain == {"name": "Bread", "steps": ["mix", "bake"], "minutes": 90}
    assert len(values) == 1 if way == "at once" else len(values) > 6


def test_values_grow_as_the_text_comes_and_say_where_it_is() -> None:
    async def main() -> None:
        stream = dripped(answer(size=6)).partial(Recipe)
        seen = [(value.name, list(value.steps), stream.path, stream.complete) async for value in stream]
        assert ("Br", [], ("name",), False) in seen
        assert ("Bread", ["m"], ("steps", 0), False) in seen
        assert seen[-1] == ("Bread", ["mix", "bake"], (), True)
        assert [one[3] for one in seen].count(True) == 1

    asyncio.run(main())


@pytest.mark.parametrize("way", WAYS)
def test_the_arguments_of_a_tool_are_read_in_place_of_the_text(way: str) -> None:
    async def main() -> None:
        assert [value async for value in WAYS[way](called()).partial(Recipe, tool="recipe")][-1] == WHOLE
        assert await WAYS[way](called()).partial(Recipe, tool="recipe").result() == WHOLE

    asyncio.run(main())


def test_the_whole_comes_before_the_reply_has_ended() -> None:
    async def main() -> None:
        source = ScriptedSource(answer()[:-4], terminal=None)
        async with GenerationStream(source).partial(Recipe) as stream:
            async for value in stream:
                if stream.complete:
                    assert value == WHOLE
                    break
        assert source.cancelled

    asyncio.run(main())


def test_what_comes_after_the_value_is_read_to_its_end() -> None:
    async def main() -> None:
        failed = answer(TEXT, Failure.of(RateLimited("no more")))
        stream = dripped(failed).partial(Recipe)
        assert [await anext(stream) for _ in range(3)]
        while not stream.complete:
            assert await anext(stream)
        with pytest.raises(RateLimited):
            await anext(stream)
        assert stream.value == WHOLE

    asyncio.run(main())


ITEM = '{"name": "Bread", "steps": ["mix"'
ENDS: list[tuple[list[Chunk], str, str, str]] = [
    (answer('{"name": 5}'), "invalid", "name", "Expected str"),
    (answer('{"name": "x"}'), "invalid", "steps", "missing"),
    (answer("I cannot."), "not_json", "", "no JSON object in the answer"),
    (answer(ITEM), "incomplete", "steps[1]", "the text ends"),
    (answer(ITEM, reason="length"), "incomplete", "steps[1]", "max_tokens"),
    (answer("", reason="content_filter"), "incomplete", "", "content filter"),
    (answer(""), "empty", "", "empty"),
    (
        [BlockStart(0, "refusal"), RefusalDelta(0, "I won't "), RefusalDelta(0, "say."), Finish()],
        "refused",
        "",
        "I won't say.",
    ),
]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("chunks", "code", "path", "said"), ENDS)
def test_an_answer_that_is_no_value_is_an_error_that_keeps_the_text(
    way: str, chunks: list[Chunk], code: str, path: str, said: str
) -> None:
    async def main() -> None:
        stream = WAYS[way](chunks).partial(Recipe)
        with pytest.raises(OutputError, match=said) as caught:
            async for _ in stream:
                pass
        assert (caught.value.code, caught.value.path) == (code, path)
        assert caught.value.text == stream.text
        with pytest.raises(OutputError):
            _ = stream.value
        with pytest.raises(OutputError) as again:
            await WAYS[way](chunks).partial(Recipe).result()
        assert again.value.code == code

    asyncio.run(main())


def test_a_tool_that_was_not_called_is_named() -> None:
    async def main() -> None:
        with pytest.raises(OutputError, match="did not call nothing"):
            await at_once(called()).partial(Recipe, tool="nothing").result()

    asyncio.run(main())


def test_a_wrong_value_is_told_at_once_and_the_rest_can_still_be_read() -> None:
    async def main() -> None:
        chunks = dripped(answer('{"name": "a", "steps": [1, "more"]}', size=1))
        stream = chunks.partial(Recipe)
        with pytest.raises(OutputError, match=r"steps\[0\]"):
            async for _ in stream:
                pass
        assert stream.text == '{"name": "a", "steps": [1,'
        assert await chunks.collect() == ' "more"]}'

    asyncio.run(main())


def test_a_stream_that_failed_or_was_cancelled_says_so() -> None:
    async def main() -> None:
        with pytest.raises(RateLimited):
            await dripped(answer(ITEM, Failure.of(RateLimited("no more")))).partial(Recipe).result()
        with pytest.raises(StreamCancelledException):
            await dripped(answer(ITEM, Cancelled("somebody else did"))).partial(Recipe).result()

    asyncio.run(main())


def test_closing_stops_the_source_and_there_is_no_value_yet() -> None:
    async def main() -> None:
        source = ScriptedSource(answer(), first_delay_s=3600)
        stream = GenerationStream(source).partial(Recipe)
        waiting = asyncio.ensure_future(stream.result())
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError, match="still coming"):
            _ = stream.value
        await stream.aclose()
        with pytest.raises((RuntimeError, StreamCancelledException)):
            await waiting
        assert source.cancelled

    asyncio.run(main())


def test_a_stream_that_was_read_before_has_no_value_to_give() -> None:
    async def main() -> None:
        chunks = at_once(answer())
        assert await chunks.collect() == TEXT
        with pytest.raises(RuntimeError, match="read or closed before"):
            await chunks.partial(Recipe).result()

    asyncio.run(main())


def test_without_a_loop() -> None:
    values = list(iterate_sync(lambda: dripped(answer()).partial(Recipe)))
    assert values[-1] == WHOLE
    assert isinstance(values[0], Recipe)


def test_a_slow_reader_gets_fewer_values() -> None:
    async def main() -> int:
        stream = GenerationStream(ScriptedSource(answer(size=1), batch=1)).partial(Recipe)
        count = 0
        async for _ in stream:
            count += 1
            for _ in range(10):
                await asyncio.sleep(0)
        return count

    assert 2 <= asyncio.run(main()) < len(TEXT) // 5
