"""The same over real sockets: reuse, eager errors, nothing left behind."""

from __future__ import annotations

import asyncio
import gc
import os

from headrace.config import Secret
from headrace.core.chunk import Cancelled, Finish
from headrace.core.message import user
from headrace.core.request import Request
from headrace.providers.model import provider_model
from headrace.providers.row import ProviderRow
from headrace.testing.loopback import Loopback, Peer, loopback
from headrace.testing.recorder import turns
from headrace.transport.pool import HttpPool, pool_here

HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n"
)
ASK = Request("up/gpt", messages=(user("hi"),))


def chunked(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def begin(basin, server: Loopback, pool: HttpPool | None = None):
    row = ProviderRow("up", "openai_chat", f"{server.url}/v1", api_key=Secret("sk-geheim"))
    sink = basin()
    source = provider_model(row, "gpt", pool).open(ASK).source
    source.start(sink)
    return sink, source


def test_a_finished_answer_gives_its_connection_back(basin, hello) -> None:
    async def script(peer: Peer) -> None:
        while True:
            await peer.request()
            peer.write(HEAD)
            for part in hello:
                await peer.drip(chunked(part), 20)
            peer.write(b"0\r\n\r\n")

    async def main() -> None:
        async with loopback(script) as server, HttpPool() as pool:
            for _ in range(3):
                sink, _ = begin(basin, server, pool)
                assert isinstance(await sink.terminal(), Finish)
                assert sink.text == "hello"
                while not pool.idle:
                    await asyncio.sleep(0.001)
            assert len(server.peers) == 1

    asyncio.run(main())


def test_an_error_status_is_known_before_any_stream(basin) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        body = b'{"error": {"message": "slow down", "type": "rate_limit"}}'
        head = b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 3\r\nContent-Type: application/json\r\n"
        peer.write(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        await peer.gone()

    async def main() -> None:
        async with loopback(script) as server, HttpPool() as pool:
            sink, _ = begin(basin, server, pool)
            failure = await sink.terminal()
            assert (failure.kind, failure.detail["retry_after_s"]) == ("rate_limited", 3)
            await turns()

    asyncio.run(main())


def test_a_reader_that_pauses_stops_the_model_within_bounded_bytes(basin, hello) -> None:
    sent = 0

    async def script(peer: Peer) -> None:
        nonlocal sent
        await peer.request()
        peer.write(HEAD + chunked(hello[0]))
        block = chunked(hello[1] * 200)
        while sent < 64 * 1024 * 1024:
            peer.write(block)
            sent += len(block)
            await peer.writer.drain()

    async def main() -> None:
        async with loopback(script) as server, HttpPool() as pool:
            sink, source = begin(basin, server, pool)
            await sink.fed.wait()
            source.pause()
            still, before = 0, 0
            while still < 50:
                await asyncio.sleep(0.001)
                still, before = (still + 1, before) if before == sent else (0, sent)
            assert sent < 16 * 1024 * 1024
            assert len(sink.text) < 1024 * 1024
            source.cancel()
            await asyncio.wait_for(server.peers[0].closed.wait(), 10)

    asyncio.run(main())


def test_a_hundred_cancelled_answers_leave_no_socket_and_no_task(basin, hello) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        if len(peer.server.requests) % 2:
            peer.write(HEAD + chunked(hello[0]) + chunked(hello[1]))
        await peer.gone()

    async def main() -> None:
        async with loopback(script) as server, HttpPool() as pool:
            gc.collect()
            before = len(os.listdir("/proc/self/fd"))
            begun = [begin(basin, server, pool) for _ in range(100)]
            while len(server.requests) < 60:
                await asyncio.sleep(0.001)
            for sink, source in begun:
                source.cancel()
                assert isinstance(sink.terminals[0], Cancelled)
            await turns()
            assert pool.connections == 0
            assert len(pool.wheel) == 0
            for peer in server.peers:
                await asyncio.wait_for(peer.closed.wait(), 10)
            while len(os.listdir("/proc/self/fd")) > before:
                await asyncio.sleep(0.001)

    asyncio.run(main())


def test_the_loops_own_pool_closes_itself(basin, hello) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        peer.write(HEAD + b"".join(map(chunked, hello)) + b"0\r\n\r\n")
        await peer.gone()

    async def main() -> HttpPool:
        async with loopback(script) as server:
            sink, _ = begin(basin, server)
            assert isinstance(await sink.terminal(), Finish)
            assert pool_here() is pool_here()
            return pool_here()

    pool = asyncio.run(main())
    assert pool.connections == 0
