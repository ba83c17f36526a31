"""What only our own protocol promises: HTTP/1 to the letter, over exact bytes."""

from __future__ import annotations

import asyncio

import pytest
from tests.server.conftest import Carrier
from tests.server.doubles import BEGIN, END, HandModel, Models
from tests.server.raw import chat, connected, request

from headrace.server.limits import Limits

HEALTH = request("GET", "/health")
EXPECT = b"POST /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n"
SMALL = Limits(max_body_bytes=64, max_head_bytes=512)
HASTY = Limits(head_s=0.1, body_s=0.1, idle_s=0.2)

REFUSED = {
    "not http": (b"\x16\x03\x01\x02\x00\x01\r\n\r\n", 400, "bad_http"),
    "two lengths": (
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
        "bad_http",
    ),
    "two lengths, other order": (
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
        400,
        "bad_http",
    ),
    "lengths that differ": (
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        400,
        "bad_http",
    ),
    "signed length": (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\nabc", 400, "bad_http"),
    "chunked not last": (
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        400,
        "bad_http",
    ),
    "another coding": (
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        501,
        "bad_coding",
    ),
    "chunks in HTTP/1.0": (
        b"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        501,
        "bad_coding",
    ),
    "equal lengths": (
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
        400,
        "bad_http",
    ),
    "a list of lengths": (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\nx", 400, "bad_http"),
    "folded length": (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n 5\r\n\r\nhello", 400, "bad_http"),
    "folded coding": (
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
        400,
        "bad_http",
    ),
    "coding behind a tab": (
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
        400,
        "bad_http",
    ),
    "coding and a space": (
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        400,
        "bad_http",
    ),
    "two codings": (
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n",
        400,
        "bad_http",
    ),
    "chunk longer than it says": (
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n0\r\n\r\n",
        400,
        "bad_http",
    ),
    "chunk of 2^64": (
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000001\r\nx\r\n",
        400,
        "bad_http",
    ),
    "chunk ended by LF": (
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\nx\r\n0\r\n\r\n",
        400,
        "bad_http",
    ),
    "line in a chunk extension": (
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;a\nb\r\nx\r\n0\r\n\r\n",
        400,
        "bad_http",
    ),
    "NUL in a header": (b"GET / HTTP/1.1\r\nHost: a\r\nX: a\x00b\r\n\r\n", 400, "bad_http"),
    "CR in a header": (b"GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n", 400, "bad_http"),
    "space in a path": (b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400, "bad_http"),
    "bad chunk size": (
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        400,
        "bad_http",
    ),
    "bare LF": (b"GET / HTTP/1.1\nHost: a\n\n", 400, "bad_http"),
    "folded header": (b"GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n", 400, "bad_http"),
    "space before colon": (b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400, "bad_http"),
    "no host": (b"GET /health HTTP/1.1\r\n\r\n", 400, "bad_host"),
    "two hosts": (b"GET /health HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, "bad_host"),
    "tunnel": (b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", 405, "method_not_allowed"),
    "HTTP/2": (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505, "http_version"),
    "chunked upgrade": (
        b"POST / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: h2c\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
        "bad_upgrade",
    ),
    "long request line": (b"GET /" + b"a" * 600, 414, "uri_too_long"),
    "long header": (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 600, 431, "headers_too_long"),
    "many headers": (
        b"GET / HTTP/1.1\r\nHost: a\r\n" + b"".join(b"X%d: y\r\n" % n for n in range(100)) + b"\r\n",
        431,
        "headers_too_long",
    ),
    "long trailer": (
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX: "
        + b"a" * 600
        + b"\r\nY: b\r\n\r\n",
        431,
        "headers_too_long",
    ),
    "long body": (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 65\r\n\r\n", 413, "body_too_large"),
    "long chunked body": (
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        + b"10\r\n0123456789abcdef\r\n" * 5,
        413,
        "body_too_large",
    ),
    "slow head": (b"GET / HTT", 408, "request_timeout"),
    "slow body": (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc", 408, "request_timeout"),
}


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("step_bytes", [1, 4096])
def test_what_cannot_be_read_is_refused_and_the_connection_closed(
    direct: Carrier, case: str, step_bytes: int
) -> None:
    data, status, code = REFUSED[case]

    async def main() -> None:
        limits = HASTY if status == 408 else SMALL
        async with direct.serving(Models(), limits) as served, connected(served.url) as client:
            for at in range(0, len(data), step_bytes):
                client.writer.write(data[at : at + step_bytes])
                await asyncio.sleep(0)
            response = await client.response()
            assert (response.status, response.error["code"]) == (status, code)
            assert response.headers["connection"] == "close"
            assert await client.rest() == b""
            assert served.app.counters.refused == 1

    direct.run(main())


def test_silence_is_closed_without_a_word(direct: Carrier) -> None:
    async def main() -> None:
        async with direct.serving(Models(), HASTY) as served:
            async with connected(served.url) as client:
                assert await client.rest() == b""
            async with connected(served.url) as client:
                await client.send(HEALTH)
                assert (await client.response()).status == 200
                assert await client.rest() == b""

    direct.run(main())


@pytest.mark.parametrize("first", [b"", HEALTH], ids=["at first", "between requests"])
def test_empty_lines_do_not_keep_a_connection(direct: Carrier, first: bytes) -> None:
    async def main() -> None:
        async with direct.serving(Models(), HASTY) as served, connected(served.url) as client:
            if first:
                await client.send(first)
                assert (await client.response()).status == 200
            async with asyncio.timeout(30):
                while served.count_connections():
                    client.writer.write(b"\r\n")
                    await asyncio.sleep(0.01)
            client.writer.transport.abort()

    direct.run(main())


@pytest.mark.parametrize("step_bytes", [1, 7, 10_000])
def test_pipelined_requests_are_answered_in_order(direct: Carrier, step_bytes: int) -> None:
    wanted = [("GET", "/health", 200), ("GET", "/a", 404), ("HEAD", "/health", 200), ("PUT", "/health", 405)]
    data = b"".join(request(method, path) for method, path, _ in wanted) * 3

    async def main() -> None:
        async with direct.serving(Models()) as served, connected(served.url) as client:
            for at in range(0, len(data), step_bytes):
                client.writer.write(data[at : at + step_bytes])
                await asyncio.sleep(0)
            for method, _, status in wanted * 3:
                response = await client.response(head_only=method == "HEAD")
                assert response.status == status
                assert "connection" not in response.headers

    direct.run(main())


def test_a_request_behind_a_stream_waits_for_its_end(direct: Carrier) -> None:
    async def main() -> None:
        model = HandModel()
        async with direct.serving(Models(model)) as served, connected(served.url) as client:
            await client.send(chat() + chat(stream=False) + HEALTH)
            first = await model.source()
            assert model.sources.empty()
            first.push(*BEGIN)
            first.say("one")
            first.push(*END)
            first.end()
            assert b"one" in (await client.response()).body
            second = await model.source()
            second.push(*BEGIN)
            second.say("two")
            second.push(*END)
            second.end()
            assert b"two" in (await client.response()).body
            assert (await client.response()).status == 200

    direct.run(main())


def test_a_flood_behind_a_stream_is_not_read_without_bound(direct: Carrier) -> None:
    async def main() -> None:
        model = HandModel()
        async with direct.serving(Models(model)) as served, connected(served.url) as client:
            await client.send(chat())
            source = await model.source()
            flood = asyncio.create_task(client.send(HEALTH * 600_000))
            source.push(*BEGIN)
            source.say("x")
            assert (await client.head())[0] == 200
            assert not flood.done()  # nobody reads it
            client.reset()
            await asyncio.wait({flood})
            async with asyncio.timeout(30):
                while not source.was_cancelled.is_set():  # seen when something is written
                    source.say("x" * 10_000)
                    await asyncio.sleep(0.01)

    direct.run(main())


def test_a_bad_request_behind_a_stream_is_refused_in_its_turn(direct: Carrier) -> None:
    async def main() -> None:
        model = HandModel()
        async with direct.serving(Models(model)) as served, connected(served.url) as client:
            await client.send(chat() + b"junk\r\n\r\n")
            source = await model.source()
            source.push(*BEGIN, *END)
            source.end()
            assert (await client.response()).status == 200
            assert (await client.response()).status == 400
            assert await client.rest() == b""

    direct.run(main())


def test_expect_continue(direct: Carrier) -> None:
    async def main() -> None:
        limits = Limits(max_body_bytes=64)
        async with direct.serving(Models(), limits) as served:
            async with connected(served.url) as client:
                await client.send(
                    b"POST /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n"
                )
                assert (await client.response()).status == 100
                await client.send(b"abc")
                assert (await client.response()).status == 404
            async with connected(served.url) as client:
                await client.send(
                    b"POST /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 65\r\n\r\n"
                )
                assert (await client.response()).status == 413

    direct.run(main())


def test_an_upgrade_offer_is_ignored_and_its_body_is_not_a_request(direct: Carrier) -> None:
    offer = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAAA")

    async def main() -> None:
        async with direct.serving(Models()) as served, connected(served.url) as client:
            await client.send(
                request("POST", "/nothing", request("GET", "/smuggled"), headers=offer) + HEALTH
            )
            assert "/nothing" in (await client.response()).error["message"]
            assert (await client.response()).status == 200
            assert served.app.counters.requests == 2

    direct.run(main())


def test_http_1_0_gets_no_chunks_and_the_connection_ends_the_body(direct: Carrier) -> None:
    async def main() -> None:
        model = HandModel()
        async with direct.serving(Models(model)) as served, connected(served.url) as client:
            await client.send(chat().replace(b"HTTP/1.1", b"HTTP/1.0"))
            source = await model.source()
            source.push(*BEGIN)
            source.say("old")
            source.push(*END)
            source.end()
            status, headers = await client.head()
            assert status == 200
            assert "transfer-encoding" not in headers
            assert headers["connection"] == "close"
            body = await client.rest()
            assert body.startswith(b"id: 1\ndata: {")
            assert body.endswith(b"data: [DONE]\n\n")

    direct.run(main())


def test_connection_close_is_honoured(direct: Carrier) -> None:
    async def main() -> None:
        async with direct.serving(Models()) as served, connected(served.url) as client:
            await client.send(request("GET", "/health", headers=("Connection: close",)) + HEALTH)
            assert (await client.response()).headers["connection"] == "close"
            assert await client.rest() == b""
            assert served.app.counters.requests == 1

    direct.run(main())


def test_a_slow_reader_of_the_last_bytes_is_cut_off(direct: Carrier) -> None:
    async def main() -> None:
        model = HandModel()
        limits = Limits(slow_reader_s=0.2, write_buffer_bytes=4096)
        async with direct.serving(Models(model), limits) as served:
            async with connected(served.url, limit=1024, receive_bytes=1024) as client:
                await client.send(chat().replace(b"HTTP/1.1", b"HTTP/1.0"))
                source = await model.source()
                source.push(*BEGIN)
                source.say("x" * 20_000_000)
                source.push(*END)
                source.end()
                async with asyncio.timeout(30):
                    while served.count_connections():  # nothing is read
                        await asyncio.sleep(0.01)
                client.reset()
            assert served.app.counters.finished == 1

    direct.run(main())
