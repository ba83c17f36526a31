"""A session, its readers and a late log, done to each other in any order.

Whatever the order: a reader has each record once and in order, then one ending and nothing behind it; none
waits for ever once the stream has ended; the source is held and let go in turns, and stopped once at most.
"""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.sessions.late_log import LateLog

from headrace.core.chunk import Failure, Finish, Terminal
from headrace.metrics.clock import StreamClock
from headrace.sessions.ending import WHOLE, Ending, end_of
from headrace.sessions.reader import Reader
from headrace.sessions.session import Session, SlowReaders
from headrace.store.log import StreamHead

SLOW_BYTES = 12
WORDS = b"oh!"


class Client:
    """An outlet that keeps what it is given. gives_way: pauses inside `give`, as a full socket does."""

    def __init__(self, after: int) -> None:
        self.after = after
        self.data = b""
        self.endings: list[Ending] = []
        self.paused = False
        self.gives_way = False
        self.gone = False
        self.reader: Reader | None = None

    def give(self, data: bytes, /) -> None:
        assert not self.endings, "nothing comes behind the end"
        assert not self.gone, "nothing comes to one who has gone"
        assert not self.paused, "nothing comes to one who is behind"
        self.data += data
        if self.gives_way:
            self.gives_way = False
            self.pause()

    def finish(self, data: bytes, ending: Ending, /) -> None:
        assert not self.gone
        assert not (self.paused and data), "nothing comes to one who is behind"
        self.data += data
        self.endings.append(ending)

    def pause(self) -> None:
        if not self.paused:
            self.paused = True
            assert self.reader is not None
            self.reader.on_pause()

    def resume(self) -> None:
        if self.paused:
            self.paused = False
            assert self.reader is not None
            self.reader.on_resume()


