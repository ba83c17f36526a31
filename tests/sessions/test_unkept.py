"""Without a log nobody asks for numbers: what the source says passes as it came."""

from __future__ import annotations

from tests.sessions.test_session import Taken

from headrace.sessions.session import Session
from headrace.store.log import StreamHead
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


def test_what_is_kept_is_numbered() -> None:
    assert said(MemoryLog()) == b"id: 1\n:\ndata: 1\n\nid: 2\ndata: 2\n\n"
