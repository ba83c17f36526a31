"""Without a log nobody asks for numbers: what the source says passes as it came."""

from __future__ import annotations

import pytest
from tests.sessions.test_session import Taken
from tests.sessions.test_session_machine import Producing

from headrace.sessions.ending import WHOLE, Ending
from headrace.sessions.reader import Reader
from headrace.sessions.session import Session, SlowReaders
from headrace.store.log import StreamEnd, StreamHead
from headrace.store.memory import MemoryLog
from headrace.store.none import NoLog

PIECE = b": a comment\n\nid: theirs\ndata: 1\n\ndata: 2\n\n"


def said(log: MemoryLog | NoLog) -> bytes:
    session = Session(
        StreamHead("s"),
        log,
        lambda _session: None,
        events=True,
        tells_ids=log.keeps,
        detaches=True,
        slow_readers="pause",
    )
    reader = Taken()
    session.join(reader)
    session.write([PIECE])
    return b"".join(reader.data)


def test_what_is_not_kept_passes_as_it_came() -> None:
    assert said(NoLog()) == PIECE


class Client:
    """An outlet. lags: it is behind, as soon as it has been given something."""

    def __init__(self, *, lags: bool) -> None:
        self.lags = lags
        self.paused = False
        self.reader: Reader | None = None
        self.data = b""
        self.ending: Ending | None = None

    def give(self, data: bytes, /) -> None:
        self.data += data
        if self.lags and not self.paused:
            self.paused = True
            assert self.reader is not None
            self.reader.on_pause()

    def finish(self, data: bytes, ending: Ending, /) -> None:
        self.data += data
        self.ending = ending


@pytest.mark.parametrize("slow_readers", ["pause", "spill", "drop"])
def test_one_who_is_behind_holds_the_source_and_has_all(slow_readers: SlowReaders) -> None:
    """What the source brings before it stands still, and its end, cannot be read later."""
    session = Session(
        StreamHead("s"),
        NoLog(),
        lambda _session: None,
        events=True,
        tells_ids=False,
        detaches=False,
        slow_readers=slow_readers,
    )
    producer = Producing(session)
    clients = [Client(lags=lags) for lags in (False, True)]
    for client in clients:
        client.reader = Reader("s", 0, client, NoLog(), set(), 0)
        client.reader.begin(session)
    session.write([b"data: 1\n\n"])
    assert producer.held
    session.write([b"data: 2\n\n"])
    session.end(StreamEnd("finished"), [b"data: 3\n\n"], WHOLE)
    for client in clients:
        assert (client.data, client.ending) == (b"data: 1\n\ndata: 2\n\ndata: 3\n\n", WHOLE)


def test_what_is_kept_is_numbered() -> None:
    assert said(MemoryLog()) == b"id: 1\n:\ndata: 1\n\nid: 2\ndata: 2\n\n"
