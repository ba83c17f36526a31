"""The event source over real sockets: what reconnects, with which id, and how it is closed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from tests.framing.wpt import CASES, Case
from tests.transport.sse_answers import HEAD, OVER, Run, answers, cut, fails, ids, read, whole

from headrace.errors import Truncated, WireError
from headrace.framing.sse import Event
from headrace.testing.loopback import Peer, loopback
from headrace.testing.recorder import turns
from headrace.transport.pool import HttpPool
from headrace.transport.sse import stream_sse
from headrace.transport.wheel import Wheel


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


def test_an_event_makes_up_for_attempts_in_vain(run: Run) -> None:
    async def main() -> None:
        quiet, event = whole(b": nothing\n\n"), whole(b"data: a\n\n")
        script = answers(event, quiet, event, quiet, event, OVER)
        async with loopback(script) as server, HttpPool() as pool:
            assert len(await read(server, pool, max_reconnects=2)) == 3

    run(main())


def test_no_reconnection_where_none_is_wanted(run: Run) -> None:
    async def main() -> None:
        async with loopback(answers(whole(b"data: a\n\n"))) as server, HttpPool() as pool:
            assert len(await read(server, pool, reconnect=False)) == 1
            assert len(server.requests) == 1
        error, got, _ = await fails(answers(cut(b"data: a\n\n")), reconnect=False)
        assert isinstance(error, Truncated)
        assert len(got) == 1

    run(main())


def test_the_first_id_is_the_callers(run: Run) -> None:
    async def main() -> None:
        for options in ({"last_event_id": "41"}, {"headers": {"Last-Event-ID": "41"}}):
            async with loopback(answers(whole(b"data: a\n\n"), OVER)) as server, HttpPool() as pool:
                assert await read(server, pool, **options) == [Event("message", "a", "41")]
                assert ids(server) == ["41", "41"]

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
