"""A node's writer and a server that answers late, with refusals, with stops, or not at all, in any order."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from redis.exceptions import ResponseError

from headrace.errors import StreamingError
from headrace.store.log import Keeping, StreamEnd, StreamHead
from headrace.store.valkey.keys import Keys
from headrace.store.valkey.link import Done, unreachable
from headrace.store.valkey.scripts import APPEND, Command
from headrace.store.valkey.writer import Writer

PLACES = st.integers(0, 9)  # among the streams that are open
MOST = 3
PENDING_BYTES = 12
APPEND_AT = 5  # EVALSHA, sha, 2, meta, log, then: node, number, first, end, life, records


class Kept:
    """One stream as the server has it, and as its writer is told."""

    def __init__(self, writer: Writer, id: str, *, obeys: bool) -> None:
        self.writer, self.id, self.obeys = writer, id, obeys
        self.taken: list[bytes] = []
        self.kept: list[bytes] = []
        self.end_taken = self.end_kept = self.ended = False
        self.told = 0
        self.waits_for_room = False
        self.stops = 0
        self.trouble: StreamingError | None = None

    @property
    def is_open(self) -> bool:
        return not self.end_taken and self.trouble is None

    def committed(self, last: int, ended: bool = False, /) -> None:
        assert self.trouble is None
        assert not self.ended
        assert self.told <= last <= len(self.kept)
        assert not ended or (self.end_kept and last == len(self.taken))
        self.told, self.ended = last, ended

    def room(self) -> None:
        assert self.waits_for_room, "room is told once"
        self.waits_for_room = False

    def stop(self) -> None:
        self.stops += 1
        if self.is_open and self.obeys:
            self.end_taken = True
            self.writer.end(self.id, StreamEnd("cancelled"), ())

    def broke(self, error: StreamingError, /) -> None:
        assert self.trouble is None
        assert not self.ended
        self.trouble = error


class FakeLink:
    """One batch at a time, as the writer sends them."""

    def __init__(self) -> None:
        self.batch: tuple[Sequence[Command], Done] | None = None

    def submit(self, commands: Sequence[Command], done: Done) -> None:
        assert self.batch is None, "one batch a round trip"
        assert commands
        self.batch = (commands, done)


class WriterMachine(RuleBasedStateMachine):
    """See the module."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.link = FakeLink()
        link: Any = self.link
        self.keys = Keys("p:")
        self.writer = Writer("node", self.keys, link, Keeping(pending_bytes=PENDING_BYTES))
        self.streams: dict[str, Kept] = {}
        self.over: list[Kept] = []
        self.begun = 0

    def _do(self, step: Any) -> None:
        async def do() -> None:
            step()
            await asyncio.sleep(0)
            await asyncio.sleep(0)

        self.loop.run_until_complete(do())

    def _one(self, place: int) -> Kept:
        open_ones = [one for one in self.streams.values() if one.is_open]
        return open_ones[place % len(open_ones)]

    def any_open(self) -> bool:
        return any(one.is_open for one in self.streams.values())

    @precondition(lambda self: len(self.streams) < MOST)
    @rule(obeys=st.booleans())
    def begin(self, obeys: bool) -> None:
        self.begun += 1
        id = f"s{self.begun}"  # never used again
        tail = self.streams[id] = Kept(self.writer, id, obeys=obeys)
        self._do(lambda: self.writer.begin(StreamHead(id), tail))

    @precondition(any_open)
    @rule(place=PLACES, records=st.lists(st.binary(min_size=1, max_size=6), max_size=3))
    def append(self, place: int, records: list[bytes]) -> None:
        stream = self._one(place)
        stream.taken += records

        def step() -> None:
            stream.waits_for_room |= not self.writer.append(stream.id, records)

        self._do(step)

    @precondition(any_open)
    @rule(place=PLACES, records=st.lists(st.just(b"last"), max_size=2))
    def end(self, place: int, records: list[bytes]) -> None:
        stream = self._one(place)
        stream.taken += records
        stream.end_taken = True
        self._do(lambda: self.writer.end(stream.id, StreamEnd("finished"), records))

    @precondition(lambda self: self.streams)
    @rule(place=PLACES)
    def forget(self, place: int) -> None:
        stream = list(self.streams.values())[place % len(self.streams)]
        self._do(lambda: self.writer.forget(stream.id))
        assert stream.trouble is not None

    @precondition(lambda self: self.link.batch is not None)
    @rule(how=st.sampled_from(["ok", "ok", "ok", "stop", "stop", "lost", "error"]))
    def answer(self, how: str) -> None:
        assert self.link.batch is not None
        commands, done = self.link.batch
        self.link.batch = None
        answers = [self._carried_out(command, how) for command in commands]
        self._do(lambda: done(answers))

    @precondition(lambda self: self.link.batch is not None)
    @rule()
    def stay_away(self) -> None:
        assert self.link.batch is not None
        (_, done), self.link.batch = self.link.batch, None
        self._do(lambda: done(unreachable("gone")))

    def _carried_out(self, command: Command, how: str) -> object:
        if command[:2] != APPEND()[:2]:
            return b"ok"
        if how == "lost":
            return b"lost"
        if how == "error":
            return ResponseError("OOM")
        number, end, records = command[APPEND_AT + 1], command[APPEND_AT + 3], command[APPEND_AT + 5 :]
        for stream in (*self.streams.values(), *self.over):
            if command[3] == self.keys.meta(stream.id) and not stream.end_kept and stream.trouble is None:
                assert number == len(stream.kept) + 1, "without a gap"
                stream.kept += records  # type: ignore[arg-type]
                stream.end_kept = bool(end)
        return how.encode()

    @invariant()
    def what_is_kept_is_what_was_taken(self) -> None:
        for id, stream in list(self.streams.items()):
            assert stream.kept == stream.taken[: len(stream.kept)]
            assert stream.stops <= 1
            if stream.ended or stream.trouble is not None:
                assert id not in self.writer.lives
                self.over.append(self.streams.pop(id))
                self.writer.lost.discard(id)
        assert (self.link.batch is not None) or not any(
            len(stream.taken) > stream.told for stream in self.streams.values()
        ), "what is taken is on its way"
        assert (self.link.batch is not None) or not any(
            stream.waits_for_room for stream in self.streams.values()
        ), "nobody waits for room in vain"

    def teardown(self) -> None:
        try:
            while self.any_open():
                self.end(0, [])
            while self.link.batch is not None:
                self.answer("ok")
            self.what_is_kept_is_what_was_taken()
            assert not self.streams, "every stream has an end"
            assert not self.writer.lives
            assert (self.writer._pending_bytes, self.writer._flying_bytes) == (0, 0)
        finally:
            self.loop.close()


WriterMachine.TestCase.settings = settings(max_examples=200, stateful_step_count=50, deadline=None)
TestWriterMachine = WriterMachine.TestCase
