"""A generator that counts itself, readers of streams, and a check that nothing is left over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

from headrace import StreamChunk, StreamContext


class Making:
    """A generator of the user's: numbers, at intervals; then silence (`hang`), an error, or the end."""

    def __init__(self, count: int = 3, *, every_s: float = 0.0, hang: bool = False, error: str = "") -> None:
        self.count = count
        self.every_s = every_s
        self.hang = hang
        self.error = error
        self.made = 0
        self.opened = 0
        self.closed = 0

    async def generate(self, context: StreamContext, full_response: object) -> AsyncGenerator[StreamChunk]:
        self.opened += 1
        try:
            for number in range(self.count):
                await asyncio.sleep(self.every_s)
                self.made += 1
                yield StreamChunk(f"{context.stream_id}/{number}", 99, {"content": f"{number} "})
            if self.error:
                raise KeyError(self.error)
            if self.hang:
                await asyncio.Event().wait()
        finally:
            self.closed += 1


async def settle() -> None:
    """Let what was set in motion come to rest, without any time passing."""
    for _ in range(30):
        await asyncio.sleep(0)


async def nothing_left(*made: Making) -> None:
    """No generator is open and no task runs but this one."""
    await settle()
    assert [one.opened - one.closed for one in made] == [0] * len(made)
    assert asyncio.all_tasks() == {asyncio.current_task()}


def texts(chunks: list[StreamChunk]) -> str:
    return "".join(chunk.data["content"] for chunk in chunks)


async def read(stream: Any) -> tuple[list[StreamChunk], BaseException | None]:
    got: list[StreamChunk] = []
    try:
        async for chunk in stream:
            got.append(chunk)  # noqa: PERF401 - kept when the stream raises
    except Exception as error:  # noqa: BLE001 - the test's to judge
        return got, error
    return got, None
