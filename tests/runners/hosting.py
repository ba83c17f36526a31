"""A host with the scripted engine, for the runners' tests."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import psutil
from tests.runners.keeping import Kept

from headrace.runners.host import EngineHost
from headrace.runners.model import LocalSource

PLACE = "scripted_engine:ScriptedEngine"


def hosted(
    work: Callable[[EngineHost], Awaitable[None]],
    *,
    host: dict[str, Any] | None = None,
    loop: Callable[[], asyncio.AbstractEventLoop] | None = None,
    **options: Any,
) -> None:
    """Run `work` with a host; afterwards no child process is left. host: its own options."""

    async def ready() -> dict[str, Any]:
        return options

    async def run() -> None:
        made = EngineHost("local/scripted", PLACE, ready, **(host or {}))
        try:
            await work(made)
        finally:
            await made.aclose()

    before = psutil.Process().children()  # the real model's worker lives through the session
    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(run())
    assert psutil.Process().children() == before


def asked(host: EngineHost, **job: Any) -> Kept:
    """One reply of it, begun."""
    source = LocalSource(host, job)
    kept = Kept(source)
    source.start(kept)
    return kept
