"""Whole exchanges over real sockets: bodies of every framing, reuse, cuts, faults, cancellation."""

from __future__ import annotations

import asyncio
import gzip
import zlib

import pytest

from headrace.errors import RequestError
from headrace.testing.loopback import Loopback, Peer, loopback
from headrace.testing.recorder import Recorder, turns
from headrace.transport.http import Call, HttpRequest
from headrace.transport.pool import HttpPool, PoolLimits

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


def send(pool: HttpPool, server: Loopback, method: str = "POST", **more: object) -> tuple[Recorder, Call]:
    recorder = Recorder()
    request = HttpRequest(method, f"{server.url}/v1/x?y=1", {"x-a": "b"}, b"{}" if method == "POST" else b"")
    recorder.call = pool.send(request, recorder, **more)  # type: ignore[arg-type]
    return recorder, recorder.call


def answers(raw: bytes, *, size_bytes: int = 0, close: bool = False):
    """A script: the same bytes to every request of a connection."""

    async def script(peer: Peer) -> None:
        while True:
            await peer.request()
            if size_bytes:
                await peer.drip(raw, size_bytes)
            else:
                peer.write(raw)
            if close:
                return

    return script


async def exchange(raw: bytes, method: str = "POST", **how) -> tuple[Recorder, HttpPool, Loopback]:
    async with loopback(answers(raw, **how)) as server, HttpPool() as pool:
        recorder, _ = send(pool, server, method)
        await recorder.end()
        recorder.idle = pool.idle  # type: ignore[attr-defined]
        return recorder, pool, server


