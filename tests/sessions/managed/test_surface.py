"""Every documented name of managed streams, with the defaults that its users know."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

import pytest

import headrace
from headrace import (
    ErrorSeverity,
    StreamChunk,
    StreamContext,
    StreamError,
    StreamManager,
    StreamMetrics,
    StreamStatus,
    StreamType,
)
from headrace.errors import RequestError

# name -> (parameter, its default) in order; `...` where it has none.
SIGNATURES: dict[str, dict[str, Any]] = {
    "StreamManager": {
        "metrics_tracker": None,
        "streaming_metrics_tracker": None,
        "latency_manager": None,
        "kv_cache_router": None,
        "kv_cache_metrics": None,
        "default_timeout_seconds": 300.0,
        "enable_metrics": True,
        "enable_latency_simulation": False,
    },
    "TokenChunker": {"min_chunk_size": 1, "max_chunk_size": 10},
    "AdaptiveChunker": {"initial_chunk_size": 5, "target_chunk_delay_ms": 50.0},
    "ChatStreamingGenerator": {"latency_manager": None},
    "CompletionStreamingGenerator": {"latency_manager": None},
    "AudioStreamingGenerator": {"latency_manager": None, "chunk_size_bytes": 4096},
}
METHODS = {
    "StreamManager.create_stream": (
        "stream_type model full_response source endpoint prompt_tokens temperature max_tokens client_id "
        "timeout_seconds chunk_delay_seconds enable_latency_simulation generator"
    ),
    "StreamManager.get_stream_status": "stream_id",
    "StreamManager.get_stream_metrics": "stream_id",
    "StreamManager.cancel_stream": "stream_id",
    "SSEFormatter.format": "chunk",
    "SSEFormatter.format_error": "error",
    "SSEFormatter.format_done": "",
    "JSONLinesFormatter.format": "chunk",
    "PlainTextFormatter.format": "chunk",
    "TokenChunker.tokenize": "self text",
    "TokenChunker.chunk_text": "self text",
    "DeltaGenerator.generate_chat_delta": "self role content",
    "DeltaGenerator.generate_completion_delta": "self text",
    "DeltaGenerator.generate_audio_delta": "self audio_chunk transcript_delta",
    "AdaptiveChunker.adjust_chunk_size": "self actual_delay_ms",
    "AdaptiveChunker.get_chunk_size": "self",
    "StreamingGenerator.generate": "self context full_response",
    "ChunkFormatter.format": "self chunk",
    "ChunkFormatter.format_error": "self error",
    "ChunkFormatter.format_done": "self",
}


@pytest.mark.parametrize("name", SIGNATURES)
def test_a_class_takes_the_documented_arguments(name: str) -> None:
    parameters = inspect.signature(getattr(headrace, name)).parameters
    told = {found: one.default for found, one in parameters.items() if one.kind is not one.KEYWORD_ONLY}
    assert told == SIGNATURES[name]


@pytest.mark.parametrize("name", METHODS)
def test_a_method_takes_the_documented_arguments(name: str) -> None:
    owner, method = name.split(".")
    found = list(inspect.signature(getattr(getattr(headrace, owner), method)).parameters)
    wanted = METHODS[name].split()
    assert [one for one in found if one in wanted] == wanted


def test_words_of_the_enumerations() -> None:
    assert [kind.name for kind in StreamType] == ["CHAT", "COMPLETION", "AUDIO", "REALTIME"]
    assert list(StreamStatus) == [
        "initializing",
        "running",
        "paused",
        "completed",
        "failed",
        "cancelled",
        "timeout",
    ]
    assert "ERROR" in ErrorSeverity.__members__


def test_documented_values_can_be_made() -> None:
    context = StreamContext(
        stream_id="stream-123",
        stream_type=StreamType.CHAT,
        model="gpt-4o",
        endpoint="/v1/chat/completions",
        timeout_seconds=300.0,
        chunk_delay_seconds=0.05,
        prompt_tokens=100,
        temperature=0.7,
    )
    assert (context.max_tokens, context.client_id) == (None, "")
    chunk = StreamChunk(
        chunk_id="chunk-1",
        sequence_number=0,
        data={"content": "Hello"},
        chunk_type="chat.completion.chunk",
        token_count=1,
        is_first=True,
        is_last=False,
    )
    assert chunk.data["content"] == "Hello"
    error = StreamError(
        error_code="stream_timeout",
        message="Stream exceeded 300s timeout",
        severity=ErrorSeverity.ERROR,
        recoverable=True,
        retry_after_seconds=1.0,
    )
    assert error.retry_after_seconds == 1.0


def test_metrics_tell_nothing_that_was_not_measured() -> None:
    metrics = StreamMetrics(stream_id="stream-123", start_time=1000.0)
    assert (metrics.total_chunks, metrics.total_tokens) == (0, 0)
    assert metrics.time_to_first_chunk_ms() is None
    assert metrics.total_duration_ms() is None
    assert metrics.tokens_per_second() is None
    metrics.first_chunk_time = 1000.15
    metrics.last_chunk_time = 1000.15
    metrics.total_tokens = 1
    assert metrics.time_to_first_chunk_ms() == pytest.approx(150.0)
    assert metrics.tokens_per_second() is None  # one moment has no speed
    metrics.last_chunk_time = 1002.15
    metrics.total_tokens = 200
    assert metrics.tokens_per_second() == pytest.approx(100.0)


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("latency_manager", object()),
        ("kv_cache_router", object()),
        ("kv_cache_metrics", object()),
        ("enable_latency_simulation", True),
        ("default_timeout_seconds", 0),
        ("default_timeout_seconds", float("nan")),
        ("default_timeout_seconds", float("inf")),
        ("default_timeout_seconds", "300"),
        ("ended_ttl_seconds", -1),
        ("ended_ttl_seconds", "600"),
    ],
)
def test_a_manager_refuses_what_would_do_nothing(argument: str, value: Any) -> None:
    with pytest.raises(RequestError, match=argument) as told:
        StreamManager(**{argument: value})
    assert told.value.field == argument


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"stream_type": StreamType.REALTIME, "full_response": "a"}, "stream_type"),
        ({"stream_type": "video", "full_response": "a"}, "stream_type"),
        ({"full_response": "a", "enable_latency_simulation": True}, "enable_latency_simulation"),
        ({}, "full_response"),
        ({"full_response": "a", "source": ["b"]}, "source"),
        ({"source": 17}, "source"),
        ({"generator": 17, "full_response": "a"}, "generator"),
        ({"full_response": 17}, "full_response"),
        ({"full_response": {"text": "a"}}, "full_response.choices"),
        ({"full_response": "a", "timeout_seconds": -1}, "timeout_seconds"),
        ({"full_response": "a", "chunk_delay_seconds": -1}, "chunk_delay_seconds"),
        ({"full_response": "a", "chunk_delay_seconds": float("inf")}, "chunk_delay_seconds"),
        ({"stream_type": "audio", "full_response": "a"}, "full_response"),
    ],
)
def test_a_stream_that_cannot_be_is_refused_before_it_begins(asked: dict[str, Any], field: str) -> None:
    with pytest.raises(RequestError) as told:
        StreamManager().create_stream(**{"stream_type": StreamType.CHAT, **asked})
    assert told.value.field == field


def test_a_coroutine_that_was_not_awaited_is_no_source() -> None:
    with pytest.raises(RequestError, match=r"source: coroutine is none of .*: a coroutine is awaited first"):
        StreamManager().create_stream("chat", source=asyncio.sleep(0))


@pytest.mark.parametrize(
    "name", ["ChatStreamingGenerator", "CompletionStreamingGenerator", "AudioStreamingGenerator"]
)
def test_a_generator_refuses_a_latency_manager(name: str) -> None:
    with pytest.raises(RequestError, match="latency_manager"):
        getattr(headrace, name)(latency_manager=object())
