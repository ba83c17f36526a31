"""Recordings without framing (one vendor event a line) -> the same events framed as SSE."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

Framing: TypeAlias = Literal["auto", "sse", "jsonl"]
_SPACE = b" \t\r"
_BOM = b"\xef\xbb\xbf"


class Reframe:
    """A stage bytes -> bytes: SSE passes as it is, each JSON line becomes one `data:` event.

    `auto` looks at the first byte that is no line end: no SSE stream begins with `{`. It holds back at most
    the two bytes of a cut BOM; how long a line may be is the business of the decoder behind it.
    """

    def __init__(self, framing: Framing = "auto") -> None:
        self._framing: Framing = framing
        self._head: bytes | None = None if framing == "sse" else b""
        self._in_line = False

    def feed(self, batch: Sequence[bytes], /) -> list[bytes]:
        return [out for data in batch if (out := self._one(data))]

    def close(self) -> list[bytes]:
        if self._head:
            return [self._head]
        return [b"\n\n"] if self._in_line else []

    def _one(self, data: bytes) -> bytes:
        if self._head is not None:
            data = self._head + data
            if len(data) < len(_BOM) and _BOM.startswith(data):
                self._head = data
                return b""
            data, self._head = data.removeprefix(_BOM), None
        if self._framing == "auto":
            data = data.lstrip(b"\r\n")
            if not data:
                return b""
            self._framing = "jsonl" if data.startswith(b"{") else "sse"
        return data if self._framing == "sse" else self._lines(data)

    def _lines(self, data: bytes) -> bytes:
        # A CR in JSON is only white space, but it would end an SSE line.
        out: list[bytes] = []
        *ended, tail = data.replace(b"\r", b" ").split(b"\n")
        for line in ended:
            out.append(self._piece(line))
            if self._in_line:
                out.append(b"\n\n")
                self._in_line = False
        out.append(self._piece(tail))
        return b"".join(out)

    def _piece(self, piece: bytes) -> bytes:
        if self._in_line:
            return piece
        piece = piece.lstrip(_SPACE)
        if not piece:
            return b""
        self._in_line = True
        return b"data: " + piece