GOOD = {
    "content-length": (OK + b"Content-Length: 5\r\n\r\nhello", b"hello", 1),
    "chunked": (CHUNKED + b"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", b"hello", 1),
    "chunk extensions and trailers": (CHUNKED + b"5;a=b\r\nhello\r\n0\r\nT: 1\r\n\r\n", b"hello", 1),
    "interim heads": (
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n"
        + OK
        + b"Content-Length: 5\r\n\r\nhello",
        b"hello",
        1,
    ),
    "empty": (OK + b"Content-Length: 0\r\n\r\n", b"", 1),
    "no content": (b"HTTP/1.1 204 No Content\r\n\r\n", b"", 1),
    "gzip": (OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n", b"hello" * 100, 1),
    "connection: close": (OK + b"Connection: close\r\nContent-Length: 5\r\n\r\nhello", b"hello", 0),
    "http/1.0": (b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", b"hello", 0),
}


@pytest.mark.parametrize("size_bytes", [0, 1, 7])
@pytest.mark.parametrize("name", GOOD)
def test_bodies_of_every_framing_and_split(run, name: str, size_bytes: int) -> None:
    raw, body, idle = GOOD[name]
    if name == "gzip":
        coded = gzip.compress(body[:100]) + gzip.compress(body[100:])  # two members are one body
        raw = raw % len(coded) + coded
    recorder, _, server = run(exchange(raw, size_bytes=size_bytes))
    assert recorder.ends == [None]
    assert recorder.body == body
    assert recorder.idle == idle
    head, sent = server.requests[0]
    assert head.startswith(b"POST /v1/x?y=1 HTTP/1.1\r\nhost: 127.0.0.1:")
    assert b"\r\nx-a: b\r\n" in head
    assert b"\r\ncontent-length: 2\r\n" in head
    assert sent == b"{}"


@pytest.mark.parametrize("size_bytes", [0, 1])
def test_a_body_may_end_with_the_connection(run, size_bytes: int) -> None:
    recorder, _, _ = run(exchange(OK + b"\r\nhello", size_bytes=size_bytes, close=True))
    assert recorder.ends == [None]
    assert recorder.body == b"hello"
    assert recorder.idle == 0


@pytest.mark.parametrize("coder", [zlib.compress, lambda data: zlib.compress(data)[2:-4]])
def test_deflate_with_and_without_its_wrapper(run, coder) -> None:
    coded = coder(b"hello" * 50)
    raw = OK + b"Content-Encoding: deflate\r\nContent-Length: %d\r\n\r\n" % len(coded) + coded
    recorder, _, _ = run(exchange(raw, size_bytes=3))
    assert recorder.body == b"hello" * 50


def test_head_has_no_body_whatever_it_says(run) -> None:
    recorder, _, server = run(exchange(OK + b"Content-Length: 500\r\n\r\n", "HEAD"))
    assert recorder.ends == [None]
    assert recorder.headers["content-length"] == "500"
    assert recorder.body == b""
    assert b"content-length" not in server.requests[0][0]


def test_one_call_a_read_whatever_the_number_of_chunks(run) -> None:
    recorder, _, _ = run(exchange(CHUNKED + b"1\r\na\r\n" * 1000 + b"0\r\n\r\n"))
    assert recorder.body == b"a" * 1000
    assert len(recorder.parts) == 1


def test_repeated_fields_are_joined_and_names_are_lower_case(run) -> None:
    recorder, _, _ = run(exchange(OK + b"X-A: 1\r\nx-a: 2\r\nEmpty:\r\nContent-Length: 0\r\n\r\n"))
    assert recorder.headers == {"x-a": "1, 2", "empty": "", "content-length": "0"}


def test_a_connection_is_used_again_and_again(run) -> None:
    async def main() -> None:
        async with loopback(answers(CHUNKED + b"2\r\nhi\r\n0\r\n\r\n")) as server, HttpPool() as pool:
            for _ in range(5):
                recorder, _ = send(pool, server)
                await recorder.end()
                assert recorder.body == b"hi"
            assert len(server.peers) == 1
            assert len(server.requests) == 5

    run(main())


BAD = {
    "not HTTP": (b"<html>no</html>", "wire", "http"),
    "bare LF": (b"HTTP/1.1 200 OK\nContent-Length: 2\n\nhi", "wire", "http"),
    "folded field": (OK + b"A: b\r\n c\r\nContent-Length: 0\r\n\r\n", "wire", "http"),
    "space in a name": (OK + b"A b: c\r\n\r\n", "wire", "http"),
    "NUL in a value": (OK + b"A: b\0\r\n\r\n", "wire", "http"),
    "two lengths": (OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nhi!", "wire", "http"),
    "length and chunked": (OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n", "wire", "http"),
    "length is no number": (OK + b"Content-Length: 2x\r\n\r\nhi", "wire", "http"),
    "switching protocols": (b"HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: y\r\n\r\n", "wire", "http"),
    "coding not asked for": (OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n", "wire", "transfer_encoding"),
    "unknown content coding": (OK + b"Content-Encoding: br\r\n\r\nx", "wire", "content_encoding"),
    "huge head": (OK + b"A: " + b"b" * 70_000 + b"\r\n\r\n", "wire", "head_too_large"),
    "endless head": (OK + b"A: " + b"b" * 200_000, "wire", "head_too_large"),
    "endless interim heads": (
        b"HTTP/1.1 100 Continue\r\nA: bbbbbbbbbbb\r\n\r\n" * 8000,
        "wire",
        "head_too_large",
    ),
}


@pytest.mark.parametrize("size_bytes", [0, 1009])
@pytest.mark.parametrize("name", BAD)
def test_a_bad_head_is_a_typed_failure_and_never_reaches_the_receiver(
    run, name: str, size_bytes: int
) -> None:
    raw, kind, code = BAD[name]
    recorder, _, _ = run(exchange(raw, size_bytes=size_bytes))
    assert (recorder.failure.kind, recorder.failure.code) == (kind, code)
    assert recorder.status == 0
    assert recorder.idle == 0
    assert "127.0.0.1" in recorder.failure.message
    assert "/v1/x" not in recorder.failure.message


@pytest.mark.parametrize("size_bytes", [0, 1])
def test_what_was_good_before_a_bad_chunk_arrives_in_any_split(run, size_bytes: int) -> None:
    recorder, _, _ = run(exchange(CHUNKED + b"2\r\nhi\r\nzz\r\n", size_bytes=size_bytes))
    assert recorder.body == b"hi"
    assert (recorder.failure.kind, recorder.failure.code) == ("wire", "http")


def test_a_gzip_bomb_is_bounded(run) -> None:
    bomb = gzip.compress(bytes(64 * 1024 * 1024))
    raw = OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb) + bomb
    recorder, _, _ = run(exchange(raw))
    assert (recorder.failure.kind, recorder.failure.code) == ("wire", "content_encoding")
    assert len(recorder.body) <= 16 * 1024 * 1024


def test_a_coded_body_that_stops_half_way_is_truncated(run) -> None:
    coded = gzip.compress(b"hello" * 1000)[:-10]
    raw = OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(coded) + coded
    recorder, _, _ = run(exchange(raw))
    assert recorder.failure.kind == "truncated"


def test_garbage_under_a_coding_is_a_typed_failure(run) -> None:
    raw = OK + b"Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello"
    recorder, _, _ = run(exchange(raw))
    assert (recorder.failure.kind, recorder.failure.code) == ("wire", "content_encoding")


@pytest.mark.parametrize("raw", [b"", OK, OK + b"Content-Le"])
def test_closed_before_the_head_is_unavailable(run, raw: bytes) -> None:
    recorder, _, _ = run(exchange(raw, close=True))
    assert (recorder.failure.kind, recorder.failure.code) == ("unavailable", "reset")
    assert recorder.failure.retryable


@pytest.mark.parametrize("raw", [OK + b"Content-Length: 5\r\n\r\nhe", CHUNKED + b"2\r\nhe\r\n", CHUNKED])
def test_closed_inside_the_body_is_truncated(run, raw: bytes) -> None:
    recorder, _, _ = run(exchange(raw, close=True))
    assert recorder.status == 200
    assert (recorder.failure.kind, recorder.failure.code) == ("truncated", "truncated")


@pytest.mark.parametrize(("raw", "kind"), [(b"", "unavailable"), (CHUNKED + b"2\r\nhe\r\n", "truncated")])
def test_reset(run, raw: bytes, kind: str) -> None:
    async def main() -> None:
        go = asyncio.Event()

        async def script(peer: Peer) -> None:
            await peer.request()
            peer.write(raw)
            await go.wait()
            peer.reset()

        async with loopback(script) as server, HttpPool() as pool:
            recorder, _ = send(pool, server)
            if raw:
                await recorder.fed.wait()
            go.set()
            await recorder.end()
            assert (recorder.failure.kind, recorder.failure.code) == (kind, "reset")
            assert pool.connections == 0

    run(main())


@pytest.mark.parametrize(
    "surplus",
    [b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged", b"<garbage>"],
    ids=["response", "garbage"],
)
def test_bytes_behind_a_response_reach_nobody_and_end_the_connection(run, surplus: bytes) -> None:
    async def main() -> None:
        raw = OK + b"Content-Length: 2\r\n\r\nhi" + surplus
        async with loopback(answers(raw)) as server, HttpPool() as pool:
            for _ in range(2):
                recorder, _ = send(pool, server)
                await recorder.end()
                assert recorder.body == b"hi"
                assert pool.idle == 0
            assert len(server.peers) == 2

    run(main())


def test_bytes_on_an_unused_connection_end_it(run) -> None:
    async def main() -> None:
        go, gone = asyncio.Event(), asyncio.Event()

        async def script(peer: Peer) -> None:
            await peer.request()
            peer.write(OK + b"Content-Length: 2\r\n\r\nhi")
            await go.wait()
            peer.write(OK + b"Content-Length: 6\r\n\r\nforged")
            await peer.gone()
            gone.set()

        async with loopback(script) as server, HttpPool() as pool:
            recorder, _ = send(pool, server)
            await recorder.end()
            assert pool.idle == 1
            go.set()
            await gone.wait()
            assert pool.connections == 0

    run(main())


def test_a_stale_connection_costs_one_silent_second_try(run) -> None:
    async def main() -> None:
        async def script(peer: Peer) -> None:
            await peer.request()
            peer.write(OK + b"Content-Length: 2\r\n\r\nhi")
            if len(server.peers) == 1:
                await peer.request()  # taken, never answered: closed under the client's hands

        async with loopback(script) as server, HttpPool() as pool:
            for _ in range(2):
                recorder, _ = send(pool, server)
                await recorder.end()
                assert recorder.ends == [None]
            assert len(server.peers) == 2
            assert len(server.requests) == 3

    run(main())


def test_a_fresh_connection_that_closes_is_not_tried_again(run) -> None:
    recorder, _, server = run(exchange(b"", close=True))
    assert len(server.requests) == 1
    assert recorder.failure.code == "reset"


def test_a_stale_connection_is_not_tried_again_once_a_byte_came(run) -> None:
    async def main() -> None:
        async def script(peer: Peer) -> None:
            await peer.request()
            peer.write(OK + b"Content-Length: 2\r\n\r\nhi")
            await peer.request()
            peer.write(b"HTTP/1.1 2")

        async with loopback(script) as server, HttpPool() as pool:
            recorder, _ = send(pool, server)
            await recorder.end()
            recorder, _ = send(pool, server)
            await recorder.end()
            assert recorder.failure.code == "reset"
            assert len(server.requests) == 2

    run(main())


def test_pause_stops_the_reading_and_bounds_what_is_held(run) -> None:
    async def main() -> None:
        written = 0

        async def script(peer: Peer) -> None:
            nonlocal written
            await peer.request()
            peer.write(OK + b"\r\n")
            block = bytes(65_536)
            while written < 64 * 1024 * 1024:
                peer.write(block)
                written += len(block)
                await peer.writer.drain()

        async with loopback(script) as server, HttpPool() as pool:
            recorder, call = send(pool, server)
            recorder.on_data = call.pause
            await recorder.fed.wait()
            await settle(lambda: written)
            held = len(recorder.body)
            assert held <= 1_048_576
            assert written < 32 * 1024 * 1024
            recorder.on_data = None
            call.resume()
            await recorder.end()
            assert recorder.ends == [None]
            assert len(recorder.body) == 64 * 1024 * 1024

    run(main())


async def settle(value) -> None:
    """Until a value has stood still for a while of loop turns that do I/O."""
    still, before = 0, value()
    while still < 50:
        await asyncio.sleep(0.001)
        still, before = (still + 1, before) if value() == before else (0, value())


def test_a_call_paused_before_its_connection_stands_begins_paused(run) -> None:
    async def main() -> None:
        async with loopback(answers(OK + b"Content-Length: 2\r\n\r\nhi")) as server, HttpPool() as pool:
            recorder, call = send(pool, server)
            call.pause()
            while not server.requests:
                await asyncio.sleep(0.001)
            await settle(lambda: recorder.status)
            assert recorder.status == 0
            call.resume()
            await recorder.end()
            assert recorder.body == b"hi"

    run(main())


async def _sent(recorder: Recorder, server: Loopback) -> None:
    while not server.requests:
        await asyncio.sleep(0.001)


# state -> what the server writes, and what to wait for before the cancellation.
STATES = {
    "new": (b"", lambda recorder, server: turns(0)),
    "connecting": (b"", lambda recorder, server: turns(1)),
    "sent": (b"", _sent),
    "head": (CHUNKED, lambda recorder, server: recorder.headed.wait()),
    "body": (CHUNKED + b"2\r\nhi\r\n", lambda recorder, server: recorder.fed.wait()),
}


@pytest.mark.parametrize("state", STATES)
def test_cancel_in_every_state_closes_the_socket_and_calls_nobody(run, state: str) -> None:
    raw, until = STATES[state]

    async def main() -> None:
        async with loopback(hangs(raw)) as server, HttpPool() as pool:
            recorder, call = send(pool, server)
            await until(recorder, server)
            told = (recorder.status, recorder.body)
            call.cancel()
            call.cancel()
            await cancelled(recorder, pool, server)
            assert (recorder.status, recorder.body) == told

    run(main())


@pytest.mark.parametrize("when", ["on_head", "on_data"])
def test_cancel_from_inside_a_callback(run, when: str) -> None:
    async def main() -> None:
        async with loopback(hangs(CHUNKED + b"2\r\nhi\r\n")) as server, HttpPool() as pool:
            recorder, call = send(pool, server)
            setattr(recorder, when, call.cancel)
            await (recorder.headed if when == "on_head" else recorder.fed).wait()
            await cancelled(recorder, pool, server)
            assert recorder.body == (b"" if when == "on_head" else b"hi")

    run(main())


def test_cancel_after_the_end_does_nothing(run) -> None:
    async def main() -> None:
        async with loopback(hangs(CHUNKED + b"0\r\n\r\n")) as server, HttpPool() as pool:
            recorder, call = send(pool, server)
            await recorder.end()
            call.cancel()
            call.pause()
            call.resume()
            await turns()
            assert pool.idle == 1

    run(main())


def hangs(raw: bytes):
    """A script: these bytes, then nothing until the far end is gone."""

    async def script(peer: Peer) -> None:
        await peer.request()
        peer.write(raw)
        await peer.gone()

    return script


async def cancelled(recorder: Recorder, pool: HttpPool, server: Loopback) -> None:
    """The socket is closed within two turns, the server sees it, and nobody is called back."""
    await turns(2)
    assert pool.connections == 0
    for peer in server.peers:
        await asyncio.wait_for(peer.closed.wait(), 10)
    await turns()
    assert not recorder.ends
    assert recorder.call is not None
    recorder.call.pause()
    recorder.call.resume()


def test_the_bound_on_connections_queues_and_then_fails(run) -> None:
    async def main() -> None:
        go = asyncio.Event()

        async def script(peer: Peer) -> None:
            while True:
                await peer.request()
                await go.wait()
                peer.write(OK + b"Content-Length: 2\r\n\r\nhi")

        limits = PoolLimits(connections=2, waiting=2)
        async with loopback(script) as server, HttpPool(limits) as pool:
            first = [send(pool, server)[0] for _ in range(2)]
            impatient, _ = send(pool, server, connect_s=0.05)
            patient, _ = send(pool, server)
            surplus, _ = send(pool, server)
            assert not surplus.ends  # not from inside send
            await surplus.end()
            await impatient.end()
            for refused in (surplus, impatient):
                assert (refused.failure.kind, refused.failure.code) == ("unavailable", "pool_full")
            withdrawn, call = send(pool, server)
            call.cancel()
            go.set()
            for recorder in (*first, patient):
                await recorder.end()
                assert recorder.body == b"hi"
            assert not withdrawn.ends
            assert len(server.peers) == 2

    run(main())


def test_a_queued_request_gets_the_place_of_a_connection_that_dies(run) -> None:
    async def main() -> None:
        async def script(peer: Peer) -> None:
            await peer.request()
            peer.write(OK + b"Connection: close\r\nContent-Length: 2\r\n\r\nhi")

        async with loopback(script) as server, HttpPool(PoolLimits(connections=1)) as pool:
            recorders = [send(pool, server)[0] for _ in range(5)]
            for recorder in recorders:
                await recorder.end()
                assert recorder.body == b"hi"
            assert len(server.peers) == 5

    run(main())


def test_unused_connections_expire_and_are_bounded(run) -> None:
    async def main() -> None:
        limits = PoolLimits(keepalive_s=0.2, idle=3)
        async with loopback(answers(OK + b"Content-Length: 2\r\n\r\nhi")) as server, HttpPool(limits) as pool:
            recorders = [send(pool, server)[0] for _ in range(8)]
            for recorder in recorders:
                await recorder.end()
            assert pool.idle == 3
            while pool.connections:
                await asyncio.sleep(0.01)
            assert len(server.peers) == 8

    run(main())


def test_closing_the_pool_loses_what_is_under_way_and_waits_for_the_sockets(run) -> None:
    async def main() -> None:
        async with loopback(answers(CHUNKED)) as server:
            pool = HttpPool()
            carried, _ = send(pool, server)
            await carried.headed.wait()
            dialling, _ = send(pool, server)
            await pool.aclose()
            for recorder in (carried, dialling):
                await recorder.end()
                assert recorder.failure.code == "closed"
            assert pool.connections == 0
            with pytest.raises(RequestError, match="closed"):
                send(pool, server)

    run(main())


def test_a_receivers_bug_ends_its_own_exchange_only(run) -> None:
    async def main() -> None:
        async with loopback(answers(CHUNKED + b"2\r\nhi\r\n")) as server, HttpPool() as pool:
            seen: list[dict] = []
            asyncio.get_running_loop().set_exception_handler(lambda _, context: seen.append(context))
            good, _ = send(pool, server)
            bad, _ = send(pool, server)
            bad.on_data = lambda: 1 / 0
            await bad.end()
            assert bad.failure.kind == "truncated"
            assert isinstance(seen[0]["exception"], ZeroDivisionError)
            await good.fed.wait()
            assert not good.ends
            good.call.cancel()  # type: ignore[union-attr]

    run(main())
