"""The event source over real sockets: what reconnects, with which id, and what never does."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any

import pytest
from tests.framing.wpt import CASES, Case

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
from headrace.framing.sse import Event
from headrace.testing.loopback import Loopback, Peer, loopback
from headrace.testing.recorder import turns
from headrace.transport.pool import HttpPool
from headrace.transport.sse import stream_sse
from headrace.transport.wheel import Wheel

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
OVER = b"HTTP/1.1 204 No Content\r\n\r\n"
Run = Callable[[Any], Any]


def whole(body: bytes, head: bytes = HEAD) -> bytes:
    """A complete answer."""
    return head + b"content-length: %d\r\n\r\n" % len(body) + body


def cut(body: bytes) -> bytes:
    """An answer that promises more than it brings."""
    return HEAD + b"content-length: %d\r\n\r\n" % (len(body) + 100) + body


def answers(*raws: bytes):
    """A script: the answers in order, over as many connections as come; a short one ends its connection."""
    left = list(raws)

    async def script(peer: Peer) -> None:
        while True:
            await peer.request()
            raw = left.pop(0) if len(left) > 1 else left[0]
            peer.write(raw)
            if raw.startswith(HEAD + b"connection: close") or _is_cut(raw):
                return

    return script


def _is_cut(raw: bytes) -> bool:
    head, _, body = raw.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head)
    return length is not None and int(length[1]) != len(body)


def ids(server: Loopback) -> list[str | None]:
    """The Last-Event-ID of each request."""
    found = [re.search(rb"\r\nlast-event-id: (.*)\r\n", head) for head, _ in server.requests]
    return [one[1].decode() if one else None for one in found]


async def read(server: Loopback, pool: HttpPool | None = None, **options: Any) -> list[Event]:
    options.setdefault("retry_interval", 0.0)
    async with stream_sse(f"{server.url}/events", sender=pool, **options) as events:
        return [event async for event in events]


async def fails(script: Any, **options: Any) -> tuple[HeadraceError, list[Event], Loopback]:
    """The error that reading ends with, what was read before, the server."""
    got: list[Event] = []

    async def reading(url: str, pool: HttpPool) -> None:
        async with stream_sse(url, sender=pool, **{"retry_interval": 0.0, **options}) as events:
            async for event in events:
                got.append(event)  # noqa: PERF401 - what was read before the error is wanted

    async with loopback(script) as server, HttpPool() as pool:
        with pytest.raises(HeadraceError) as caught:
            await reading(f"{server.url}/events", pool)
        return caught.value, got, server


def test_events_then_204_ends_it(run: Run) -> None:
    async def main() -> None:
        async with (
            loopback(answers(whole(b"id: 7\ndata: a\n\ndata: b\n\n"), OVER)) as server,
            HttpPool() as pool,
        ):
            assert await read(server, pool) == [Event("message", "a", "7"), Event("message", "b", "7")]
            assert ids(server) == [None, "7"]
            head = server.requests[0][0].lower()
            assert b"accept: text/event-stream\r\n" in head
            assert b"cache-control: no-store\r\n" in head
            assert len(server.peers) == 1

    run(main())


def test_a_cut_connection_is_made_again_where_it_broke_off(run: Run) -> None:
    async def main() -> None:
        script = answers(
            cut(b"id: 1\ndata: a\n\nid: 2\ndata: lost with the conn"),
            cut(b"data: b\n\nid: 3\n\n"),
            whole("id: vier \u2026\ndata: c\n\n".encode()),
            OVER,
        )
        async with loopback(script) as server, HttpPool() as pool:
            events = await read(server, pool)
            # The id outlives its connection, a half event does not.
            assert [(one.data, one.id) for one in events] == [("a", "1"), ("b", "1"), ("c", "vier \u2026")]
            assert ids(server) == [None, "1", "3", "vier \u2026"]
            assert len(server.peers) == 3

    run(main())


def test_a_reset_is_a_cut(run: Run) -> None:
    async def main() -> None:
        async def script(peer: Peer) -> None:
            await peer.request()
            if len(server.requests) > 1:
                peer.write(OVER)
                return
            peer.write(HEAD + b"\r\nid: 1\ndata: a\n\n")
            await peer.writer.drain()
            await read_one.wait()
            peer.reset()

        read_one = asyncio.Event()
        async with loopback(script) as server, HttpPool() as pool:
            async with stream_sse(server.url, sender=pool, retry_interval=0.0) as events:
                assert (await anext(events)).data == "a"
                read_one.set()
                assert [event async for event in events] == []
                assert events.reconnections == 1
            assert ids(server) == [None, "1"]

    run(main())


WPT_RECONNECTING = {
    "format-field-id": ("id: \u2026\ndata: hello\n\n", "\u2026", 3.0),
    "format-field-id-2": ("data: hello\nid: \u2026\n\n", "\u2026", 3.0),
    "format-field-id-null": ("id: x\0\ndata: hello\n\n", None, 3.0),
    "format-field-retry": ("retry:02500\ndata: x\n\n", None, 2.5),
    "format-field-retry-bogus": ("retry:2500\nretry:1000x\ndata: x\n\n", None, 2.5),
    "format-field-retry-empty": ("retry\ndata: x\n\n", None, 3.0),
}


@pytest.mark.parametrize(("stream", "id", "retry_s"), WPT_RECONNECTING.values(), ids=WPT_RECONNECTING.keys())
def test_web_platform_behaviour_over_reconnections(
    run: Run, monkeypatch: pytest.MonkeyPatch, stream: str, id: str | None, retry_s: float
) -> None:
    waited: list[float] = []

    async def main() -> None:
        async with (
            loopback(answers(whole(stream.encode()), whole(b"data: more\n\n"), OVER)) as server,
            HttpPool() as pool,
        ):
            after = pool.wheel.after

            def hurried(delay_s: float, callback: Callable[[], None]) -> Any:
                if callback.__name__ == "_connect_again":
                    waited.append(delay_s)
                    delay_s = 0.0
                return after(delay_s, callback)

            monkeypatch.setattr(Wheel, "after", lambda _, delay_s, callback: hurried(delay_s, callback))
            events = await read(server, pool, retry_interval=3.0)
            assert [one.id for one in events] == [id or "", id or ""]
            assert ids(server) == [None, id, id]

    run(main())
    assert waited == [retry_s, retry_s]


MIME = [case for case in CASES if case.name.startswith(("format-mime", "format-utf-8"))]


@pytest.mark.parametrize("case", MIME, ids=[case.name for case in MIME])
def test_web_platform_behaviour_of_content_types(run: Run, case: Case) -> None:
    async def main() -> None:
        head = f"HTTP/1.1 200 OK\r\ncontent-type: {case.content_type}\r\n".encode()
        script = answers(whole(case.stream, head), OVER)
        if case.events is None:
            error, got, server = await fails(script)
            assert isinstance(error, WireError)
            assert error.code == "wrong_content_type"
            assert case.content_type in error.message
            assert got == []
            assert len(server.requests) == 1
            return
        async with loopback(script) as server, HttpPool() as pool:
            events = await read(server, pool)
            assert tuple((one.event, one.data, one.id) for one in events) == case.events

    run(main())


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


def test_an_event_makes_up_for_attempts_in_vain(run: Run) -> None:
    async def main() -> None:
        quiet, event = whole(b": nothing\n\n"), whole(b"data: a\n\n")
        script = answers(event, quiet, event, quiet, event, OVER)
        async with loopback(script) as server, HttpPool() as pool:
            assert len(await read(server, pool, max_reconnects=2)) == 3

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


def test_no_reconnection_where_none_is_wanted(run: Run) -> None:
    async def main() -> None:
        async with loopback(answers(whole(b"data: a\n\n"))) as server, HttpPool() as pool:
            assert len(await read(server, pool, reconnect=False)) == 1
            assert len(server.requests) == 1
        error, got, _ = await fails(answers(cut(b"data: a\n\n")), reconnect=False)
        assert isinstance(error, Truncated)
        assert len(got) == 1

    run(main())


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


def test_the_first_id_is_the_callers(run: Run) -> None:
    async def main() -> None:
        for options in ({"last_event_id": "41"}, {"headers": {"Last-Event-ID": "41"}}):
            async with loopback(answers(whole(b"data: a\n\n"), OVER)) as server, HttpPool() as pool:
                assert await read(server, pool, **options) == [Event("message", "a", "41")]
                assert ids(server) == ["41", "41"]

    run(main())


def test_an_id_that_no_header_can_carry(run: Run) -> None:
    async def main() -> None:
        error, got, _ = await fails(answers(whole(b"id: \x01\ndata: a\n\n")))
        assert isinstance(error, RequestError)
        assert len(got) == 1

    run(main())


@pytest.mark.parametrize("when", ["before the head", "before an event", "between events", "while it waits"])
def test_closing_closes_the_socket(run: Run, when: str) -> None:
    async def main() -> None:
        async def script(peer: Peer) -> None:
            await peer.request()
            if when != "before the head":
                peer.write(HEAD + b"\r\n")
            if when == "between events":
                peer.write(b"data: a\n\n")
            if when == "while it waits":
                peer.write(b"retry: 100000\ndata: a\n\n")
                return
            await peer.gone()

        async with loopback(script) as server, HttpPool() as pool:
            events = stream_sse(server.url, sender=pool)
            if when in ("between events", "while it waits"):
                await anext(events)
            reading = asyncio.ensure_future(anext(events))
            while not server.requests or (when == "while it waits" and pool.connections):
                await asyncio.sleep(0)
            reading.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reading
            await events.aclose()
            if when != "while it waits":
                await server.peers[0].closed.wait()
            await turns()
            assert pool.connections == 0
            assert len(pool.wheel) == 0
            assert len(server.peers) == 1

    run(main())


def test_a_slow_reader_slows_the_server(run: Run) -> None:
    async def main() -> None:
        total = 600
        written = asyncio.Event()

        async def script(peer: Peer) -> None:
            await peer.request()
            peer.write(HEAD + b"\r\n")
            for _ in range(total):
                peer.write(b"data: " + b"x" * 10_000 + b"\n\n")
                await peer.writer.drain()
            written.set()

        async with (
            loopback(script) as server,
            HttpPool() as pool,
            stream_sse(server.url, sender=pool, max_buffer=4, reconnect=False) as events,
        ):
            await anext(events)
            while not (events._inbox.paused or written.is_set()):
                await asyncio.sleep(0)
            await turns()
            assert len(events._inbox.items) < total / 4  # what one read of the socket brought, no more
            assert not written.is_set()
            assert len([event async for event in events]) == total - 1

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
