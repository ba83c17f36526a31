"""Append-only logs of streams: what a log is, whatever keeps it.

A stream's records are numbered from 1 without a gap. A record is *committed* when it will be there for
whoever comes after: only then may a reader be told its number. Records are bytes, an event of the client's
protocol each; the log does not look inside.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Protocol, TypeAlias, runtime_checkable

import msgspec

from headrace.errors import StreamingError

Outcome: TypeAlias = Literal["finished", "failed", "cancelled", "timeout", "interrupted"]


class StreamHead(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is known of a stream before its first record.

    id: unguessable. owner: who may read it; empty: anyone who knows the id. began_s: Unix seconds. facts:
    plain data of whoever made the stream, such as the protocol that its records speak. alias: another name,
    the owner's own, under which his latest stream of that name is found.
    """

    id: str
    owner: str = ""
    began_s: float = 0.0
    facts: dict[str, Any] = msgspec.field(default_factory=dict)
    alias: str = ""


class StreamEnd(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a stream ended. interrupted: its server died. ended_s: Unix seconds."""

    outcome: Outcome
    ended_s: float = 0.0
    facts: dict[str, Any] = msgspec.field(default_factory=dict)


class StreamState(msgspec.Struct, frozen=True, omit_defaults=True):
    """A stream as the log knows it. first: the oldest record that is kept. last: the latest committed."""

    head: StreamHead
    first: int = 1
    last: int = 0
    end: StreamEnd | None = None


class Tail(Protocol):
    """Who writes a stream, as its log calls him back; on the loop's thread, never from inside `append`
    unless the log commits at once."""

    def committed(self, last: int, ended: bool = False, /) -> None:
        """Every record up to `last` is committed; ended: and the stream's end, which comes but once."""

    def room(self) -> None:
        """The log can take more again, after an `append` that said it could not."""

    def stop(self) -> None:
        """Somebody (on another node, it may be) asks that the stream be stopped."""

    def broke(self, error: StreamingError, /) -> None:
        """The log cannot keep this stream: nothing more of it will be committed."""


class StreamLog(Protocol):
    """Logs of many streams. Belongs to one event loop; `open` it first, `aclose` it last.

    keeps: whether records can be read again.
    """

    keeps: bool

    async def open(self) -> None:
        """Make ready. Streams that another process left without an end are ended as interrupted."""

    async def aclose(self) -> None:
        """Commit what is pending and free everything."""

    def begin(self, head: StreamHead, tail: Tail, /) -> None:
        """A stream begins; its id must be new."""

    def append(self, id: str, records: Sequence[bytes], /) -> bool:
        """Take the next records; `tail.committed` tells when they are. False: pause until `tail.room`."""

    def end(self, id: str, end: StreamEnd, records: Sequence[bytes] = (), /) -> None:
        """The last records and the end, committed together."""

    async def state(self, id: str, /) -> StreamState | None:
        """The stream, None where it is not known (any more)."""

    async def read(self, id: str, after: int, max_bytes: int, /) -> Sequence[bytes]:
        """Committed records behind number `after`, at least one where there is one, up to `max_bytes`.

        Raises: Gap where the next one is not kept any more.
        """

    async def wait(self, id: str, after: int, timeout_s: float, /) -> None:
        """Return when there is more than `after`, when the stream ends, or after `timeout_s`."""

    async def states(self, owner: str = "", limit: int = 1000, /) -> Sequence[StreamState]:
        """The latest streams, of one owner where it is given, newest first."""

    async def aliased(self, owner: str, alias: str, /) -> str:
        """The id of the owner's latest stream of that alias, empty where there is none."""

    async def ask_to_stop(self, id: str, /) -> None:
        """Ask whoever writes the stream, on whatever node, to stop it."""

    async def forget(self, id: str, /) -> None:
        """Keep nothing of it. Whoever still writes it is told by `broke`."""


@runtime_checkable
class Weighed(Protocol):
    """What a log is besides, where it knows how much it holds."""

    @property
    def held_bytes(self) -> int:
        """Of all records that are kept."""


class Keeping(msgspec.Struct, frozen=True):
    """How much a log keeps, and how long. All of it bounds what clients can make a server hold.

    stream_bytes: of one stream's records; beyond that the oldest go (and a reader that needs them gets
    `Gap`). total_bytes: of all streams, heads included (`weight_of`); beyond that ended streams go, the
    longest ended first. ended_s: how long an ended stream stays. pending_bytes: taken and not yet committed,
    beyond which writers are paused.
    """

    stream_bytes: int = 8 * 2**20
    total_bytes: int = 256 * 2**20
    ended_s: float = 600.0
    pending_bytes: int = 16 * 2**20


_STREAM_BYTES = 1024  # about what the books of one stream take


def weight_of(head: StreamHead) -> int:
    """Bytes that a stream takes before its first record: clients make many small ones, and long heads."""
    return _STREAM_BYTES + len(msgspec.json.encode(head))


def forgotten() -> StreamingError:
    """What the writer of a stream that is forgotten is told."""
    return StreamingError("the stream is not kept any more", code="stream_gone", http_status=410)
