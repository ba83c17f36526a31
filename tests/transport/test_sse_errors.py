"""What is an error of the event source, over real sockets, and what is never sent twice."""

from __future__ import annotations

import pytest
from tests.transport.sse_answers import HEAD, OVER, Run, answers, cut, fails, ids, read, whole

from headrace.errors import (
    AuthError,
    BadRequest,
    HeadraceError,
    ProviderError,
    RateLimited,
    RequestError,
    StreamTimeoutException,
    Truncated,
    Unavailable,
    WireError,
)
from headrace.testing.loopback import Peer, loopback
from headrace.transport.pool import HttpPool
from headrace.transport.sse import stream_sse

STATUSES: dict[int, tuple[type[HeadraceError], int, bool]] = {
    301: (ProviderError, 502, False),
    400: (BadRequest, 400, False),
    401: (AuthError, 401, False),
    403: (AuthError, 401, False),
    404: (BadRequest, 404, False),
    408: (Unavailable, 502, True),
    429: (RateLimited, 429, True),
    500: (Unavailable, 502, True),
    503: (Unavailable, 502, True),
    205: (ProviderError, 502, False),
}


@pytest.mark.parametrize("status", STATUSES)
def test_a_refusal_is_typed_and_told_at_once(run: Run, status: int) -> None:
    kind, http_status, retryable = STATUSES[status]
    head = f"HTTP/1.1 {status} Because\r\nretry-after: 7\r\ncontent-type: text/plain\r\n".encode()

    async def main() -> None:
        script = answers(whole(b"no, and your key sk-123456789\nis bad", head))
        error, got, server = await fails(script, headers={"Authorization": "Bearer sk-123456789"})
        assert type(error) is kind
        assert isinstance(error, ProviderError)
        assert (error.status, error.retry_after_s, error.retryable) == (status, 7.0, retryable)
        assert error.http_status == http_status
        if status != 205:  # has no body
            assert error.message.endswith(f"answered {status}: no, and your key *** is bad")
        assert got == []
        assert len(server.requests) == 1

    run(main())


def test_a_refusal_after_events_is_tried_again_where_it_may_pass(run: Run) -> None:
    busy = whole(b"later", b"HTTP/1.1 503 Busy\r\n")
    gone = whole(b"gone", b"HTTP/1.1 404 Gone\r\n")

    async def main() -> None:
        script = answers(whole(b"id: 1\ndata: a\n\n"), busy, busy, whole(b"data: b\n\n"), gone)
        error, got, server = await fails(script)
        assert isinstance(error, BadRequest)
        assert [one.data for one in got] == ["a", "b"]
        assert ids(server) == [None, "1", "1", "1", "1"]

    run(main())


def test_a_huge_refusal_is_not_read_to_its_end(run: Run) -> None:
    async def main() -> None:
        async def script(peer: Peer) -> None:
            await peer.request()
            peer.write(b"HTTP/1.1 500 Oh\r\n\r\n" + b"x" * 100_000)
            await peer.gone()

        async with loopback(script) as server, HttpPool() as pool:
            with pytest.raises(Unavailable) as caught:
                await anext(stream_sse(server.url, sender=pool))
            assert len(caught.value.message) < 600
            await server.peers[0].closed.wait()

    run(main())


def test_nobody_listens(run: Run) -> None:
    async def main() -> None:
        async with loopback(answers(OVER)) as server:
            url = server.url
        with pytest.raises(Unavailable) as caught:
            await anext(stream_sse(url, retry_interval=0.0))
        assert caught.value.code == "connect_refused"

    run(main())


def test_the_place_vanishes_for_good(run: Run) -> None:
    async def main() -> None:
        async with HttpPool() as pool:
            async with loopback(answers(whole(b"data: a\n\n", HEAD + b"connection: close\r\n"))) as server:
                events = stream_sse(server.url, sender=pool, retry_interval=0.0, max_reconnects=3)
                assert (await anext(events)).data == "a"
            with pytest.raises(Unavailable) as caught:
                await anext(events)
            assert caught.value.code in ("connect_refused", "reset")
            assert events.reconnections == 3
            await events.aclose()

    run(main())


def test_in_vain_too_often(run: Run) -> None:
    async def main() -> None:
        script = answers(whole(b"data: a\n\n"), whole(b": nothing\n\nid: 5\n\n"))
        error, got, server = await fails(script, max_reconnects=4)
        assert isinstance(error, Truncated)
        assert error.code == "no_events"
        assert [one.data for one in got] == ["a"]
        assert ids(server) == [None, None, "5", "5", "5"]

    run(main())


