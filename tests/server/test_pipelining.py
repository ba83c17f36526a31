"""Clients that ask much and read little: what one connection may take of the loop and of memory."""

from __future__ import annotations

import asyncio

import pytest
from tests.server.conftest import Carrier
from tests.server.doubles import BEGIN, END, HandModel, HandSource, Models, frames
from tests.server.raw import RawClient, chat, connected, request, text_of

from headrace.core.chunk import TextDelta
from headrace.server.limits import Limits

HEALTH = request("GET", "/health")
MANY = 20_000
PIECE = "x" * 10_000


async def turns(count: int) -> None:
    """Let the loop turn."""
    for _ in range(count):
        await asyncio.sleep(0)


async def read_all(client: RawClient, count: int) -> None:
    for _ in range(count):
        assert (await client.response()).status == 200


def test_one_who_pipelines_does_not_starve_another(direct: Carrier) -> None:
    async def main() -> None:
        async with (
            direct.serving(Models()) as served,
            connected(served.url) as greedy,
            connected(served.url) as modest,
        ):
            await modest.send(HEALTH)
            await read_all(modest, 1)
            flood = asyncio.create_task(greedy.send(HEALTH * MANY))
            reading = asyncio.create_task(read_all(greedy, MANY))
            await turns(5)
            for _ in range(3):
                before = served.app.counters.requests
                assert 0 < before < MANY
                await modest.send(HEALTH)
                await read_all(modest, 1)
                assert served.app.counters.requests - before < 500
            for task in (flood, reading):
                task.cancel()
            await asyncio.wait({flood, reading})

    direct.run(main())


def test_all_who_pipeline_and_read_are_answered(direct: Carrier) -> None:
    async def main() -> None:
        limits = Limits(write_buffer_bytes=1024, drain_s=2)
        async with direct.serving(Models(), limits) as served, connected(served.url, limit=1024) as client:
            flood = asyncio.create_task(client.send(HEALTH * 2000 + b"junk\r\n\r\n"))
            await read_all(client, 2000)
            assert (await client.response()).status == 400
            assert await client.rest() == b""
            await flood

    direct.run(main())


@pytest.mark.parametrize(
    "tail",
    [b"", HEALTH[:9], HEALTH[:-2] + b"Content-Length: 5\r\n\r\nabc"],
    ids=["nothing", "half a head", "half a body"],
)
def test_one_who_never_reads_is_answered_no_further_and_cut_off(direct: Carrier, tail: bytes) -> None:
    asks = request("GET", "/long") * 2000

    async def main() -> None:
        limits = Limits(slow_reader_s=0.3, write_buffer_bytes=4096)
        async with (
            direct.serving(Models(), limits) as served,
            connected(served.url, limit=1024, receive_bytes=1024) as client,
        ):
            served.app.routes["GET", "/long"] = lambda exchange: exchange.respond(200, (), b"x" * 5000)
            flood = asyncio.create_task(client.send(asks + tail))
            async with asyncio.timeout(30):
                while served.count_connections():
                    await asyncio.sleep(0.01)
            assert served.app.counters.requests < 1900  # what the kernel's own buffers take
            client.writer.transport.abort()
            await asyncio.wait({flood})
            assert flood.exception() is None or isinstance(flood.exception(), ConnectionError)

    direct.run(main())


@pytest.mark.parametrize("relays", [False, True])
def test_a_stream_behind_an_unread_answer_is_bounded(carrier: Carrier, relays: bool) -> None:
    async def main() -> None:
        model = HandModel(relays=relays)
        async with (
            carrier.serving(Models(model), Limits(slow_reader_s=5, drain_s=2)) as served,
            connected(served.url, limit=1024, receive_bytes=4096) as client,
        ):
            await client.send(chat(stream=False))
            first = await model.source()
            first.push(*BEGIN, TextDelta(0, "y" * 8_000_000), *END)
            first.end()
            await client.send(chat())
            second, pushed = None, 0
            for _ in range(2000):
                await asyncio.sleep(0)
                if second is None and not model.sources.empty():
                    second = await model.source()
                    if not relays:
                        second.push(*BEGIN)
                if second is not None and not second.paused:
                    say(second, relays)
                    pushed += 1
            assert pushed < 200, "more than 2 MB written behind what is not read"
            reading = asyncio.create_task(both(client))
            second = second or await model.source()
            if not pushed and not relays:
                second.push(*BEGIN)
            say(second, relays)
            second.push(*([frames()] if relays else END))
            second.end()
            assert text_of(await reading) == PIECE * (pushed + 1)

    carrier.run(main())


def say(source: HandSource, relays: bool) -> None:
    source.push(frames(PIECE, done=False) if relays else TextDelta(0, PIECE))


async def both(client: RawClient) -> bytes:
    assert len((await client.response()).body) > 8_000_000
    return (await client.response()).body
