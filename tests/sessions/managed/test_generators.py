"""Whole answers and live sources -> envelopes: lossless, numbered, in OpenAI's form, as its client judges."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types import Completion
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from headrace import (
    AudioStreamingGenerator,
    ChatStreamingGenerator,
    CompletionStreamingGenerator,
    StreamChunk,
    StreamContext,
    StreamManager,
    StreamType,
)
from headrace.core.chunk import (
    AudioDelta,
    BlockEnd,
    BlockStart,
    CandidateEnd,
    Chunk,
    Failure,
    Finish,
    ReasoningDelta,
    Start,
    TextDelta,
    Token,
    ToolCallDelta,
    TranscriptDelta,
    UsageReport,
)
from headrace.core.fold import fold
from headrace.core.usage import Usage
from headrace.errors import StreamGenerationException
from headrace.sessions.managed.formatters import text_of

CONTEXT = StreamContext("stream-1", StreamType.CHAT, "gpt-4o")
CALLS: dict[str, Any] = {
    "id": "chatcmpl-own",
    "object": "chat.completion",
    "created": 1234567890,
    "model": "gpt-own",
    "choices": [
        {
            "index": 0,
            "message": {
                "role": "assistant",
                "content": "Let me see. ",
                "refusal": None,
                "tool_calls": [
                    {
                        "id": f"call_{at}",
                        "type": "function",
                        "function": {"name": "look", "arguments": f'{{"at": {at}}}'},
                    }
                    for at in range(2)
                ],
            },
            "logprobs": None,
            "finish_reason": "tool_calls",
        }
    ],
    "usage": {"prompt_tokens": 3, "completion_tokens": 40, "total_tokens": 43},
}


def generated(generator: Any, response: Any, context: StreamContext = CONTEXT) -> list[StreamChunk]:
    async def main() -> list[StreamChunk]:
        return [chunk async for chunk in generator.generate(context, response)]

    return asyncio.run(main())


def joined(chunks: list[StreamChunk]) -> str:
    return "".join(text_of(chunk.data) for chunk in chunks)


def check_envelopes(chunks: list[StreamChunk]) -> None:
    assert [chunk.sequence_number for chunk in chunks] == list(range(len(chunks)))
    assert [chunk.is_first for chunk in chunks] == [at == 0 for at in range(len(chunks))]
    assert [chunk.is_last for chunk in chunks] == [at == len(chunks) - 1 for at in range(len(chunks))]
    assert len({chunk.chunk_id for chunk in chunks}) == len(chunks)


@settings(max_examples=60)
@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1))
def test_a_chat_of_any_text_is_lossless(text: str) -> None:
    chunks = generated(ChatStreamingGenerator(), text)
    check_envelopes(chunks)
    assert joined(chunks) == text
    for chunk in chunks:
        ChatCompletionChunk.model_validate(chunk.data)
    assert chunks[0].data["choices"][0]["delta"]["role"] == "assistant"
    assert chunks[-1].data["choices"][0]["finish_reason"] == "stop"


def test_a_completion_is_lossless() -> None:
    text = "Once  upon\n\na time…\n"
    chunks = generated(CompletionStreamingGenerator(), text)
    check_envelopes(chunks)
    assert joined(chunks) == text
    for chunk in chunks[:-1]:
        assert chunk.data["object"] == "text_completion"
    assert Completion.model_validate(chunks[-1].data).choices[0].finish_reason == "stop"


@pytest.mark.parametrize("form", [dict, ChatCompletion.model_validate])
def test_a_response_of_the_official_client_keeps_its_id_and_calls(form: Any) -> None:
    chunks = generated(ChatStreamingGenerator(), form(CALLS), StreamContext("stream-1", StreamType.CHAT))
    check_envelopes(chunks)
    assert {chunk.data["id"] for chunk in chunks} == {"chatcmpl-own"}
    assert {chunk.data["model"] for chunk in chunks} == {"gpt-own"}
    assert {chunk.data["created"] for chunk in chunks} == {1234567890}
    assert joined(chunks) == "Let me see. "
    arguments = ["", ""]
    for chunk in chunks:
        for call in chunk.data["choices"][0]["delta"].get("tool_calls") or ():
            arguments[call["index"]] += call["function"].get("arguments") or ""
    assert arguments == ['{"at": 0}', '{"at": 1}']
    assert chunks[-1].data["choices"][0]["finish_reason"] == "tool_calls"


def test_what_a_vendor_adds_to_a_text_stands_in_one_of_its_pieces() -> None:
    details = [{"type": "reasoning.text", "text": "so it is", "signature": "sig"}]
    message = {"role": "assistant", "content": "Yes.", "reasoning": "so it is", "reasoning_details": details}
    body = {**CALLS, "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
    deltas = [c.data["choices"][0]["delta"] for c in generated(ChatStreamingGenerator(), body)]
    assert [one["reasoning"] for one in deltas if "reasoning" in one] == ["so", " it", " is"]
    assert [one["reasoning_details"] for one in deltas if "reasoning_details" in one] == [details]


def test_the_model_that_was_named_stands_in_every_chunk() -> None:
    assert {chunk.data["model"] for chunk in generated(ChatStreamingGenerator(), CALLS)} == {"gpt-4o"}


def test_a_whole_completion_of_the_official_client() -> None:
    body = {
        "id": "cmpl-own",
        "object": "text_completion",
        "created": 1,
        "model": "m",
        "choices": [{"text": "a b", "index": 0, "logprobs": None, "finish_reason": "length"}],
    }
    chunks = generated(CompletionStreamingGenerator(), Completion.model_validate(body))
    assert joined(chunks) == "a b"
    assert chunks[-1].data["choices"][0]["finish_reason"] == "length"


def test_a_reply_is_streamed_with_its_tokens() -> None:
    tokens = (Token("He", logprob=-0.5), Token("llo", logprob=-0.25))
    made: list[Chunk] = [
        Start("id-1", "m", 7),
        BlockStart(0, "text"),
        TextDelta(0, "Hello", tokens),
        BlockEnd(0),
        CandidateEnd("length"),
        Finish("length"),
    ]
    chunks = generated(ChatStreamingGenerator(), fold(made))
    assert [text_of(chunk.data) for chunk in chunks] == ["", "He", "llo", ""]
    assert chunks[1].data["choices"][0]["logprobs"]["content"][0]["logprob"] == -0.5
    assert chunks[-1].data["choices"][0]["finish_reason"] == "length"
    chunks = generated(CompletionStreamingGenerator(), fold(made))
    assert [text_of(chunk.data) for chunk in chunks] == ["He", "llo", ""]
    assert chunks[1].data["choices"][0]["logprobs"]["text_offset"] == [2]


@pytest.mark.parametrize(
    ("response", "transcript"),
    [
        (bytes(range(256)) * 40, ""),
        (bytearray(bytes(range(256)) * 40), ""),
        (SimpleNamespace(audio=bytes(range(256)) * 40, transcript="Hello there"), "Hello there"),
        ({"audio": bytes(range(256)) * 40}, ""),
        (
            fold(
                [
                    BlockStart(0, "audio"),
                    AudioDelta(0, bytes(range(256)) * 40, "wav"),
                    BlockEnd(0),
                    BlockStart(1, "transcript"),
                    TranscriptDelta(1, "Hello there"),
                    BlockEnd(1),
                    CandidateEnd("stop"),
                    Finish(),
                ]
            ),
            "Hello there",
        ),
    ],
)
def test_sound_is_lossless_in_pieces_of_the_size_asked_for(response: Any, transcript: str) -> None:
    chunks = generated(AudioStreamingGenerator(chunk_size_bytes=4096), response)
    check_envelopes(chunks)
    pieces = [chunk.data["audio"] for chunk in chunks if "audio" in chunk.data]
    assert b"".join(pieces) == bytes(range(256)) * 40
    assert max(map(len, pieces)) == 4096
    assert joined(chunks) == transcript
    assert chunks[-1].data == {"finish_reason": "stop"}


def test_a_body_that_is_an_error_fails_the_stream() -> None:
    with pytest.raises(Exception, match="quota"):
        generated(
            ChatStreamingGenerator(), {"choices": [], "error": {"message": "quota", "type": "server_error"}}
        )


def test_a_live_source_comes_as_it_comes_with_its_usage_reasoning_and_calls() -> None:
    made: list[Chunk] = [
        Start("up-1", "upstream", 7),
        BlockStart(0, "reasoning"),
        ReasoningDelta(0, "hm"),
        BlockEnd(0),
        BlockStart(1, "text"),
        TextDelta(1, "A b"),
        BlockEnd(1),
        BlockStart(2, "tool-call", "call_1", "look"),
        ToolCallDelta(2, "{}"),
        BlockEnd(2),
        CandidateEnd("tool_calls"),
        UsageReport(Usage(3, 17)),
        Finish("tool_calls"),
    ]

    async def main() -> None:
        manager = StreamManager()
        stream = manager.create_stream(StreamType.CHAT, source=made)
        chunks = [chunk async for chunk in stream]
        check_envelopes(chunks)
        deltas = [chunk.data["choices"][0]["delta"] for chunk in chunks]
        assert [delta.get("reasoning_content") for delta in deltas if "reasoning_content" in delta] == ["hm"]
        assert joined(chunks) == "A b"
        assert any("tool_calls" in delta for delta in deltas)
        assert chunks[-1].data["choices"][0]["finish_reason"] == "tool_calls"
        metrics = await manager.get_stream_metrics(stream.stream_id)
        assert metrics is not None
        assert (metrics.total_tokens, metrics.usage) == (17, Usage(3, 17))

    asyncio.run(main())


def test_several_candidates_end_in_one_last_chunk() -> None:
    made: list[Chunk] = [
        TextDelta(0, "a"),
        TextDelta(1, "b", candidate=1),
        CandidateEnd("stop"),
        TextDelta(1, "c", candidate=1),
        CandidateEnd("length", candidate=1),
        Finish(),
    ]

    async def main() -> None:
        chunks = [chunk async for chunk in StreamManager().create_stream("chat", source=made)]
        check_envelopes(chunks)
        told = [(one["index"], one["finish_reason"]) for c in chunks for one in c.data["choices"]]
        assert [one for one in told if one[1]] == [(0, "stop"), (1, "length")]

    asyncio.run(main())


def test_a_source_that_fails_gives_what_came_before_and_then_the_documented_exception() -> None:
    failure = Failure("rate_limited", "wait", "rate_limited", True, 429, {"retry_after_s": 2.0})

    async def main() -> None:
        stream = StreamManager().create_stream("chat", source=[TextDelta(0, "a"), failure])
        got: list[StreamChunk] = []

        async def read() -> None:
            async for chunk in stream:
                got.append(chunk)  # noqa: PERF401 - kept when it raises

        with pytest.raises(StreamGenerationException) as told:
            await read()
        assert joined(got) == "a"
        assert not any(chunk.is_last for chunk in got)
        error = told.value
        assert (error.stream_id, error.code, error.retryable) == (stream.stream_id, "rate_limited", True)
        assert error.error.retry_after_seconds == 2.0
        assert type(error.__cause__).__name__ == "RateLimited"

    asyncio.run(main())
