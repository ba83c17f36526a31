"""Newline-delimited JSON, sans-io: bytes in any split -> lines, and back. Source: NDJSON 1.0."""

from __future__ import annotations

from headrace.core.chunk import Failure
from headrace.errors import WireError

MAX_LINE_BYTES = 16 * 2**20
_BLANK = b" \t\r"


class NdjsonDecoder:
    """Bytes in any split -> lines that are not blank, eager and linear; their JSON is for the wire to read.

    LF or CRLF ends a line. A last line without an end is given at `close`: whether it is whole shows when it
    is parsed. Over the limit it appends one `Failure` (kind `wire`, code `line_too_long`) and goes inert.

    max_line_bytes: of one line as it came, without its LF.
    """

    __slots__ = ("_inert", "_max_line", "_part")

    def __init__(self, max_line_bytes: int = MAX_LINE_BYTES) -> None:
        if max_line_bytes < 1:
            raise ValueError("max_line_bytes must be at least 1")
        self._max_line = max_line_bytes
        self._part = bytearray()
        self._inert = False

    def feed(self, data: bytes) -> list[bytes | Failure]:
        """The lines that `data` makes complete."""
        if self._inert:
            return []
        *lines, rest = data.split(b"\n")
        if lines and self._part:
            lines[0] = bytes(self._part) + lines[0]
            self._part.clear()
        out: list[bytes | Failure] = []
        for line in lines:
            if len(line) > self._max_line:
                return self._fail(out)
            if line and line.strip(_BLANK):
                out.append(line.removesuffix(b"\r"))
        if len(self._part) + len(rest) > self._max_line:
            return self._fail(out)
        self._part += rest
        return out

    def close(self) -> list[bytes | Failure]:
        """The last line, where it had no end. The decoder is inert from here on."""
        last = bytes(self._part).removesuffix(b"\r")
        self._stop()
        return [last] if last.strip(_BLANK) else []

    def _fail(self, out: list[bytes | Failure]) -> list[bytes | Failure]:
        self._stop()
        message = f"a line is longer than {self._max_line} bytes"
        out.append(Failure.of(WireError(message, code="line_too_long")))
        return out

    def _stop(self) -> None:
        self._inert = True
        self._part = bytearray()


def encode_line(data: str | bytes) -> bytes:
    """One line with its LF. Raises ValueError where the JSON itself holds an LF (pretty-printed does)."""
    raw = data.encode() if isinstance(data, str) else data
    if b"\n" in raw:
        raise ValueError("NDJSON is one value a line: this one holds a line end")
    return raw + b"\n"
