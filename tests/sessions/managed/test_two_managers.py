"""Two managers on one Valkey server: each sees, reads and stops the other's streams."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Coroutine, Iterator
from typing import NamedTuple

import pytest
from tests.sessions.managed.making import Making
from tests.store.servers import Server, valkey_server
from tests.store.valkey.nodes import die

from headrace import StreamChunk, StreamManager, StreamStatus, StreamType
from headrace.errors import RequestError, StreamCancelledException, StreamGenerationException
from headrace.sessions.table import Sessions
from headrace.store.valkey import ValkeyLog

CHAT = StreamType.CHAT
BEAT_S = 0.1
PATIENCE_S = 20.0
_prefixes = (f"m{number}:" for number in itertools.count())


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with valkey_server() as running:
        yield running


class Node(NamedTuple):
    """A manager as one process has it."""

    log: ValkeyLog
    sessions: Sessions
    manager: StreamManager


Main = Callable[[Node, Node], Coroutine[None, None, None]]


def run_two(server: Server, main: Main) -> None:
    """Run `main` with two nodes; nothing that they began lives on."""
    prefix = next(_prefixes)

    def node() -> Node:
        log = ValkeyLog(server.url, prefix=prefix, heartbeat_s=BEAT_S)
        sessions = Sessions(log)
        return Node(log, sessions, StreamManager(sessions=sessions))

    async def whole() -> None:
        one, two = node(), node()
        async with asyncio.timeout(PATIENCE_S):
            await main(one, two)
            for each in (one, two):
                await each.manager.aclose()
                await each.sessions.aclose()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(whole())


async def status_is(node: Node, id: str, wanted: StreamStatus) -> None:
    while await node.manager.get_stream_status(id) is not wanted:
        await asyncio.sleep(0.01)


def said(chunks: list[StreamChunk]) -> list[str]:
    return [chunk.data["content"] for chunk in chunks]


def test_each_sees_the_others_streams(server: Server) -> None:
    async def main(one: Node, two: Node) -> None:
        made = Making(2, hang=True)
        stream = one.manager.create_stream(CHAT, "m", generator=made)
        first = await anext(stream)
        assert first.data["content"] == "0 "
        await status_is(two, stream.stream_id, StreamStatus.RUNNING)
        assert await one.manager.get_stream_status(stream.stream_id) is StreamStatus.RUNNING
        whole = two.manager.create_stream(CHAT, full_response="a b")
        got = [chunk async for chunk in whole]
        await status_is(one, whole.stream_id, StreamStatus.COMPLETED)
        figures = await one.manager.get_stream_metrics(whole.stream_id)
        assert figures is not None
        assert figures.total_chunks == len(got)
        assert await two.manager.get_stream_status("stream-nobodys") is None
        await stream.aclose()

    run_two(server, main)


def test_each_reads_the_others_streams_from_anywhere(server: Server) -> None:
    async def main(one: Node, two: Node) -> None:
        stream = one.manager.create_stream(CHAT, "m", generator=Making(50, every_s=0.005))
        first = await anext(stream)
        await status_is(two, stream.stream_id, StreamStatus.RUNNING)
        live = two.manager.read_stream(stream.stream_id)
        from_two, rest = await asyncio.gather(_all(live), _all(stream))
        assert from_two == [first, *rest]
        assert said(from_two)[:50] == [f"{number} " for number in range(50)]
        again = await _all(two.manager.read_stream(stream.stream_id, after_sequence=9))
        assert again == from_two[10:]
        assert await _all(one.manager.read_stream(stream.stream_id)) == from_two

    run_two(server, main)


def test_each_cancels_the_others_streams(server: Server) -> None:
    async def main(one: Node, two: Node) -> None:
        made = Making(1, hang=True)
        stream = one.manager.create_stream(CHAT, "m", generator=made)
        await anext(stream)
        await status_is(two, stream.stream_id, StreamStatus.RUNNING)
        live = two.manager.read_stream(stream.stream_id)
        await anext(live)
        assert await two.manager.cancel_stream(stream.stream_id)
        for reader in (stream, live):
            with pytest.raises(StreamCancelledException):
                await anext(reader)
        assert made.closed == 1
        for node in (one, two):
            await status_is(node, stream.stream_id, StreamStatus.CANCELLED)
        assert not await two.manager.cancel_stream(stream.stream_id)  # it has ended
        assert not await one.manager.cancel_stream(stream.stream_id)

    run_two(server, main)


def test_an_id_is_the_installations(server: Server) -> None:
    async def main(one: Node, two: Node) -> None:
        stream = one.manager.create_stream(CHAT, full_response="a", stream_id="mine")
        got = await _all(stream)
        with pytest.raises(RequestError):
            await _all(two.manager.read_stream("yours"))
        with pytest.raises(StreamGenerationException, match="another server writes a stream of this id"):
            await _all(two.manager.create_stream(CHAT, full_response="b", stream_id="mine"))
        for node in (one, two):
            assert await _all(node.manager.read_stream("mine")) == got

    run_two(server, main)


def test_readers_of_a_manager_that_died_are_told(server: Server) -> None:
    async def main(one: Node, two: Node) -> None:
        stream = one.manager.create_stream(CHAT, "m", generator=Making(1, hang=True))
        await anext(stream)
        await status_is(two, stream.stream_id, StreamStatus.RUNNING)
        live = two.manager.read_stream(stream.stream_id)
        assert (await anext(live)).data["content"] == "0 "
        await die(one.log)
        with pytest.raises(StreamGenerationException) as failed:
            await anext(live)
        assert failed.value.code == "interrupted"
        await status_is(two, stream.stream_id, StreamStatus.FAILED)
        await stream.aclose()

    run_two(server, main)


async def _all(stream: object) -> list[StreamChunk]:
    return [chunk async for chunk in stream]  # type: ignore[attr-defined]
