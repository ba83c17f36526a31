"""Connections that are cut, a server that goes, one that cannot be used."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.store.servers import Server
from tests.store.valkey.nodes import BEAT_S, link_of, prefixes, read_live, run

from headrace.config.secret import Secret
from headrace.errors import ConfigError, StreamingError
from headrace.store.log import StreamEnd, StreamHead
from headrace.store.valkey import ValkeyLog
from headrace.store.valkey.link import Address, Link
from headrace.testing.logs import RecordingTail, everything, opened


class Relay:
    """Between a client and the server. cut: lose the next answer and the connection with it."""

    def __init__(self, server: Server, path: str) -> None:
        self._server = server
        self.path = path
        self.cut = False
        self.cuts = 0

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_unix_connection(self._server.url.removeprefix("unix://"))
        asking = asyncio.create_task(self._pass(reader, up_writer))
        try:
            while data := await up_reader.read(65536):
                if self.cut:
                    self.cut = False
                    self.cuts += 1
                    return
                writer.write(data)
        finally:
            for one in (writer, up_writer):
                one.close()
            await asking

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()


@asynccontextmanager
async def relayed(server: Server) -> AsyncIterator[Relay]:
    relay = Relay(server, server.url.removeprefix("unix://") + "r")
    listener = await asyncio.start_unix_server(relay.accept, relay.path)
    yield relay
    listener.close()
    while len(asyncio.all_tasks()) > 1:  # its connections are closed by now
        await asyncio.sleep(0.001)


def test_killed_connections_lose_and_double_nothing(make: Callable[..., ValkeyLog], shared: Server) -> None:
    records = [b"record %d" % number for number in range(1, 301)]

    async def main() -> None:
        async with opened(make()) as a, opened(make()) as b:
            killer = Link(Address(Secret(shared.url)))
            tail = RecordingTail()
            a.begin(StreamHead("s"), tail)
            a.append("s", records[:1])
            await tail.until(1)
            reading = asyncio.create_task(read_live(b, "s"))
            for at in range(1, 300, 13):
                a.append("s", records[at : at + 13])
                await killer.run(("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"))
            a.end("s", StreamEnd("finished"))
            await tail.until(300)
            assert (await reading)[0] == records
            await killer.aclose()

    run(main())


def test_an_answer_that_was_lost_is_asked_for_again(shared: Server) -> None:
    """The server has done it, and the connection goes before it can say so."""

    async def main() -> None:
        async with relayed(shared) as relay:
            log = ValkeyLog(f"unix://{relay.path}", prefix=next(prefixes), heartbeat_s=3600)
            async with opened(log) as a:
                tail = RecordingTail()
                a.begin(StreamHead("s"), tail)
                a.append("s", [b"1"])
                await tail.until(1)
                relay.cut = True
                a.append("s", [b"2", b"3"])
                await tail.until(3)
                relay.cut = True
                a.end("s", StreamEnd("finished"), [b"4"])
                await tail.until(4)
                assert relay.cuts == 2
                assert await read_live(a, "s") == ([b"1", b"2", b"3", b"4"], StreamEnd("finished"))

    run(main())


def test_scripts_that_the_server_has_forgotten_are_told_again(make: Callable[..., ValkeyLog]) -> None:
    async def main() -> None:
        async with opened(make()) as a:
            tail = RecordingTail()
            a.begin(StreamHead("s"), tail)
            a.append("s", [b"1"])
            await tail.until(1)
            await link_of(a).run(("SCRIPT", "FLUSH"))
            a.append("s", [b"2"])
            await tail.until(2)
            assert await everything(a, "s") == [b"1", b"2"]

    run(main())


def test_a_server_that_comes_back_with_its_data(own: Server) -> None:
    async def main() -> None:
        async with opened(ValkeyLog(own.url)) as a:
            tail = RecordingTail()
            a.begin(StreamHead("s"), tail)
            a.append("s", [b"1"])
            await tail.until(1)
            await asyncio.to_thread(own.stop)
            a.append("s", [b"2"])
            assert tail.last == 1
            await asyncio.to_thread(own.start)
            await tail.until(2)
            a.end("s", StreamEnd("finished"), [b"3"])
            await tail.until(3)
            assert await everything(a, "s") == [b"1", b"2", b"3"]

    run(main())


def test_a_server_that_comes_back_empty(own: Server) -> None:
    async def main() -> None:
        async with opened(ValkeyLog(own.url)) as a:
            tail = RecordingTail()
            a.begin(StreamHead("s"), tail)
            a.append("s", [b"1"])
            await tail.until(1)
            await asyncio.to_thread(own.kill)
            await asyncio.to_thread(own.start)
            a.append("s", [b"2"])
            with pytest.raises(AssertionError, match="does not know the stream"):
                await tail.until(2)
            fresh = RecordingTail()
            a.begin(StreamHead("t"), fresh)
            a.append("t", [b"1"])
            await fresh.until(1)

    run(main())


def test_a_server_that_stays_away(own: Server, caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        log = ValkeyLog(own.url, heartbeat_s=BEAT_S, retry_s=0.1)
        async with opened(log) as a:
            tail = RecordingTail()
            a.begin(StreamHead("s"), tail)
            a.append("s", [b"1"])
            await tail.until(1)
            own.kill()
            waiting = asyncio.create_task(log._watch.wait("s", 1, 60))
            a.append("s", [b"2"])
            with pytest.raises(AssertionError, match="cannot be used"):
                await tail.until(2)
            assert tail.trouble is not None
            assert (tail.trouble.code, tail.trouble.retryable) == ("log_failed", True)
            await waiting
            with pytest.raises(StreamingError, match="cannot be used"):
                await a.read("s", 0, 100)

    run(main())
    assert "cannot be used" in caplog.text


def test_what_nobody_could_be_told_is_ended_later(own: Server) -> None:
    """The server was away for longer than a writer waits: others must not believe that the stream goes on."""

    async def main() -> None:
        async with opened(ValkeyLog(own.url, heartbeat_s=BEAT_S, retry_s=0.05)) as a:
            tail = RecordingTail()
            a.begin(StreamHead("s"), tail)
            a.append("s", [b"1"])
            await tail.until(1)
            await asyncio.to_thread(own.stop)
            a.append("s", [b"2"])
            with pytest.raises(AssertionError, match="cannot be used"):
                await tail.until(2)
            await asyncio.to_thread(own.start)
            async with opened(ValkeyLog(own.url)) as b:
                records, end = await read_live(b, "s")
                assert (records, end.outcome) == ([b"1"], "interrupted")
            assert not a._writer.lost

    run(main())


BAD_URLS = ("http://u:sesame@h", "redis://u:sesame@h:port", "sesame", "redis://:sesame@h?sesame=1", "")


@pytest.mark.parametrize("url", BAD_URLS)
def test_a_bad_url_is_named_and_not_quoted(url: str) -> None:
    with pytest.raises(ConfigError, match=r"streams\.url") as caught:
        ValkeyLog(url)
    assert "sesame" not in repr(caught.value) + str(caught.value.__cause__)


def test_a_server_that_is_not_there_is_named_without_the_password(tmp_path: Path) -> None:
    async def main() -> None:
        log = ValkeyLog("redis://user:sesame@127.0.0.1:1/0", retry_s=0.05)
        with pytest.raises(ConfigError, match=r"127\.0\.0\.1:1 ") as caught:
            await log.open()
        assert "sesame" not in repr(caught.value) + repr(caught.value.__cause__) + repr(log)
        await log.aclose()

    run(main())


def test_a_wrong_password_is_not_tried_again(shared: Server) -> None:
    async def main() -> None:
        url = shared.url.replace("unix://", "unix://user:sesame@")
        log = ValkeyLog(url, retry_s=3600)
        with pytest.raises(ConfigError, match="cannot be used") as caught:
            await log.open()
        assert "sesame" not in str(caught.value)

    run(main())
