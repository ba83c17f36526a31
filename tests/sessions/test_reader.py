"""A reader of a stream that another node makes."""

from __future__ import annotations

import asyncio

from tests.sessions.late_log import LateLog
from tests.sessions.test_session_machine import Client

from headrace.sessions.reader import Reader
from headrace.store.log import StreamHead
from headrace.testing.logs import RecordingTail


def test_one_who_leaves_while_it_waits_leaves_nothing_behind() -> None:
    async def main() -> None:
        log, tasks, client = LateLog(), set[asyncio.Task[None]](), Client(0)
        log.begin(StreamHead("s"), RecordingTail())
        reader = client.reader = Reader("s", 0, client, log, tasks, 0)
        reader.begin(None)
        for _ in range(5):
            await asyncio.sleep(0)
        (task,) = tasks
        reader.leave()
        client.gone = True
        await asyncio.wait([task], timeout=5)
        assert task.done()
        assert not tasks

    asyncio.run(main())
