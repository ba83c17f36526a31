"""A session and a log that commits when it likes: what was written before the end is not the end."""

from __future__ import annotations

import pytest

from headrace.core.chunk import Failure
from headrace.sessions.ending import Ending
from headrace.sessions.session import Session
from headrace.store.log import StreamEnd, StreamHead
from headrace.store.memory import MemoryLog

FAILED = Ending(Failure("error", "the engine fell over", "down"), said=False)


class LateLog(MemoryLog):
    """Takes everything and commits nothing: the test calls the session itself."""

    def append(self, id: str, records: object, /) -> bool:
        return True

    def end(self, id: str, end: StreamEnd, records: object = (), /) -> None:
        """Nothing, yet."""


class Taken:
    """A reader at the tail."""

    sent = 0
    at_tail = True
    paused = False

    def __init__(self) -> None:
        self.data: list[bytes] = []
        self.ending: Ending | None = None

    def give(self, data: bytes, last: int, /) -> None:
        self.data.append(data)
        self.sent = last

    def missed(self, data_bytes: int, /) -> None:
        raise AssertionError("it was never paused")

    def finish(self, data: bytes, ending: Ending, /) -> None:
        self.data.append(data)
        self.ending = ending

    def go_behind(self) -> None:
        raise AssertionError("it was never behind")


@pytest.mark.parametrize("records", [(), (b"1", b"2")])
def test_an_end_waits_for_its_own_commit(records: tuple[bytes, ...]) -> None:
    ended: list[Session] = []
    session = Session(
        StreamHead("s"),
        LateLog(),
        ended.append,
        events=False,
        tells_ids=False,
        detaches=True,
        slow_readers="pause",
    )
    reader = Taken()
    session.join(reader)
    session.write(records)
    session.end(StreamEnd("failed"), (), FAILED)
    session.committed(len(records))
    assert (ended, reader.ending) == ([], None)
    session.committed(len(records), True)
    assert (ended, reader.ending) == ([session], FAILED)
    assert b"".join(reader.data) == b"".join(records)
