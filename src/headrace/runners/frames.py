"""What parent and worker say to each other: a 4-byte big-endian length, then one msgpack message.

Chunks travel as they are: they are data already. `credit` bounds what is under way: a worker sends at most
that many chunks of a reply before the parent grants more.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec

from headrace.core.chunk import Chunk, Failure, Terminal
from headrace.errors import RequestError
from headrace.runners.base import Facts

MAX_FRAME_BYTES = 64 * 1024 * 1024  # far above any prompt; a longer length is a broken stream
MAX_JOB_BYTES = MAX_FRAME_BYTES - 1024  # leaves room for what travels with it


class Load(msgspec.Struct, frozen=True, tag_field="op", tag="load"):
    """Load the engine with these options. Sent once, first."""

    options: dict[str, Any]


class Run(msgspec.Struct, frozen=True, tag_field="op", tag="run"):
    """Begin one reply. job: as `packed` made it."""

    id: int
    job: msgspec.Raw
    credit: int


class Credit(msgspec.Struct, frozen=True, tag_field="op", tag="credit"):
    """The reader took `more` chunks of reply `id`."""

    id: int
    more: int


class Cancel(msgspec.Struct, frozen=True, tag_field="op", tag="cancel"):
    """Stop reply `id`; its `End` follows."""

    id: int


class Ask(msgspec.Struct, frozen=True, tag_field="op", tag="ask"):
    """How is the engine? Answered by `Health`."""


class Health(msgspec.Struct, frozen=True, tag_field="op", tag="health"):
    """said: empty where all is well."""

    said: str


class Ping(msgspec.Struct, frozen=True, tag_field="op", tag="ping"):
    """Is the process there? Answered by `Pong` whatever the engine is at."""


class Pong(msgspec.Struct, frozen=True, tag_field="op", tag="pong"):
    """It is."""


class Progress(msgspec.Struct, frozen=True, tag_field="op", tag="progress"):
    """Reply `id` is being worked at and has nothing to show."""

    id: int


class Loaded(msgspec.Struct, frozen=True, tag_field="op", tag="loaded"):
    """The engine is ready."""

    facts: Facts


class LoadFailed(msgspec.Struct, frozen=True, tag_field="op", tag="load-failed"):
    """The engine could not load; the worker ends."""

    failure: Failure


class Batch(msgspec.Struct, frozen=True, tag_field="op", tag="batch"):
    """Chunks of reply `id`, in order."""

    id: int
    chunks: list[Chunk]


class End(msgspec.Struct, frozen=True, tag_field="op", tag="end"):
    """Reply `id` is over and its slot is free."""

    id: int
    terminal: Terminal


class GivenUp(msgspec.Struct, frozen=True, tag_field="op", tag="given-up"):
    """The engine is at work that it cannot stop: end this process. why: one sentence."""

    why: str


Down: TypeAlias = Load | Run | Credit | Cancel | Ask | Ping
Up: TypeAlias = Loaded | LoadFailed | Batch | End | Health | Pong | Progress | GivenUp

_encoder = msgspec.msgpack.Encoder()
_down = msgspec.msgpack.Decoder(Down)
_up = msgspec.msgpack.Decoder(Up)


def encoded(message: Down | Up) -> bytes:
    """One frame."""
    body = _encoder.encode(message)
    return len(body).to_bytes(4, "big") + body


def packed(job: dict[str, Any]) -> msgspec.Raw:
    """A job ready to travel, so that what waits in the queue can be sent for certain.

    Raises RequestError naming the part of the job that cannot: a whole number beyond 64 bits, half a
    character, or more than `MAX_JOB_BYTES` in all.
    """
    body, fault = _tried(job)
    if fault:
        part = next((key for key, value in job.items() if _tried(value)[1]), "")
        raise RequestError(f"the local engine cannot be sent this request: {fault}", field=part)
    return msgspec.Raw(body)


def _tried(value: Any) -> tuple[bytes, str]:
    """`value` as it travels, and why it cannot ("" where it can)."""
    try:
        body = _encoder.encode(value)
    except (OverflowError, ValueError, TypeError, RecursionError) as error:
        return b"", str(error)
    if len(body) > MAX_JOB_BYTES:
        return b"", f"it has {len(body):,} bytes and {MAX_JOB_BYTES:,} bytes may go"
    return body, ""


class FrameReader:
    """Bytes in any split -> whole message bodies. Raises ValueError for a length beyond the bound."""

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        self._held += data
        bodies: list[bytes] = []
        at = 0
        while len(self._held) - at >= 4:
            size = int.from_bytes(self._held[at : at + 4], "big")
            if size > MAX_FRAME_BYTES:
                raise ValueError(f"a frame of {size} bytes: the stream between the processes is broken")
            if len(self._held) - at - 4 < size:
                break
            bodies.append(bytes(self._held[at + 4 : at + 4 + size]))
            at += 4 + size
        del self._held[:at]
        return bodies


def down(body: bytes) -> Down:
    """A message for the worker."""
    message: Down = _down.decode(body)
    return message


def up(body: bytes) -> Up:
    """A message for the parent."""
    message: Up = _up.decode(body)
    return message
