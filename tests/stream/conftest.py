"""A source that counts itself, and a check that nothing is left over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Any

import pytest


class Probe:
    """Makes async generators of text that count how many are open."""

    def __init__(self) -> None:
        self.opened = 0
        self.closed = 0
        self.made = 0

    async def texts(
        self,
        count: int = 5,
        *,
        every_s: float = 0.01,
        error: Exception | None = None,
        hang: bool = False,
        closing_s: float = 0.0,
        form: str = " w{}",
    ) -> AsyncGenerator[str, None]:
        """`count` words at intervals; then `error`, or silence (`hang`), or the end. It may close slowly."""
        self.opened += 1
        try:
            for number in range(count):
                await asyncio.sleep(every_s)
                self.made += 1
                yield form.format(number)
            if error is not None:
                raise error
            if hang:
                await asyncio.Event().wait()
        finally:
            if closing_s:
                await asyncio.sleep(closing_s)
            self.closed += 1

    @property
    def open(self) -> int:
        return self.opened - self.closed


@pytest.fixture
def probe() -> Probe:
    return Probe()


async def _settle() -> None:
    """Let what was set in motion come to rest, without any time passing."""
    for _ in range(30):
        await asyncio.sleep(0)


@pytest.fixture
def settle() -> Callable[[], Any]:
    return _settle


@pytest.fixture
def nothing_left(probe: Probe) -> Callable[[], Any]:
    """Proves that no source, task or timer is left in the running loop."""

    async def check() -> None:
        await _settle()
        loop: Any = asyncio.get_running_loop()
        assert probe.open == 0, f"{probe.open} sources are still open"
        others = asyncio.all_tasks() - {asyncio.current_task()}
        assert not others, f"tasks left: {others}"
        timers = [handle for handle in loop._scheduled if not handle.cancelled()]
        assert not timers, f"timers left: {timers}"

    return check
