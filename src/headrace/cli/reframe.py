"""Recordings framed in any way -> framed as the decoder of their wire reads them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol, TypeAlias

from headrace.core.chunk import Failure
from headrace.framing.frames import FrameSplitter
from headrace.framing.json_array import JsonArrayDecoder
from headrace.framing.ndjson import NdjsonDecoder

Framing: TypeAlias = Literal["auto", "sse", "jsonl", "array", "eventstream"]
FRAMINGS: tuple[Framing, ...] = ("auto", "sse", "jsonl", "array", "eventstream")
_BOM = b"\xef\xbb\xbf"
_BLANK = b" \t\r\n"
# Line ends in a JSON text are only white space, but they would end an event's line, or a line of JSON.
_ONE_LINE = bytes.maketrans(b"\r\n", b"  ")
_BEGINS = {b"[": "array", b"\0": "eventstream"}  # a message's length in 4 bytes: it has less than 16 MiB
_WRITTEN = {"sse": b"data: %b\n\n", "jsonl": b"%b\n"}


class Reframe:
    """A stage bytes -> bytes: events keep what they say and get the framing that a decoder reads.

    framing: `sse`, `jsonl` (one event a line), `array` (the events are the values of a JSON array),
    `eventstream` (Amazon's binary messages, which no other framing can hold: they pass as they are), or
    `auto`: an array begins with `[`, lines with `{`, a binary message with a zero byte; one document that is
    spread over lines is none of them and passes as it is. reads: the framings that pass as they are; others
    become the first of them.
    It holds back at most one event, of 16 MiB.
    """

    def __init__(self, framing: Framing = "auto", reads: Sequence[str] = ("sse",)) -> None:
        self._reads = reads
        self._head: bytes | None = b""  # until it is known what comes
        self._cutter: _Cutter | None = None
        self._told = framing
        if framing in ("sse", *reads):
            self._settle(framing)

    def feed(self, batch: Sequence[bytes], /) -> list[bytes]:
        return [out for data in batch if (out := self._one(data))]

    def close(self) -> list[bytes]:
        if self._head:
            return [self._head]
        if not isinstance(self._cutter, NdjsonDecoder):
            return []  # an event that is cut: the decoder behind this finds that its end is missing
        return [self._written(self._cutter.close())]

    def _one(self, data: bytes) -> bytes:
        if self._head is not None:
            data, self._head = self._head + data, None
            data = self._begun(data)
        return data if self._cutter is None else self._written(self._cutter.feed(data))

    def _begun(self, data: bytes) -> bytes:
        """The beginning, without what stands before it; nothing while it does not show what comes."""
        if len(data) < len(_BOM) and _BOM.startswith(data):
            self._head = data
            return b""
        data = data.removeprefix(_BOM).lstrip(_BLANK)
        found = self._told if self._told != "auto" else _looks_like(data)
        if found is None:
            self._head = data
            return b""
        self._settle(found)
        return data

    def _settle(self, framing: str) -> None:
        self._head = None
        if framing in _CUTTERS and framing not in self._reads and self._reads[0] in _WRITTEN:
            self._cutter = _CUTTERS[framing]()

    def _written(self, values: Sequence[bytes | Failure]) -> bytes:
        shape = _WRITTEN[self._reads[0]]
        # What cannot be cut into events is told as an event that no decoder takes for one.
        said = [value.message.encode() if isinstance(value, Failure) else value for value in values]
        return b"".join(shape % value.translate(_ONE_LINE).strip() for value in said)


class _Cutter(Protocol):
    """Bytes in any split -> the events in them."""

    def feed(self, data: bytes, /) -> Sequence[bytes | Failure]: ...


class _EventData:
    """The data of an event stream's events."""

    def __init__(self) -> None:
        self._frames = FrameSplitter()

    def feed(self, data: bytes) -> list[bytes | Failure]:
        frames = self._frames.feed(data)
        said = [one if isinstance(one, Failure) else one.data for one in frames]
        return [one for one in said if one]


_CUTTERS = {"sse": _EventData, "jsonl": NdjsonDecoder, "array": JsonArrayDecoder}


def _looks_like(data: bytes) -> str | None:
    """The framing of a recording that begins so, empty for none; None: it does not show yet."""
    if not data or data == b"{":
        return None
    if data.startswith(b"{"):
        return "" if data[1:2] in (b"\r", b"\n") else "jsonl"
    return _BEGINS.get(data[:1], "sse")
