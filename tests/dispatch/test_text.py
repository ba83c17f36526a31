"""The calls people make: a stream of text, of chunks, a whole answer, and all of it without a loop."""

from __future__ import annotations

import asyncio
import gc

import pytest

import headrace
from headrace.config import ProviderSettings
from headrace.core.chunk import Finish, TextDelta
from headrace.errors import RequestError, UnknownModel

TEXT = "Grüße, 世界! 👩‍🚀\n\n  indented\ttext  "


def test_the_text_comes_whole_and_the_reply_beside_it() -> None:
    async def main() -> None:
        result = headrace.stream_text("sim/echo", TEXT)
        pieces = [piece async for piece in result.stream]
        assert len(pieces) > 3
        assert "".join(pieces) == TEXT
        assert result.text == result.response.text == TEXT
        assert result.response.finish_reason == "stop"
        assert result.provider_metadata["model"] == "sim/echo"
        assert result.response.usage is not None

    asyncio.run(main())


def test_chunks_carry_speed_and_end_in_one_terminal() -> None:
    async def main() -> None:
        chunks = [chunk async for chunk in headrace.stream_chunks("sim/echo", "one two three four " * 50)]
        assert sum(chunk.is_complete for chunk in chunks) == 1
        assert isinstance(chunks[-1], Finish)
        speeds = [chunk.tokens_per_second for chunk in chunks if isinstance(chunk, TextDelta)]
        assert speeds[-1] is not None
        assert speeds[-1] > 0

    asyncio.run(main())


def test_generate_waits_for_the_whole() -> None:
    async def main() -> None:
        result = await headrace.generate_text("sim/echo", TEXT, max_tokens=2)
        assert result.response.finish_reason == "length"
        assert TEXT.startswith(result.text)

    asyncio.run(main())


def test_an_unknown_model_is_refused_at_once() -> None:
    async def main() -> None:
        with pytest.raises(UnknownModel):
            headrace.stream_text("nope", "x")

    asyncio.run(main())


def test_a_refused_connection_is_raised_where_the_stream_is_read() -> None:
    async def main() -> None:
        settings = headrace.Settings(
            providers={"up": ProviderSettings(wire="openai_chat", base_url="http://127.0.0.1:1", auth="none")}
        )
        async with headrace.Runtime(settings) as runtime:
            result = headrace.stream_text("up/m", "x", runtime=runtime)
            with pytest.raises(headrace.Unavailable) as caught:
                await result.chunks.start()
            assert caught.value.retryable

    asyncio.run(main())


def test_closing_early_stops_the_source_and_leaves_no_task() -> None:
    async def main() -> None:
        before = len(asyncio.all_tasks())
        result = headrace.stream_text("sim/echo", "word " * 100_000)
        async for _ in result.stream:
            break
        await result.aclose()
        assert len(asyncio.all_tasks()) == before

    asyncio.run(main())
    gc.collect()


def test_outside_a_loop_the_way_is_named() -> None:
    with pytest.raises(RuntimeError, match="stream_sync"):
        headrace.stream_text("sim/echo", "x")


def test_the_synchronous_face_needs_no_loop_and_bears_one() -> None:
    assert "".join(headrace.stream_sync("sim/echo", TEXT)) == TEXT

    async def main() -> None:
        assert "".join(headrace.stream_sync("sim/echo", TEXT)) == TEXT

    asyncio.run(main())


def test_the_synchronous_face_raises_what_cannot_be_asked() -> None:
    with pytest.raises(RequestError):
        list(headrace.stream_sync("sim/echo"))
    with pytest.raises(UnknownModel):
        list(headrace.stream_sync("nope", "x"))