@pytest.mark.parametrize("method", ["POST", "put"])
def test_what_is_not_get_is_sent_once(run: Run, method: str) -> None:
    async def main() -> None:
        script = answers(whole(b"id: 1\ndata: a\n\n"))
        async with loopback(script) as server, HttpPool() as pool:
            events = await read(server, pool, method=method, body={"stream": True})
            assert [one.data for one in events] == ["a"]
            [(head, body)] = server.requests
            assert head.startswith(method.upper().encode())
            assert b"content-type: application/json\r\n" in head.lower()
            assert body == b'{"stream":true}'
        for raw in (cut(b"data: a\n\n"), HEAD + b"transfer-encoding: chunked\r\n\r\n9\r\ndata: a\n\n\r\n"):

            async def cutting(peer: Peer, raw: bytes = raw) -> None:
                await peer.request()
                peer.write(raw)

            error, got, server = await fails(cutting, method=method, body=b"{}")
            assert isinstance(error, Truncated)
            assert [one.data for one in got] == ["a"]
            assert len(server.requests) == 1

        async def hangs_up(peer: Peer) -> None:
            await peer.request()

        error, _, server = await fails(hangs_up, method=method, body="{}")
        assert isinstance(error, Unavailable)
        assert len(server.requests) == 1

    run(main())


def test_reconnect_is_refused_for_a_post() -> None:
    with pytest.raises(RequestError, match="not sent again"):
        stream_sse("http://127.0.0.1/", method="POST", reconnect=True)


@pytest.mark.parametrize(
    ("options", "code"), [({}, "line_too_long"), ({"max_event_length": 9}, "event_too_large")], ids=str
)
def test_a_limit_is_an_error_behind_what_was_good(run: Run, options: dict[str, int], code: str) -> None:
    body = b"data: good\n\ndata: " + (b"x" * 16_384 if not options else b"1234567890") + b"\n\n"
    good = b"data: good\n\ndata: " + (b"x" * 16_378 if not options else b"123456789") + b"\n\n"

    async def main() -> None:
        error, got, server = await fails(answers(whole(body)), **options)
        assert isinstance(error, WireError)
        assert error.code == code
        assert [one.data for one in got] == ["good"]
        assert len(server.requests) == 1
        async with loopback(answers(whole(good), OVER)) as server, HttpPool() as pool:
            assert len(await read(server, pool, **options)) == 2

    run(main())


def test_an_id_that_no_header_can_carry(run: Run) -> None:
    async def main() -> None:
        error, got, _ = await fails(answers(whole(b"id: \x01\ndata: a\n\n")))
        assert isinstance(error, RequestError)
        assert len(got) == 1

    run(main())


def test_no_answer_and_silence_are_timeouts(run: Run) -> None:
    async def main() -> None:
        async def mute(peer: Peer) -> None:
            await peer.request()
            await peer.gone()

        error, _, server = await fails(mute, timeout=0.1)
        assert isinstance(error, StreamTimeoutException)
        assert isinstance(error, TimeoutError)
        assert (error.code, len(server.requests)) == ("connect", 1)

        async def stalls(peer: Peer) -> None:
            await peer.request()
            peer.write(HEAD + b"\r\nid: 1\ndata: a\n\n")
            await peer.gone()

        error, got, server = await fails(stalls, idle_timeout=0.1, reconnect=False)
        assert isinstance(error, StreamTimeoutException)
        assert (error.code, [one.data for one in got]) == ("idle", ["a"])

        async def stalls_once(peer: Peer) -> None:
            await (stalls(peer) if len(server.peers) == 1 else answers(OVER)(peer))

        async with loopback(stalls_once) as server, HttpPool() as pool:
            assert [one.data for one in await read(server, pool, idle_timeout=0.1)] == ["a"]
            assert ids(server) == [None, "1"]

    run(main())


def test_options_that_make_no_sense() -> None:
    for options in (
        {"max_reconnects": 0},
        {"retry_interval": -1.0},
        {"timeout": 0},
        {"idle_timeout": 0.0},
        {"max_line_length": 0},
        {"test_mode": "other"},
    ):
        with pytest.raises(RequestError):
            stream_sse("http://127.0.0.1/", **options)  # type: ignore[arg-type]


def test_a_url_that_is_none_fails_at_the_first_read(run: Run) -> None:
    async def main() -> None:
        with pytest.raises(RequestError) as caught:
            await anext(stream_sse("ftp://x/"))
        assert caught.value.field == "url"

    run(main())
