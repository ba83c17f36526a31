"""The table of streams is closed: whoever reads is told so, whatever he was doing; nobody waits for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from headrace.core.chunk import Failure, Terminal
from headrace.metrics.clock import StreamClock
from headrace.sessions.ending import WHOLE, Ending, end_of
from headrace.sessions.session import Session
from headrace.sessions.table import CLOSED, Sessions
from headrace.store.log import StreamEnd, StreamLog
from headrace.store.memory import MemoryLog
from headrace.store.none import NoLog
from headrace.store.sqlite import SqliteLog

PIECE = b"x" * 1000
Make = Callable[[Path], StreamLog]
LOGS: dict[str, Make] = {
    "memory": lambda _: MemoryLog(),
    "sqlite": lambda folder: SqliteLog(folder / "log.db"),
}


class Hand:
    """A producer that the test writes for."""

    def __init__(self, session: Session) -> None:
        self.clock = StreamClock(0.0, lambda: 0.0)
        self.session = session
        self.stopped: Terminal | None = None
        session.producer = self

    def hold(self) -> None:
        """Brings nothing by itself."""

    def go_on(self) -> None:
        """Brings nothing by itself."""

    def stop(self, terminal: Terminal, /, *, lost: bool) -> None:
        self.stopped = terminal
        assert isinstance(terminal, Failure)
        ending = Ending(terminal, said=False)
        self.session.end(end_of(terminal, ending, 0.0, {}), (), ending)


class Out:
    """An outlet that pauses after its first piece, where it is `slow`."""

    def __init__(self, slow: bool = False) -> None:
        self.slow = slow
        self.paused = False
        self.bytes = 0
        self.ended: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()

    def give(self, data: bytes, /) -> None:
        self.bytes += len(data)
        if self.slow and not self.paused:
            self.paused = True
            self.reader.on_pause()

    def finish(self, data: bytes, ending: Ending, /) -> None:
        self.bytes += len(data)
        self.ended.set_result(ending)

    def read(self, sessions: Sessions, id: str, session: Session | None = None) -> None:
        self.reader = sessions.reader(id, 0, self)  # as every outlet keeps its own
        self.reader.begin(session)

    async def told(self) -> Ending:
        async with asyncio.timeout(30):
            return await self.ended


def begun(sessions: Sessions, id: str) -> Session:
    return sessions.begin(id, {}, events=False, tells_ids=False, detaches=True)


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0)


async def closed(sessions: Sessions) -> None:
    async with asyncio.timeout(30):
        await sessions.aclose()
    assert not sessions.live
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.fixture(params=LOGS)
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], StreamLog]:
    return lambda: LOGS[request.param](tmp_path)


def test_who_keeps_up_and_who_is_behind(log: Callable[[], StreamLog]) -> None:
    async def main() -> None:
        sessions = Sessions(log(), slow_readers="spill")
        await sessions.open()
        session = begun(sessions, "live")
        hand = Hand(session)
        quick, slow, late = Out(), Out(slow=True), Out(slow=True)
        for out in (quick, slow):
            out.read(sessions, "live", session)
        session.write([PIECE])
        await until(lambda: slow.paused)
        for _ in range(199):
            session.write([PIECE])
        await until(lambda: session.sent == 200)
        late.read(sessions, "live", session)
        await until(lambda: late.paused)
        await closed(sessions)
        assert hand.stopped == CLOSED
        for out in (quick, slow, late):
            assert (await out.told()).failure == CLOSED
        assert quick.bytes == 200 * len(PIECE)
        assert 0 < slow.bytes < quick.bytes
        assert 0 < late.bytes < quick.bytes

    asyncio.run(main())


def test_who_is_behind_a_stream_that_has_ended(log: Callable[[], StreamLog]) -> None:
    async def main() -> None:
        sessions = Sessions(log(), slow_readers="spill")
        await sessions.open()
        session = begun(sessions, "over")
        Hand(session)
        slow, working = Out(slow=True), Out()
        slow.read(sessions, "over", session)
        session.write([PIECE] * 200)
        await until(lambda: slow.paused)
        session.end(StreamEnd("finished"), [PIECE], WHOLE)
        await until(lambda: not sessions.live)
        working.read(sessions, "over")  # and has not yet read a thing
        await closed(sessions)
        for out in (slow, working):
            assert (await out.told()).failure == CLOSED
        assert working.bytes == 0

    asyncio.run(main())


def test_who_waits_for_what_another_node_makes() -> None:
    async def main() -> None:
        log = MemoryLog()
        sessions = Sessions(log)
        await sessions.open()
        elsewhere = Sessions(log)
        begun(elsewhere, "far").write([PIECE])
        out = Out()
        out.read(sessions, "far")
        await until(lambda: out.bytes)
        await closed(sessions)
        assert (await out.told()).failure == CLOSED

    asyncio.run(main())


def test_who_has_left_is_told_nothing_more() -> None:
    async def main() -> None:
        sessions = Sessions(NoLog())
        await sessions.open()
        session = begun(sessions, "live")
        Hand(session)
        gone, done = Out(), Out()
        done.read(sessions, "live", session)
        gone.read(sessions, "live", session)
        gone.reader.leave()
        session.end(StreamEnd("finished"), [PIECE], WHOLE)
        assert await done.told() == WHOLE
        await closed(sessions)  # a second `finish` would raise
        assert not gone.ended.done()

    asyncio.run(main())


def test_the_failure_is_the_owners() -> None:
    async def main() -> None:
        sessions = Sessions()
        session = begun(sessions, "live")
        Hand(session)
        out = Out()
        out.read(sessions, "live", session)
        failure = Failure("error", "the house is on fire", "fire")
        await sessions.aclose(failure)
        assert (await out.told()).failure == failure

    asyncio.run(main())
