"""Envelopes as events, lines and text; failures and the end in each."""

from __future__ import annotations

import json
from typing import Any

import pytest

from headrace import (
    ChunkFormatter,
    ErrorSeverity,
    JSONLinesFormatter,
    PlainTextFormatter,
    SseDecoder,
    SSEFormatter,
    StreamChunk,
    StreamError,
)
from headrace.core.chunk import Failure
from headrace.errors import RateLimited, StreamCancelledException, StreamTimeoutException, WireError
from headrace.sessions.managed.formatters import text_of

CHUNK = StreamChunk("s-0", 0, {"content": "a\nb \u2028😀"}, "chat.completion.chunk", 1, is_first=True)
ERROR = StreamError("stream_timeout", "not done in 3 s", recoverable=True, retry_after_seconds=1.5)


def test_an_event_is_one_event_whatever_is_in_it() -> None:
    text = SSEFormatter.format(CHUNK)
    assert text.startswith("data: {")
    assert text.endswith("}\n\n")
    (event,) = SseDecoder().feed(text.encode())
    assert json.loads(event.data) == CHUNK.data


def test_an_error_as_an_event_is_what_the_official_client_raises_at() -> None:
    (event,) = SseDecoder().feed(SSEFormatter.format_error(ERROR).encode())
    error = json.loads(event.data)["error"]
    assert (error["message"], error["code"], error["retry_after_seconds"]) == (
        "not done in 3 s",
        "stream_timeout",
        1.5,
    )
    assert SSEFormatter.format_done() == "data: [DONE]\n\n"


def test_lines() -> None:
    text = JSONLinesFormatter.format(CHUNK)
    assert text.startswith('{"type":"data","sequence":0,')
    assert text.count("\n") == 1
    line = json.loads(text)
    assert line["data"] == CHUNK.data
    assert (line["is_first"], line["is_last"], line["token_count"]) == (True, False, 1)
    error = json.loads(JSONLinesFormatter.format_error(ERROR))
    assert (error["type"], error["error_code"], error["severity"]) == ("error", "stream_timeout", "error")
    assert json.loads(JSONLinesFormatter.format_done()) == {"type": "done"}


def test_sound_is_base64_in_json() -> None:
    chunk = StreamChunk("s-0", 0, {"audio": b"\x00\xff"})
    assert json.loads(JSONLinesFormatter.format(chunk))["data"] == {"audio": "AP8="}


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("plain", "plain"),
        ({"content": "c"}, "c"),
        ({"text": "t"}, "t"),
        ({"transcript": "heard"}, "heard"),
        ({"choices": [{"index": 0, "delta": {"content": "d"}}]}, "d"),
        ({"choices": [{"index": 0, "text": "legacy"}]}, "legacy"),
        ({"choices": [{"index": 1, "delta": {"content": "another's"}}]}, ""),
        ({"choices": [{"delta": {}}]}, ""),
        ({"choices": None}, ""),
        ({"choices": ["odd"]}, ""),
        (17, ""),
    ],
)
def test_text(data: Any, text: str) -> None:
    assert text_of(data) == PlainTextFormatter.format(StreamChunk("s-0", 0, data)) == text


@pytest.mark.parametrize("formatter", [SSEFormatter, JSONLinesFormatter, PlainTextFormatter])
def test_the_formatters_are_what_the_protocol_asks_for(formatter: Any) -> None:
    assert isinstance(formatter, ChunkFormatter)
    assert isinstance(formatter(), ChunkFormatter)


@pytest.mark.parametrize(
    ("error", "code", "severity", "recoverable", "after"),
    [
        (StreamTimeoutException("t", code="total"), "stream_timeout", ErrorSeverity.ERROR, True, None),
        (StreamCancelledException("c"), "stream_cancelled", ErrorSeverity.INFO, False, None),
        (RateLimited("r", retry_after_s=7.0), "rate_limited", ErrorSeverity.WARNING, True, 7.0),
        (WireError("w", code="bad_json"), "bad_json", ErrorSeverity.CRITICAL, False, None),
    ],
)
def test_a_failure_as_a_value(
    error: Any, code: str, severity: ErrorSeverity, recoverable: bool, after: float | None
) -> None:
    value = StreamError.of(Failure.of(error))
    assert (value.error_code, value.severity) == (code, severity)
    assert (value.recoverable, value.retry_after_seconds) == (recoverable, after)
