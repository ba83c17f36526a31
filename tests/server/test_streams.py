"""Streams by their id: read again from anywhere, by many, and stopped; over every carrier and log."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.server.conftest import Carrier, Served
from tests.server.doubles import BEGIN, END, HandModel, HandSource, Models, frames
from tests.server.raw import RawClient, Response, chat, connected, request, text_of, unnumbered
from tests.store.servers import Server

from headrace.core.chunk import Failure, TextDelta
from headrace.errors import Unavailable
from headrace.server.limits import Limits
from headrace.sessions.session import SlowReaders
from headrace.sessions.table import Sessions
from headrace.store.log import Keeping, StreamLog
from headrace.store.memory import MemoryLog
from headrace.store.sqlite import SqliteLog
from headrace.store.valkey import ValkeyLog

FIRST = "so "
DETACH = "X-Headrace-On-Disconnect: detach"
MakeSessions = Callable[..., Sessions]


@pytest.fixture(params=["memory", "sqlite", "valkey"])
def sessions(request: pytest.FixtureRequest, tmp_path: Path, valkey: Server) -> MakeSessions:
    """Makes the streams of a server, with each log."""
    makes: dict[str, Callable[[Keeping | None], StreamLog]] = {
        "memory": MemoryLog,
        "sqlite": lambda keeping: SqliteLog(tmp_path / "log.db", keeping),
        "valkey": lambda keeping: ValkeyLog(valkey.url, keeping, prefix=f"{tmp_path.name}:"),
    }

    def make(keeping: Keeping | None = None, slow_readers: SlowReaders = "pause", **more: Any) -> Sessions:
        return Sessions(makes[request.param](keeping), slow_readers=slow_readers, **more)

    return make


def detached(**more: Any) -> bytes:
    """A chat request whose stream goes on without its client."""
    return chat(**more).replace(b"\r\n\r\n", f"\r\n{DETACH}\r\n\r\n".encode(), 1)


def again(id: str, after: int = 0) -> bytes:
    return request("GET", f"/v1/streams/{id}", headers=(f"Last-Event-ID: {after}",))


async def asked(served: Served, method: str, path: str, *headers: str) -> Response:
    """One request on a connection of its own."""
    async with connected(served.url) as client:
        await client.send(request(method, path, headers=headers))
        return await client.response()


async def began(client: RawClient, model: HandModel, *chunks: Any) -> tuple[str, HandSource]:
    """The id and the source of a stream that has said `chunks`."""
    source = await model.source()
    source.push(*BEGIN, *(chunks or (TextDelta(0, FIRST),)))
    status, headers = await client.head()
    assert status == 200
    return headers["x-headrace-stream-id"], source


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not true():
            await asyncio.sleep(0.001)


async def status(served: Served, id: str) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode((await asked(served, "GET", f"/v1/streams/{id}/status")).body)
    return found


def test_a_client_that_dropped_comes_back_for_the_rest(carrier: Carrier, sessions: MakeSessions) -> None:
    async def main() -> None:
        model = HandModel()
        async with carrier.serving(Models(model), sessions=sessions()) as served:
            async with connected(served.url) as client:
                await client.send(detached())
                id, source = await began(client, model, TextDelta(0, "one "))
                got = await client.chunk()
                while b"one" not in got:
                    got += await client.chunk()
                client.reset()
            await until(lambda: not served.app.live)
            assert not source.was_cancelled.is_set()
            source.say("two ")
            async with connected(served.url) as client:
                last = got.count(b"data: ")
                await client.send(again(id, last))
                assert (await client.head())[0] == 200
                rest = (await client.chunk()).removeprefix(b": ping\n")
                rest += b"" if rest else await client.chunk()
                assert b"two" in rest
                source.say("three")
                source.push(*END)
                source.end()
                rest += await client.response_body()
            assert rest.startswith(b"id: %d\n" % (last + 1))
            assert unnumbered(rest, last + 1).endswith(b"data: [DONE]\n\n")
            assert text_of(got + rest) == "one two three"
            whole = await asked(served, "GET", f"/v1/streams/{id}")
            assert whole.body == got + rest
            assert (await asked(served, "GET", f"/v1/streams/{id}?after={last}")).body == rest
            assert whole.headers["x-headrace-stream-id"] == id
            assert whole.headers["content-type"] == "text/event-stream; charset=utf-8"
            told = await status(served, id)
            assert (told["status"], told["model"], told["protocol"]) == ("completed", "m", "openai_chat")
            assert told["last"] == whole.body.count(b"id: ")

    carrier.run(main())


@pytest.mark.parametrize("relays", [False, True])
def test_without_detach_the_last_client_takes_the_stream_with_it(
    carrier: Carrier, sessions: MakeSessions, relays: bool
) -> None:
    async def main() -> None:
        model = HandModel(relays=relays)
        async with carrier.serving(Models(model), sessions=sessions()) as served:
            async with connected(served.url) as first, connected(served.url) as second:
                await first.send(chat())
                source = await model.source()
                source.push(*([frames("a", done=False)] if relays else [*BEGIN, TextDelta(0, "a")]))
                id = (await first.head())[1]["x-headrace-stream-id"]
                await second.send(again(id))
                assert b'"a"' in await second.chunk_after_head()
                first.reset()
                await until(lambda: len(served.app.live) == 1)
                assert not source.was_cancelled.is_set()  # one still reads
                second.reset()
                await until(source.was_cancelled.is_set)
            await until(lambda: not served.app.sessions.live)
            assert (await status(served, id))["status"] == "cancelled"
            late = await asked(served, "GET", f"/v1/streams/{id}")
            assert late.status == 200
            *_, error, done, _ = unnumbered(late.body).split(b"\n\n")
            assert msgspec.json.decode(error[6:])["error"]["code"] == "cancelled"
            assert done == b"data: [DONE]"

    carrier.run(main())


def test_a_stream_is_stopped_by_its_id(carrier: Carrier, sessions: MakeSessions) -> None:
    async def main() -> None:
        model = HandModel()
        async with carrier.serving(Models(model), sessions=sessions()) as served:
            async with connected(served.url) as client:
                await client.send(chat())
                id, source = await began(client, model, TextDelta(0, "a"))
                assert (await status(served, id))["status"] == "running"
                stopped = await asked(served, "DELETE", f"/v1/streams/{id}")
                assert stopped.status == 200
                assert source.was_cancelled.is_set()
                *_, error, done, end = unnumbered(await client.response_body()).split(b"\n\n")
                assert msgspec.json.decode(error[6:])["error"]["code"] == "cancelled"
                assert (done, end) == (b"data: [DONE]", b"")
            again_stopped = await asked(served, "DELETE", f"/v1/streams/{id}")
            assert msgspec.json.decode(again_stopped.body)["status"] == "cancelled"

    carrier.run(main())


def test_what_cannot_be_read_is_refused(direct: Carrier, sessions: MakeSessions) -> None:
    async def main() -> None:
        model = HandModel()
        async with direct.serving(Models(model), sessions=sessions()) as served:
            async with connected(served.url) as client:
                await client.send(detached())
                id, source = await began(client, model)
                for method, path, code, field in (
                    ("GET", "/v1/streams/nobody", 404, "id"),
                    ("GET", "/v1/streams/nobody/status", 404, "id"),
                    ("DELETE", "/v1/streams/nobody", 404, "id"),
                    ("GET", f"/v1/streams/{id}?after=99", 400, "after"),
                    ("GET", f"/v1/streams/{id}?after=-1", 400, "after"),
                    ("GET", f"/v1/streams/{id}?after=x", 400, "after"),
                    ("GET", f"/v1/streams/{id}?after=" + "9" * 40, 400, "after"),
                    ("PUT", f"/v1/streams/{id}", 405, None),
                ):
                    refused = await asked(served, method, path)
                    assert (refused.status, refused.error["param"]) == (code, field), path
                source.push(TextDelta(0, "a"), *END)
                source.end()
                assert text_of(await client.response_body()) == FIRST + "a"
            refused = await asked(served, "GET", f"/v1/streams/{id}?after=99")
            assert (refused.status, refused.error["param"]) == (400, "after")
            refused = await asked(served, "GET", f"/v1/streams/{id}", "Last-Event-ID: x")
            assert (refused.status, refused.error["param"]) == (400, "last-event-id")
            async with connected(served.url) as client:
                await client.send(chat().replace(b"\r\n\r\n", b"\r\nX-Headrace-On-Disconnect: no\r\n\r\n", 1))
                response = await client.response()
                assert (response.status, response.error["param"]) == (400, "x-headrace-on-disconnect")

    direct.run(main())


def test_a_failure_before_the_first_event_is_the_same_status_for_who_comes_later(
    direct: Carrier, sessions: MakeSessions
) -> None:
    async def main() -> None:
        model = HandModel()
        async with direct.serving(Models(model), sessions=sessions()) as served:
            async with connected(served.url) as client:
                await client.send(chat())
                source = await model.source()
                (id,) = served.app.sessions.live
                source.end(Failure.of(Unavailable("refused", code="connect_refused", http_status=503)))
                now = await client.response()
            later = await asked(served, "GET", f"/v1/streams/{id}")
            assert (later.status, later.error) == (now.status, now.error)
            assert later.error["code"] == "connect_refused"
            assert (await status(served, id))["error"]["code"] == "connect_refused"

    direct.run(main())


def test_streams_are_listed_newest_first(direct: Carrier, sessions: MakeSessions) -> None:
    async def main() -> None:
        model = HandModel()
        async with direct.serving(Models(model), sessions=sessions()) as served:
            ids = []
            for _ in range(3):
                async with connected(served.url) as client:
                    await client.send(chat())
                    id, source = await began(client, model, TextDelta(0, "a"), *END)
                    source.end()
                    assert text_of(await client.response_body()) == "a"
                    ids.append(id)
            listed = msgspec.json.decode((await asked(served, "GET", "/v1/streams")).body)
            assert [one["id"] for one in listed["data"]] == ids[::-1]
            assert {one["status"] for one in listed["data"]} == {"completed"}

    direct.run(main())


@pytest.mark.parametrize("slow_readers", ["pause", "spill", "drop"])
def test_one_frozen_reader_of_ten_is_not_noticed(
    direct: Carrier, sessions: MakeSessions, slow_readers: SlowReaders
) -> None:
    """The others get every record as it comes; the frozen one catches up, or is told under "drop"."""
    piece, pieces = "x" * 2000, 1500
    window = 4096 if slow_readers == "drop" else 32768  # one that catches up need not take long

    async def main() -> None:
        model = HandModel()
        limits = Limits(write_buffer_bytes=8192, drain_s=2)
        streams = sessions(slow_readers=slow_readers, slow_bytes=64 * 1024)
        async with (
            direct.serving(Models(model), limits, streams) as served,
            connected(served.url) as first,
            connected(served.url, limit=1024, receive_bytes=window) as frozen,
        ):
            await first.send(detached())
            id, source = await began(first, model)
            session = served.app.sessions.live[id]
            await frozen.send(again(id))
            others = [asyncio.create_task(asked(served, "GET", f"/v1/streams/{id}")) for _ in range(8)]
            others.append(asyncio.create_task(first.response_body_as_response()))
            await until(lambda: len(session.readers) == 10)
            for at in range(pieces):
                source.say(piece)
                if at % 20 == 0:
                    await asyncio.sleep(0.002)  # the log commits in between
                async with asyncio.timeout(30):
                    while source.paused:
                        await asyncio.sleep(0.001)
            source.push(*END)
            source.end()
            texts = [text_of((await other).body) for other in others]
            assert texts == [FIRST + piece * pieces] * 9
            response = await frozen.response()
            if slow_readers == "drop":
                *_, error, _, _ = response.body.split(b"\n\n")
                assert msgspec.json.decode(error[6:])["error"]["code"] == "slow_reader"
            else:
                assert text_of(response.body) == FIRST + piece * pieces

    direct.run(main())


def test_a_reader_that_needs_what_is_gone_is_told(direct: Carrier, sessions: MakeSessions) -> None:
    async def main() -> None:
        model = HandModel()
        keeping = Keeping(stream_bytes=20_000)
        async with direct.serving(Models(model), sessions=sessions(keeping)) as served:
            async with connected(served.url) as client:
                await client.send(detached())
                id, source = await began(client, model)
                for _ in range(100):
                    source.say("x" * 1000)
                    await asyncio.sleep(0)
                source.push(*END)
                source.end()
                assert text_of(await client.response_body()) == FIRST + "x" * 100_000
            gone = await asked(served, "GET", f"/v1/streams/{id}")
            assert (gone.status, gone.error["code"]) == (410, "records_gone")
            told = await status(served, id)
            assert told["first"] > 1
            tail = await asked(served, "GET", f"/v1/streams/{id}?after={told['first']}")
            assert tail.status == 200
            assert tail.body.endswith(b"data: [DONE]\n\n")

    direct.run(main())


def test_a_detached_stream_is_waited_for_and_its_end_at_shutdown_can_be_read(
    direct: Carrier, tmp_path: Path
) -> None:
    async def main() -> None:
        model = HandModel()
        streams = Sessions(SqliteLog(tmp_path / "log.db"))
        async with direct.serving(Models(model), Limits(drain_s=0.2), streams) as served:
            async with connected(served.url) as client:
                await client.send(detached())
                id, source = await began(client, model, TextDelta(0, "a"))
                assert b'"a"' in await client.chunk()
            served.stop()
        assert source.was_cancelled.is_set()
        async with direct.serving(Models(model), sessions=Sessions(SqliteLog(tmp_path / "log.db"))) as served:
            told = await status(served, id)
            assert (told["status"], told["error"]["code"]) == ("failed", "shutting_down")
            late = await asked(served, "GET", f"/v1/streams/{id}")
            *_, error, done, _ = unnumbered(late.body).split(b"\n\n")
            assert msgspec.json.decode(error[6:])["error"]["code"] == "shutting_down"
            assert done == b"data: [DONE]"

    direct.run(main())


def test_ids_are_told_where_the_client_wants_them(direct: Carrier, sessions: MakeSessions) -> None:
    async def main() -> None:
        model = HandModel()
        async with direct.serving(Models(model), sessions=sessions()) as served:
            for asked_for, told in (("off", False), ("on", True)):
                async with connected(served.url) as client:
                    head = f"\r\nX-Headrace-Event-Ids: {asked_for}\r\n\r\n".encode()
                    await client.send(detached().replace(b"\r\n\r\n", head, 1))
                    id, source = await began(client, model, TextDelta(0, "a"), *END)
                    source.end()
                    body = await client.response_body()
                    assert (b"id: 1\n" in body) is told
                    events = body.split(b"\n\n")
                rest = await asked(served, "GET", f"/v1/streams/{id}?after=2")
                assert rest.body == b"\n\n".join(events[2:])  # an event is a record, numbered or not

    direct.run(main())
