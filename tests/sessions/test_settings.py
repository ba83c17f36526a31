"""`[streams]` -> the log that it names, or one plain sentence why not."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from headrace.config.secret import Secret
from headrace.config.settings import StreamSettings
from headrace.errors import ConfigError
from headrace.sessions.settings import log_of, sessions_of
from headrace.store.memory import MemoryLog
from headrace.store.none import NoLog
from headrace.store.sqlite import SqliteLog
from headrace.store.valkey import ValkeyLog

URL = "redis://user:sesame@127.0.0.1:6379/0"
LOGS: dict[str, tuple[dict[str, Any], type]] = {
    "memory": ({}, MemoryLog),
    "none": ({"log": "none"}, NoLog),
    "sqlite": ({"log": "sqlite"}, SqliteLog),
    "valkey": ({"log": "valkey", "url": Secret(URL)}, ValkeyLog),
    "valkey by the environment": ({"log": "valkey", "url_env": "STREAMS_URL"}, ValkeyLog),
}


@pytest.mark.parametrize("name", LOGS)
def test_the_log_that_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREAMS_URL", URL)
    options, kind = LOGS[name]
    assert type(log_of(StreamSettings(**options))) is kind


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "streams.url is not set"),
        ({"url_env": "STREAMS_URL"}, "$STREAMS_URL is not set"),
        ({"url": Secret("http://user:sesame@h")}, "must be redis://"),
    ],
)
def test_a_server_that_cannot_be_named(
    options: dict[str, Any], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("STREAMS_URL", raising=False)
    with pytest.raises(ConfigError) as caught:
        log_of(StreamSettings(log="valkey", **options))
    assert said in caught.value.message
    assert "sesame" not in repr(caught.value)


@pytest.mark.parametrize("slow_readers", ["spill", "drop"])
def test_without_a_log_nobody_reads_later(slow_readers: Any) -> None:
    with pytest.raises(ConfigError, match="needs a log to read from later"):
        sessions_of(StreamSettings(log="none", slow_readers=slow_readers))


def test_without_the_extra_it_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("headrace.store.valkey")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "redis.asyncio.connection", None)
    with pytest.raises(ConfigError, match=r"pip install 'headrace\[valkey\]'"):
        log_of(StreamSettings(log="valkey", url=Secret(URL)))
