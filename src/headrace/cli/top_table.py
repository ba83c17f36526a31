"""What `headrace top` shows: a line for each stream, and one for all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import msgspec
from rich.table import Table
from rich.text import Text

from headrace.cli.tables import table_of
from headrace.errors import WireError

_TITLES = ("ID", "MODEL", "PROTOCOL", "STATE", "AGE", "TTFT", "TOK/S", "GAP P95", "READERS", "BYTES")
_NUMBERS = _TITLES[4:]
_STYLES = {"running": "green", "paused": "yellow", "failed": "red", "timeout": "red", "interrupted": "red"}
T = TypeVar("T")
_RUNS = ("initializing", "running", "paused")


class Stream(msgspec.Struct, frozen=True):
    """A stream as `GET /v1/streams` tells it; see there. figures: while it is being made."""

    id: str
    status: str
    model: str = ""
    protocol: str = ""
    created: float = 0.0
    ended: float | None = None
    readers: int = 0
    figures: dict[str, int | float] | None = None

    @property
    def is_live(self) -> bool:
        """Whether it is still being made."""
        return self.status in _RUNS


class Health(msgspec.Struct, frozen=True):
    """What `GET /health` tells of a server.

    waiting: answers that wait for their turn, None where it does not say. counters: totals since it began.
    """

    version: str = ""
    live: int = 0
    waiting: int | None = None
    counters: dict[str, Any] = {}


class _Listed(msgspec.Struct, frozen=True):
    data: list[Stream]


def read_streams(body: bytes) -> list[Stream]:
    """Raises WireError where it is no list of streams."""
    return _read(body, _Listed).data


def read_health(body: bytes) -> Health:
    """Raises WireError where it is no server of ours that answers."""
    return _read(body, Health)


def stream_table(streams: Sequence[Stream]) -> Table:
    """A line for each."""
    return table_of(_TITLES, [_cells(stream) for stream in streams], right=_NUMBERS)


def totals_line(streams: Sequence[Stream], health: Health) -> Text:
    """All of them, who waits, and what the server has done since it began."""
    live = [stream for stream in streams if stream.is_live]
    speed = sum((stream.figures or {}).get("tokens_per_second", 0.0) for stream in live)
    now = [f"{len(live)} live", f"{speed:,.1f} tok/s"]
    if health.waiting is not None:
        now.insert(1, f"{health.waiting:,} waiting")
    told: Mapping[str, Any] = health.counters
    names = ("answers", "finished", "failed", "cancelled", "output_tokens", "disconnects", "resumed")
    since = [f"{name.replace('_', ' ')} {told[name]:,}" for name in names if _is_count(told.get(name))]
    return Text(f"{', '.join(now)}; since the start: {', '.join((*since, *_queued(told)))}", "dim")


def _queued(told: Mapping[str, Any]) -> Sequence[str]:
    """How many had to wait for their turn, and how long on average."""
    count, sum_s = told.get("queued"), told.get("queue_sum_s")
    if not _is_count(count) or not count or not isinstance(sum_s, int | float):
        return ()
    return (f"queued {count:,} for {_seconds(sum_s / count)} each",)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _read(body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise WireError(f"what answers is no Headrace server: {error}", code="no_headrace") from None


def _cells(stream: Stream) -> list[str | Text]:
    figures = stream.figures or {}
    age_s = figures.get("duration_s")
    if age_s is None and stream.ended is not None:
        age_s = max(0.0, stream.ended - stream.created)
    return [
        stream.id,
        stream.model,
        stream.protocol,
        Text(stream.status if stream.status.isalpha() else "?", _STYLES.get(stream.status, "")),
        _seconds(age_s),
        _seconds(figures.get("ttft_s")),
        _shown(figures.get("tokens_per_second"), "{:,.1f}"),
        _seconds(figures.get("gap_p95_s")),
        str(stream.readers),
        _shown(figures.get("sent_bytes"), "{:,.0f}"),
    ]


def _shown(value: float | None, form: str) -> str:
    return "-" if value is None else form.format(value)


def _seconds(value: float | None) -> str:
    if value is None:
        return "-"
    if value < 1:
        return f"{value * 1000:.0f} ms"
    return f"{value:.1f} s" if value < 120 else f"{value / 60:.0f} min"
