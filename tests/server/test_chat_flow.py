"""Clients that go away, read slowly or wait long, over every carrier."""

from __future__ import annotations

import asyncio

import pytest
from tests.server.conftest import Carrier
from tests.server.doubles import BEGIN, END, HandModel, Models, frames
from tests.server.raw import chat, connected, events, text_of

from headrace.core.chunk import Failure, TextDelta
from headrace.errors import Unavailable
from headrace.server.limits import Limits


@pytest.mark.parametrize("how", ["close", "reset"])
@pytest.mark.parametrize("when", ["before the first token", "mid-stream", "whole"])
@pytest.mark.parametrize("relays", [False, True])
def test_a_client_that_goes_away_cancels_the_source(
    carrier: Carrier, how: str, when: str, relays: bool
) -> None:
    async def main() -> None:
        model = HandModel(relays=relays)
        async with carrier.serving(Models(model)) as served:
            async with connected(served.url) as client:
                await client.send(chat(stream=when != "whole"))
                source = await model.source()
                if when == "mid-stream":
                    source.push(*([frames("hi", done=False)] if relays else [*BEGIN, TextDelta(0, "hi")]))
                    assert (await client.head())[0] == 200
                assert len(served.app.live) == 1
                if how == "reset":
                    client.reset()
            async with asyncio.timeout(30):
                await source.was_cancelled.wait()
            assert not served.app.live
            assert (served.app.counters.lost, served.app.counters.cancelled) == (1, 1)

    carrier.run(main())


@pytest.mark.parametrize("relays", [False, True])
def test_a_slow_reader_pauses_the_source_and_resumes_it(carrier: Carrier, relays: bool) -> None:
    piece = "x" * 10_000

    async def main() -> None:
        model = HandModel(relays=relays)
        async with (
            carrier.serving(Models(model)) as served,
            connected(served.url, limit=1024, receive_bytes=4096) as client,
        ):
            await client.send(chat())
            source = await model.source()
            if not relays:
                source.push(*BEGIN)
            pushed = 0
            while not source.was_paused.is_set():
                source.push(frames(piece, done=False) if relays else TextDelta(0, piece))
                pushed += 1
                assert pushed < 2000, "20 MB written and never paused"
                await asyncio.sleep(0)
            assert not source.was_resumed.is_set()
            reading = asyncio.create_task(client.response())
            async with asyncio.timeout(30):
                await source.was_resumed.wait()
            if relays:
                source.push(frames())
            else:
                source.push(*END)
            source.end()
            assert text_of((await reading).body) == piece * pushed

    carrier.run(main())


def test_a_reader_that_never_reads_is_dropped(carrier: Carrier) -> None:
    async def main() -> None:
        model = HandModel()
        limits = Limits(slow_reader_s=0.2, write_buffer_bytes=4096)
        async with (
            carrier.serving(Models(model), limits) as served,
            connected(served.url, limit=1024, receive_bytes=4096) as client,
        ):
            await client.send(chat())
            source = await model.source()
            source.push(*BEGIN)
            async with asyncio.timeout(30):
                while not source.was_cancelled.is_set():
                    if not source.paused:
                        source.push(TextDelta(0, "x" * 10_000))
                    await asyncio.sleep(0)
            client.reset()

    carrier.run(main())


@pytest.mark.parametrize("relays", [False, True])
def test_silence_is_bridged_by_comments_and_commits_the_status(carrier: Carrier, relays: bool) -> None:
    async def main() -> None:
        model = HandModel(relays=relays)
        async with (
            carrier.serving(Models(model), Limits(keepalive_after_s=0.1)) as served,
            connected(served.url) as client,
        ):
            await client.send(chat())
            source = await model.source()
            assert (await client.head())[0] == 200
            assert await client.chunk() == b": ping\n"
            assert await client.chunk() == b": ping\n"
            source.end(Failure.of(Unavailable("refused", code="connect_refused")))
            told = await client.response_body()
            assert events(told)[-1]["error"]["code"] == "connect_refused"

    carrier.run(main())
