"""`[streams]` of the configuration -> the streams of a server."""

from __future__ import annotations

import os
from pathlib import Path

from headrace.config.secret import Secret
from headrace.config.settings import StreamSettings
from headrace.errors import ConfigError
from headrace.sessions.table import Sessions
from headrace.store.log import Keeping, StreamLog
from headrace.store.memory import MemoryLog
from headrace.store.none import NoLog


def sessions_of(settings: StreamSettings) -> Sessions:
    """Streams as the settings want them. Raises ConfigError where the log cannot be, or the two disagree."""
    if settings.log == "none" and settings.slow_readers != "pause":
        said = f'streams.slow_readers: "{settings.slow_readers}" needs a log to read from later: take "pause"'
        raise ConfigError(said, field="streams.slow_readers")
    return Sessions(log_of(settings), slow_readers=settings.slow_readers, slow_bytes=settings.slow_bytes)


def log_of(settings: StreamSettings) -> StreamLog:
    """The log; what it needs is loaded here. Raises ConfigError."""
    keeping = Keeping(settings.stream_bytes, settings.total_bytes, settings.ended_s)
    if settings.log == "none":
        return NoLog()
    if settings.log == "memory":
        return MemoryLog(keeping)
    if settings.log == "sqlite":
        from headrace.store.sqlite import SqliteLog

        return SqliteLog(Path(settings.path).expanduser(), keeping)
    return _valkey_log(settings, keeping)


def _valkey_log(settings: StreamSettings, keeping: Keeping) -> StreamLog:
    try:
        from headrace.store.valkey import ValkeyLog
    except ModuleNotFoundError as error:
        said = f"streams.log: \"valkey\" needs {error.name}: pip install 'headrace[valkey]'"
        raise ConfigError(said, field="streams.log") from error
    url = settings.url
    if settings.url_env is not None:
        url = Secret(os.environ.get(settings.url_env, ""))
    if not url:
        where = f"${settings.url_env} is not set" if settings.url_env else "streams.url is not set"
        said = f'streams.log: "valkey" needs a server, and {where}: such as redis://127.0.0.1:6379/0'
        raise ConfigError(said, field="streams.url")
    return ValkeyLog(url, keeping, prefix=settings.prefix)