class Producing:
    """The producer as a session sees it."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.clock = StreamClock(0.0, lambda: 0.0)
        self.held = False
        self.stops: list[tuple[Terminal, bool]] = []
        self.ended = False
        session.producer = self

    def hold(self) -> None:
        assert not self.held, "held once"
        assert not self.ended
        self.held = True

    def go_on(self) -> None:
        assert self.held, "let go once"
        assert not self.ended
        self.held = False

    def stop(self, terminal: Terminal, /, *, lost: bool) -> None:
        assert not self.ended, "stopped before its end"
        self.stops.append((terminal, lost))
        failure = terminal if isinstance(terminal, Failure) else Failure("error", "stopped", "stopped")
        self.end(failure, Ending(failure, said=True, words=WORDS), (WORDS,))

    def end(self, terminal: Terminal, ending: Ending, pieces: tuple[bytes, ...]) -> None:
        self.ended = True
        self.session.end(end_of(terminal, ending, 0.0, {}), pieces, ending)


class SessionMachine(RuleBasedStateMachine):
    """See the module."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.loop.set_exception_handler(self._broke)
        self.troubles: list[object] = []
        self.tasks: set[asyncio.Task[None]] = set()
        self.clients: list[Client] = []
        self.ends: list[Session] = []
        self.written = 0

    def _broke(self, _loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
        self.troubles.append(context)

    @initialize(
        slow_readers=st.sampled_from(["pause", "spill", "drop"]),
        detaches=st.booleans(),
        first=st.booleans(),
    )
    def begin(self, slow_readers: SlowReaders, detaches: bool, first: bool) -> None:
        self.slow_readers, self.detaches = slow_readers, detaches
        self.log = LateLog()
        self.session = Session(
            StreamHead("s"),
            self.log,
            self.ends.append,
            events=False,
            tells_ids=False,
            detaches=detaches,
            slow_readers=slow_readers,
        )
        self.producer = Producing(self.session)
        if first:
            self.join(0)

    # The source.

    @rule(count=st.integers(0, 4))
    def push(self, count: int) -> None:
        if self.producer.ended:
            return
        records = [b"%04d" % (self.written + at + 1) for at in range(count)]
        self.written += count
        self.session.write(records)

    @rule(fails=st.booleans(), says=st.booleans())
    def end(self, fails: bool, says: bool) -> None:
        if self.producer.ended:
            return
        if fails:
            failure = Failure("error", "the engine fell over", "down")
            self.producer.end(failure, Ending(failure, said=says, words=WORDS), (WORDS,) if says else ())
        else:
            self.producer.end(Finish("stop"), WHOLE, (WORDS,) if says else ())

    # The log.

    @rule(count=st.integers(0, 5), with_end=st.booleans())
    def commit(self, count: int, with_end: bool) -> None:
        if not self.log.broken:
            self.log.commit(count, with_end=with_end)

    @rule()
    def fill(self) -> None:
        self.log.full = True

    @precondition(lambda self: self.log.full)
    @rule()
    def give_room(self) -> None:
        self.log.give_room()

    @precondition(lambda self: not self.log.broken and self.written > 2)
    @rule()
    def break_off(self) -> None:
        self.log.break_off()

    @rule()
    def ask_to_stop(self) -> None:
        if self.log.tail is not None:
            self.log.tail.stop()

    # The readers.

    @rule(behind=st.integers(0, 9))
    def join(self, behind: int) -> None:
        """At the tail or some records behind it."""
        client = Client(max(0, self.log.committed - behind))
        self.clients.append(client)
        slow_bytes = SLOW_BYTES if self.slow_readers == "drop" else 0
        client.reader = Reader("s", client.after, client, self.log, self.tasks, slow_bytes)
        live = not self.ends
        self._in_loop(lambda: client.reader.begin(self.session if live else None))

    @rule(data=st.data(), what=st.sampled_from(["pause", "resume", "gives_way", "leave"]))
    def meddle(self, data: st.DataObject, what: str) -> None:
        clients = [client for client in self.clients if not client.gone and not client.endings]
        if not clients:
            return
        client = data.draw(st.sampled_from(clients))
        if what == "gives_way":
            client.gives_way = not client.paused
        elif what == "leave":
            client.gone = True
            self._in_loop(client.reader.leave)  # type: ignore[union-attr]
        else:
            self._in_loop(client.pause if what == "pause" else client.resume)

    @rule(turns=st.integers(1, 6))
    def turn(self, turns: int) -> None:
        """Let the loop go on a little."""
        self._run(turns)

    @rule()
    def rest(self) -> None:
        """Let the loop come to rest: who reads is at the tail then, and no task goes round."""
        self._run(300)
        for client in self.clients:
            if not (client.gone or client.paused or client.endings) and not self.ends:
                assert client.reader is not None
                assert client.reader.at_tail
        assert not self.tasks or self.ends or self.producer.ended

    # What is always so.

    @invariant()
    def each_has_a_prefix(self) -> None:
        said = b"".join(self.log.records[: self.log.committed]) if hasattr(self, "log") else b""
        for client in self.clients:
            rest = said[len(b"".join(self.log.records[: client.after])) :]
            if client.endings and client.endings[0].failure is not None and not client.endings[0].said:
                assert rest.startswith(client.data)
            elif client.endings:
                assert client.data == rest, "an ending comes behind all records"
                assert self.log.end_committed is not None, "and when it is committed itself"
            else:
                assert rest.startswith(client.data)
            assert len(client.endings) <= 1
        assert not self.troubles

    @invariant()
    def the_source_is_held_for_a_reason(self) -> None:
        if not hasattr(self, "producer") or self.producer.ended:
            return
        readers = self.session.readers
        behind = self.slow_readers == "pause" and bool(readers) and all(one.paused for one in readers)
        assert self.producer.held == (behind or self.log.told_full)
        assert self.producer.held == self.session.paused

    @invariant()
    def the_source_is_stopped_with_its_last_reader(self) -> None:
        if hasattr(self, "producer") and self.clients and not self.detaches and not self.session.readers:
            assert self.producer.ended

    @invariant()
    def the_stream_ends_once(self) -> None:
        assert len(self.ends) <= 1
        if hasattr(self, "producer"):
            assert len(self.producer.stops) <= 1

    def teardown(self) -> None:
        """All is committed, everybody reads: then everybody has all, and the end."""
        try:
            self._settle()
        finally:
            for task in tuple(self.tasks):
                task.cancel()
            self._run(4)
            self.loop.close()

    def _settle(self) -> None:
        if not hasattr(self, "producer"):
            return
        if not self.producer.ended:
            self.end(fails=False, says=True)
        if not self.log.broken:
            self.log.commit(1000, with_end=True)
        assert self.ends == [self.session], "the end is told"
        for client in self.clients:
            client.gives_way = False
            if not client.gone:
                self._in_loop(client.resume)
        self._run(2000)
        self.each_has_a_prefix()
        for client in self.clients:
            assert client.gone or len(client.endings) == 1, "nobody waits for ever"
        assert not self.tasks
        assert self.session.readers == []

    def _in_loop(self, step: object) -> None:
        async def do() -> None:
            step()  # type: ignore[operator]

        self.loop.run_until_complete(do())

    def _run(self, turns: int) -> None:
        async def do() -> None:
            for _ in range(turns):
                await asyncio.sleep(0)

        self.loop.run_until_complete(do())


SessionMachine.TestCase.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
TestSessionMachine = pytest.mark.filterwarnings("error")(SessionMachine.TestCase)
