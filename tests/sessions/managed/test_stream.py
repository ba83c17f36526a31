"""Managed streams as bytes, by every formatter: the end, failures, formatters of the user's own."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.sessions.managed.making import Making, nothing_left

from headrace import (
    JSONLinesFormatter,
    PlainTextFormatter,
    SSEFormatter,
    StreamChunk,
    StreamError,
    StreamGenerationException,
    StreamManager,
    StreamTimeoutException,
)
from headrace.testing.clock import run_virtual


class Custom:
    def format(self, chunk: StreamChunk) -> str:
        return f"CHUNK:{chunk.data['content']}\n"

    def format_error(self, error: StreamError) -> str:
        return f"ERROR:{error.error_code}\n"

    def format_done(self) -> str:
        return "DONE\n"


async def written(formatter: Any, made: Making, **asked: Any) -> list[bytes]:
    stream = StreamManager().create_stream("chat", generator=made, **asked)
    got = [data async for data in stream.formatted(formatter)]
    await nothing_left(made)
    return got


@pytest.mark.parametrize(
    ("formatter", "made", "whole"),
    [
        (SSEFormatter, Making(2), b'data: {"content":"0 "}\n\ndata: {"content":"1 "}\n\ndata: [DONE]\n\n'),
        (PlainTextFormatter, Making(2), b"0 1 "),
        (PlainTextFormatter(), Making(2), b"0 1 "),
        (Custom(), Making(2), b"CHUNK:0 \nCHUNK:1 \nDONE\n"),
        (Custom(), Making(1, error="broken"), b"CHUNK:0 \nERROR:generation\nDONE\n"),
        (Custom(), Making(1, hang=True), b"CHUNK:0 \nERROR:stream_timeout\nDONE\n"),
    ],
)
def test_what_is_written(formatter: Any, made: Making, whole: bytes) -> None:
    assert b"".join(run_virtual(written(formatter, made, timeout_seconds=5.0))) == whole


def test_a_failure_as_an_event_and_as_a_line_is_followed_by_the_end() -> None:
    events = asyncio.run(written(SSEFormatter, Making(1, error="broken")))
    assert b'"error":{"message":"KeyError: \'broken\'"' in events[-1]
    assert events[-1].endswith(b"data: [DONE]\n\n")
    lines = b"".join(asyncio.run(written(JSONLinesFormatter, Making(1, error="broken")))).splitlines()
    assert [line[:15] for line in lines] == [b'{"type":"data",', b'{"type":"error"', b'{"type":"done"}']


@pytest.mark.parametrize(
    ("made", "error"),
    [(Making(1, error="broken"), StreamGenerationException), (Making(1, hang=True), StreamTimeoutException)],
)
def test_text_has_no_word_for_a_failure_which_is_raised(made: Making, error: type[Exception]) -> None:
    with pytest.raises(error):
        run_virtual(written(PlainTextFormatter, made, timeout_seconds=5.0))


@pytest.mark.parametrize("broken", ["format", "format_error", "format_done"])
def test_a_formatter_that_raises_fails_its_reader_and_leaves_nothing(broken: str) -> None:
    def raises(*_: Any) -> str:
        raise ZeroDivisionError(broken)

    formatter = Custom()
    setattr(formatter, broken, raises)
    made = Making(2, error="broken" if broken == "format_error" else "")

    async def main() -> None:
        with pytest.raises(ZeroDivisionError):
            await written(formatter, made)
        await nothing_left(made)

    asyncio.run(main())


def test_bytes_are_bounded_too() -> None:
    async def main() -> None:
        made = Making(5000)
        lines = StreamManager().create_stream("chat", generator=made).formatted(JSONLinesFormatter)
        await anext(lines)
        for _ in range(3000):
            await asyncio.sleep(0)
        assert made.made < 1100
        await lines.aclose()
        await nothing_left(made)

    asyncio.run(main())
