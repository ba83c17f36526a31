"""Streams that are dropped and resumed, stopped, detached, read by two; logs and servers that fail."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Sequence
from pathlib import Path

import msgspec

from headrace.errors import StreamingError
from headrace.server.serve import RunningServer
from headrace.sessions.table import Sessions
from headrace.store.log import StreamEnd
from headrace.store.memory import MemoryLog
from headrace.store.sqlite import SqliteLog
from tests.faults.checker import check_failure
from tests.faults.reading import DETACH, Reading, again, asked, begun, latest_id, log_of, status, until
from tests.faults.rig import Rig
from tests.faults.table import Cell, Seen
from tests.faults.ways import counted, ended, failure_of, one_terminal

_COMMIT_S = 1.0


async def _id_of(server: RunningServer, reading: Reading) -> str:
    """As the client knows it: by its headers, or by the list where it has had none."""
    return reading.headers.get("x-headrace-stream-id") or await latest_id(server)


async def drops_and_resumes(rig: Rig, cell: Cell) -> None:
    """The client loses its connection, comes back while the answer is being made, and reads the rest.

    Another that had as much comes when all has been said, and has it from the log.
    """
    server = rig.server
    before = counted(server.app)
    async with begun(rig, cell, server, DETACH) as reading:
        id = await _id_of(server, reading)
        reading.client.reset()
        await until(lambda: not server.app.live)
    assert rig.upstream.open == 1, "the answer stopped with its client"
    async with again(server, cell, id, reading.last) as rest:
        rig.upstream.go.set()
        await rest.rest()
    state = await ended(server.app, before)
    data, text, _ = await log_of(server, cell, id)
    assert state.head.id == id
    assert reading.got + rest.got == data, "a byte is lost or doubled"
    async with again(server, cell, id, reading.last) as late:
        await late.rest()
    assert late.got == rest.got, "a byte is lost or doubled"
    assert text == cell.speech.text
    one_terminal(cell.client, data)
    assert rig.upstream.asked == 1


async def is_stopped(rig: Rig, cell: Cell) -> None:
    """Somebody stops the stream by its id."""
    server = rig.server
    before = counted(server.app)
    async with begun(rig, cell, server) as reading:
        id = await _id_of(server, reading)
        stopped = msgspec.json.decode((await asked(server, "DELETE", f"/v1/streams/{id}")).body)
        assert stopped["status"] == "cancelled"
        await until(lambda: not rig.upstream.open)
        await reading.rest()
    data, text, _ = await log_of(server, cell, id)
    reading.failed("cancelled", 503, cell.said, begun=bool(data))
    assert text == cell.said
    failure = failure_of(await ended(server.app, before))
    assert failure is not None
    check_failure(Seen("cancelled", "cancelled", 503), failure)


async def is_detached(rig: Rig, cell: Cell) -> None:
    """The client leaves for good; the answer is there for whoever asks later, as often as they like."""
    server = rig.server
    async with begun(rig, cell, server, DETACH) as reading:
        id = await _id_of(server, reading)
        reading.client.reset()
        await until(lambda: not server.app.live)
    rig.upstream.go.set()
    await until(lambda: not server.app.sessions.live)
    assert (await status(server, id))["status"] == "completed"
    bodies = []
    for _ in range(2):
        async with again(server, cell, id) as whole:
            await whole.rest()
        whole.whole(cell.speech.text)
        bodies.append(whole.got)
    assert bodies[0] == bodies[1]
    assert bodies[0].startswith(reading.got)


async def second_reader(rig: Rig, cell: Cell) -> None:
    """Another client joins at the phase, and has it all from the beginning."""
    server = rig.server
    async with begun(rig, cell, server) as first:
        id = await _id_of(server, first)
        async with again(server, cell, id) as second:
            if cell.said:
                await second.until(cell.said)
            rig.upstream.go.set()
            await asyncio.gather(first.rest(), second.rest())
    first.whole(cell.speech.text)
    assert second.got == first.got


class BrokenLog(MemoryLog):
    """A log whose disk is full from some time on."""

    broken = False

    def append(self, id: str, records: Sequence[bytes], /) -> bool:
        if not self.broken:
            return super().append(id, records)
        self._break(id)
        return True

    def end(self, id: str, end: StreamEnd, records: Sequence[bytes] = (), /) -> None:
        if self.broken:
            self._break(id)
        else:
            super().end(id, end, records)

    def _break(self, id: str) -> None:
        kept = self._streams[id]
        tail, kept.tail = kept.tail, None
        if tail is not None:
            trouble = StreamingError("the disk is full", code="log_failed")
            asyncio.get_running_loop().call_soon(tail.broke, trouble)


async def log_fails(rig: Rig, cell: Cell) -> None:
    """The log cannot keep what comes from the phase on."""
    log = BrokenLog()
    async with rig.serving(Sessions(log)) as server:
        before = counted(server.app)
        async with begun(rig, cell, server) as reading:
            begun_already = bool(reading.status) or bool((await log.states())[0].last)
            log.broken = True
            rig.upstream.go.set()
            await reading.rest()
            await until(lambda: not rig.upstream.open)
        reading.failed("log_failed", 502, cell.said, begun=begun_already)
        assert sum(counted(server.app).values()) == sum(before.values()) + 1


async def server_dies(rig: Rig, cell: Cell) -> None:
    """The server's process ends without a word, and another opens what it left on the disk."""
    path = rig.folder / f"{abs(hash(str(cell)))}.db"
    left = path.with_suffix(".left.db")
    async with rig.serving(Sessions(SqliteLog(path))) as server:
        async with begun(rig, cell, server, DETACH) as reading:
            id = await _id_of(server, reading)
            await _read_what_is_there(server, reading, id)
            _as_it_stands(path, left)
        rig.upstream.go.set()
        await until(lambda: not server.app.sessions.live)
    async with rig.serving(Sessions(SqliteLog(left))) as server:
        async with again(server, cell, id) as whole:
            await whole.rest()
        async with again(server, cell, id, reading.last) as rest:
            await rest.rest()
        if not reading.got:
            assert whole.status in (404, 503)  # nothing was acknowledged: it may not even be known
            return
        assert (await status(server, id))["status"] == "interrupted"
        whole.failed("interrupted", 503, cell.said, begun=True)
        assert whole.got.startswith(reading.got), "what was acknowledged is lost"
        assert rest.status == 503  # the client has all there is


async def _read_what_is_there(server: RunningServer, reading: Reading, id: str) -> None:
    """All that has been committed."""
    session = server.app.sessions.live[id]
    await asyncio.sleep(_COMMIT_S)
    while reading.last < session.sent:
        await reading.step()


def _as_it_stands(path: Path, to: Path) -> None:
    """What a process that is killed now leaves behind: the file and its write-ahead log."""
    for suffix in ("", "-wal"):
        source = path.with_name(path.name + suffix)
        if source.exists():
            shutil.copy(source, to.with_name(to.name + suffix))
