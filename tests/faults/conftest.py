"""One loop on a virtual clock, one rig and its clients for the whole folder."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, TypeAlias

import pytest

from tests.faults.rig import FaultLoop, Rig, connected_rig

Play: TypeAlias = Callable[[Callable[[Rig], Coroutine[Any, Any, None]]], None]


@pytest.fixture(scope="package")
def play(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Play]:
    """Runs a coroutine of the rig where that lives."""
    with asyncio.Runner(loop_factory=FaultLoop) as runner:
        lent = connected_rig(tmp_path_factory.mktemp("faults"))
        rig = runner.run(lent.__aenter__())
        try:
            yield lambda main: runner.run(main(rig))
        finally:
            runner.run(lent.__aexit__(None, None, None))
