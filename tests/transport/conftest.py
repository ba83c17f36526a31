"""What the transport's tests share: both loops."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from headrace.testing.recorder import turns


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Callable[[Coroutine[Any, Any, Any]], Any]:
    """Runs a coroutine on either loop, within 30 s, and fails where a task outlives it."""
    factory = None
    if request.param == "uvloop":
        factory = pytest.importorskip("uvloop").new_event_loop

    async def watched(coroutine: Coroutine[Any, Any, Any]) -> Any:
        result = await asyncio.wait_for(coroutine, 30)
        await turns()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left, left
        return result

    def runs(coroutine: Coroutine[Any, Any, Any]) -> Any:
        with asyncio.Runner(loop_factory=factory) as runner:
            return runner.run(watched(coroutine))

    return runs
