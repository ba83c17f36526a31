"""Every log behaves as the suite says; what is each log's own is tested beside it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.store.servers import Server, valkey_server

from headrace.store.log import Keeping, StreamLog
from headrace.store.memory import MemoryLog
from headrace.store.sqlite import SqliteLog
from headrace.store.valkey import ValkeyLog
from headrace.testing import logs

Make = Callable[[Path, Keeping], StreamLog]
_server: list[Server] = []  # one for all tests, each with a prefix of its own


@pytest.fixture(scope="module", autouse=True)
def server() -> Iterator[None]:
    with valkey_server() as running:
        _server.append(running)
        yield
        _server.clear()


def _valkey(folder: Path, keeping: Keeping) -> StreamLog:
    return ValkeyLog(_server[0].url, keeping, prefix=f"{folder.name}:", heartbeat_s=0.2)


LOGS: dict[str, Make] = {
    "memory": lambda _, keeping: MemoryLog(keeping),
    "sqlite": lambda folder, keeping: SqliteLog(folder / "log.db", keeping),
    "valkey": _valkey,
}


@pytest.mark.parametrize("check", logs.CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("kind", LOGS)
def test_conformance(kind: str, check: logs.Check, tmp_path: Path) -> None:
    asyncio.run(check(lambda: LOGS[kind](tmp_path, Keeping())))  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", LOGS)
def test_what_is_too_much_goes(kind: str, tmp_path: Path) -> None:
    asyncio.run(logs.check_old_records_go_first(lambda: LOGS[kind](tmp_path, Keeping(stream_bytes=1000))))


@pytest.mark.parametrize("kind", ["sqlite", "valkey"])
def test_what_is_committed_outlives_its_process(kind: str, tmp_path: Path) -> None:
    asyncio.run(logs.check_what_was_committed_outlives_the_log(lambda: LOGS[kind](tmp_path, Keeping())))
