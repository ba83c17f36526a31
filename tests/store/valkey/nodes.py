"""What the tests of logs on a Valkey server share."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Coroutine
from typing import Any

from headrace.store.log import StreamEnd
from headrace.store.valkey import ValkeyLog
from headrace.store.valkey.link import Link

PATIENCE_S = 15.0
BEAT_S = 0.1
prefixes = (f"t{number}:" for number in itertools.count())


def run(main: Coroutine[Any, Any, None]) -> None:
    async def checked() -> None:
        async with asyncio.timeout(PATIENCE_S):
            await main
        assert len(asyncio.all_tasks()) == 1, "nothing that the logs began lives on"

    asyncio.run(checked())


async def until(what: Callable[[], Coroutine[Any, Any, bool]]) -> None:
    while not await what():
        await asyncio.sleep(0.01)


def link_of(log: ValkeyLog) -> Link:
    return log._asks


async def die(log: ValkeyLog) -> None:
    """The node is gone without a word: its key is left to run out."""
    log._open = False
    task = log._beats._task
    assert task is not None
    task.cancel()
    await asyncio.wait([task])
    await log._hang_up()


async def read_live(log: ValkeyLog, id: str, after: int = 0) -> tuple[list[bytes], StreamEnd]:
    """As a reader on another node does."""
    found: list[bytes] = []
    while True:
        records = await log.read(id, after + len(found), 64)
        found += records
        if records:
            continue
        state = await log.state(id)
        assert state is not None
        if state.end is None:
            await log.wait(id, after + len(found), 60)
        elif after + len(found) >= state.last:
            return found, state.end
