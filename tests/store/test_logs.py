"""Every log behaves as the suite says; what is each log's own is tested beside it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from headrace.store.log import Keeping, StreamLog
from headrace.store.memory import MemoryLog
from headrace.store.sqlite import SqliteLog
from headrace.testing import logs

Make = Callable[[Path, Keeping], StreamLog]
LOGS: dict[str, Make] = {
    "memory": lambda _, keeping: MemoryLog(keeping),
    "sqlite": lambda folder, keeping: SqliteLog(folder / "log.db", keeping),
}


@pytest.mark.parametrize("check", logs.CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("kind", LOGS)
def test_conformance(kind: str, check: logs.Check, tmp_path: Path) -> None:
    asyncio.run(check(lambda: LOGS[kind](tmp_path, Keeping())))  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", LOGS)
def test_what_is_too_much_goes(kind: str, tmp_path: Path) -> None:
    asyncio.run(logs.check_old_records_go_first(lambda: LOGS[kind](tmp_path, Keeping(stream_bytes=1000))))


def test_a_file_outlives_its_process(tmp_path: Path) -> None:
    asyncio.run(logs.check_what_was_committed_outlives_the_log(lambda: LOGS["sqlite"](tmp_path, Keeping())))
