"""`[streams]` of the configuration -> the streams of a server."""

from __future__ import annotations

from pathlib import Path

from headrace.config.settings import StreamSettings
from headrace.errors import ConfigError
from headrace.sessions.table import Sessions
from headrace.store.log import Keeping, StreamLog
from headrace.store.memory import MemoryLog
from headrace.store.none import NoLog


def sessions_of(settings: StreamSettings) -> Sessions:
    """Streams as the settings want them. Raises ConfigError where the log cannot be."""
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
    raise ConfigError('streams.log: "valkey" is not there yet: use memory or sqlite', field="streams.log")
