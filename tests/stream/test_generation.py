"""GenerationStream: text, collecting, metadata, replies, progress."""

from __future__ import annotations

import asyncio
from typing import Any

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
    Start,
    TextDelta,
    ToolCallDelta,
    TranscriptDelta,
    UsageReport,
)
from headrace.core.usage import Usage
from headrace.errors import StreamCancelledException, Unavailable
from headrace.simulate.script import ScriptedSource
from headrace.stream.generation import GenerationResult, GenerationStream, StreamProgress, TextStream
from headrace.testing.clock import run_virtual

REPLY: list[Chunk] = [
    Start(id="r1", model="m"),
    BlockStart(0, "reasoning"),
    ReasoningDelta(0, "hm"),
    BlockEnd(0),
    BlockStart(1, "text"),
    TextDelta(1, "Hello"),
    TextDelta(1, ""),
    TextDelta(1, "other", candidate=1),
    TextDelta(1, " world"),
    BlockEnd(1),
    BlockStart(2, "tool-call", "c1", "look"),
    ToolCallDelta(2, "{}"),
    BlockEnd(2),
    CandidateEnd("tool_calls"),
]


FINISH = Finish()


def stream(chunks: list[Chunk] = REPLY, terminal: Any = FINISH, **pace: Any) -> GenerationStream:
    return GenerationStream(ScriptedSource(chunks, terminal, **pace))


def test_text_is_str_only_and_never_empty() -> None:
    async def main() -> None:
        assert [text async for text in stream().text] == ["Hello", " world"]
        one = stream()
        assert isinstance(one.text, TextStream)
        assert await anext(one.text) == "Hello"
        assert await one.text.collect() == " world"
        heard = [TranscriptDelta(0, "helo", committed=False), TranscriptDelta(0, "hello")]
        assert await stream(list(heard)).collect() == "hello"

    run_virtual(main())


def test_closing_the_text_closes_the_stream() -> None:
    async def main() -> None:
        source = ScriptedSource(REPLY, interval_s=1)
        async with GenerationStream(source).text as text:
            async for _ in text:
                break
        assert source.ended
        assert source.cancelled

    run_virtual(main())


def test_collect_raises_what_went_wrong() -> None:
    async def main() -> None:
        assert await stream().collect() == "Hello world"
        with pytest.raises(Unavailable):
            await stream(REPLY, Failure.of(Unavailable("down"))).collect()
        with pytest.raises(StreamCancelledException):
            await stream(REPLY, Cancelled("stopped")).collect()
        assert await stream([]).collect() == ""

    run_virtual(main())


def test_collect_with_metadata_counts_and_times() -> None:
    async def main() -> None:
        chunks: list[Chunk] = [Start(), *(TextDelta(0, f"w{n} ") for n in range(5))]
        result = await stream(
            chunks, Finish("length"), first_delay_s=2, interval_s=0.5
        ).collect_with_metadata()
        assert result == GenerationResult(
            text="w0 w1 w2 w3 w4 ",
            token_count=5,
            generation_time=pytest.approx(2.0),
            tokens_per_second=pytest.approx(2.5),
            finish_reason="length",
            usage=None,
            time_to_first_token=pytest.approx(2.0),
        )
        empty = await stream([]).collect_with_metadata()
        assert empty == GenerationResult("", 0, 0.0, 0.0, "stop")

    run_virtual(main())


def test_the_providers_count_goes_before_ours() -> None:
    async def main() -> None:
        reported = [*REPLY, UsageReport(Usage(7, 40))]
        result = await stream(reported).collect_with_metadata()
        assert (result.token_count, result.usage) == (40, Usage(7, 40))
        assert result.finish_reason == "tool_calls"
        estimated = [*REPLY, UsageReport(Usage(7, 40, estimated=True))]
        result = await stream(estimated).collect_with_metadata()
        assert (result.token_count, result.usage) == (6, Usage(7, 40, estimated=True))

    run_virtual(main())


def test_a_cancelled_generation_says_so() -> None:
    async def main() -> None:
        result = await stream(REPLY, Cancelled("stop")).collect_with_metadata()
        assert (result.text, result.finish_reason) == ("Hello world", "cancelled")
        with pytest.raises(Unavailable):
            await stream(REPLY, Failure.of(Unavailable("down"))).collect_with_metadata()

    run_virtual(main())


def test_reply_folds_everything() -> None:
    async def main() -> None:
        reply = await stream().reply()
        assert (reply.text, reply.reasoning, reply.tool_calls[0].name) == ("Hello world", "hm", "look")
        assert reply.finish_reason == "tool_calls"
        failing = Failure.of(Unavailable("down"))
        with pytest.raises(Unavailable):
            await stream(REPLY, failing).reply()
        partial = await stream(REPLY, failing).reply(partial=True)
        assert (partial.text, partial.failure) == ("Hello world", failing)

    run_virtual(main())


def test_progress() -> None:
    async def main() -> None:
        told: list[StreamProgress] = []
        chunks: list[Chunk] = [Start(), TextDelta(0, "a"), TextDelta(0, "b")]
        assert await stream(chunks, first_delay_s=1, interval_s=1).on_progress(told.append).collect() == "ab"
        assert told == [StreamProgress(1, 1.0, 1.0), StreamProgress(2, 2.0, 1.0)]

    run_virtual(main())


def test_words_and_sentences_of_a_reply() -> None:
    async def main() -> None:
        pieces: list[Chunk] = [TextDelta(0, text) for text in ("It ra", "ins. W", "e stay", " in.")]
        assert [word async for word in stream(pieces).words()] == ["It", " rains.", " We", " stay", " in."]
        assert [one async for one in stream(pieces).sentences()] == ["It rains. ", "We stay in."]
        failing = stream(pieces, Failure.of(Unavailable("down"))).sentences()
        got = [await anext(failing), await anext(failing)]
        assert got == ["It rains. ", "We stay in."]
        with pytest.raises(Unavailable):
            await anext(failing)

    run_virtual(main())


def test_a_whole_pipeline_keeps_the_reply() -> None:
    async def main() -> None:
        made = stream().timeout(60).map_chunks(lambda c: c.text.upper()).smooth().tap(lambda c: None)
        reply = await made.reply()
        assert (reply.text, reply.reasoning, reply.finish_reason) == ("HELLO WORLD", "hm", "tool_calls")

    run_virtual(main())


def test_closing_while_nothing_came_yet_stops_the_model_at_once() -> None:
    async def main() -> None:
        source = ScriptedSource([], None)
        async with GenerationStream(source) as silent:
            reading = asyncio.ensure_future(anext(silent))
            await asyncio.sleep(1)
        assert source.ended
        assert isinstance(await reading, Cancelled)

    run_virtual(main())
