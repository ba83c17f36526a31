"""`application/vnd.amazon.eventstream`, sans-io: bytes in any split -> messages, and back.

A message is a prelude (its length, the length of its headers, a checksum of both), typed headers, a payload
and a checksum of all before it; integers are big-endian, checksums CRC-32. Source: "Event stream encoding" in
the Amazon Lex V2 guide and botocore 1.44 `eventstream.py` (the types of headers), read 2026-11-25.
"""

from __future__ import annotations

from collections.abc import Mapping
from struct import Struct, error
from typing import TypeAlias
from uuid import UUID
from zlib import crc32

import msgspec

from headrace.core.chunk import Failure
from headrace.errors import Truncated, WireError

MAX_MESSAGE_BYTES = 16 * 2**20
PRELUDE_BYTES = 12
_CHECKSUM_BYTES = 4
_SHORTEST_BYTES = PRELUDE_BYTES + _CHECKSUM_BYTES
_MAX_VALUE_BYTES = 2**15 - 1
# The messages of an answer repeat a few blocks of headers: these many, no longer than this, are remembered.
_MAX_KNOWN = 16
_MAX_KNOWN_BYTES = 256

_PRELUDE = Struct(">III")
_LENGTHS = Struct(">II")
_CHECKSUM = Struct(">I")
_SIZE = Struct(">H")
_TRUE, _FALSE, _BYTE, _SHORT, _INT, _LONG, _BYTES, _TEXT, _TIME, _UUID = range(10)
_NUMBERS = {_BYTE: Struct(">b"), _SHORT: Struct(">h"), _INT: Struct(">i"), _LONG: Struct(">q")}


class Timestamp(msgspec.Struct, frozen=True, gc=False):
    """A moment as a header's value. unix_ms: milliseconds since 1970-01-01 UTC."""

    unix_ms: int


HeaderValue: TypeAlias = bool | int | bytes | str | Timestamp | UUID


class Message(msgspec.Struct, frozen=True, gc=False):
    """One message of an event stream."""

    headers: Mapping[str, HeaderValue]
    payload: bytes

    def text(self, name: str) -> str:
        """A header that is text; empty where there is none."""
        value = self.headers.get(name, "")
        return value if isinstance(value, str) else ""


class EventStreamDecoder:
    """Bytes in any split -> messages, eager and linear. Both checksums are checked, the prelude's before its
    lengths are believed.

    What breaks the format is one `Failure` (kind `wire`; code `bad_checksum`, `bad_message` or, over the
    limit, `message_too_long`), then nothing. max_message_bytes: of one message, its prelude and checksum
    included; what is held back never exceeds it by more than one read.
    """

    __slots__ = ("_inert", "_known", "_max", "_need", "_part")

    def __init__(self, max_message_bytes: int = MAX_MESSAGE_BYTES) -> None:
        if max_message_bytes < _SHORTEST_BYTES:
            raise ValueError(f"max_message_bytes must be at least {_SHORTEST_BYTES}")
        self._max = max_message_bytes
        self._part = bytearray()
        self._known: dict[bytes, dict[str, HeaderValue]] = {}
        self._need = PRELUDE_BYTES  # bytes from the message's beginning before there is something to read
        self._inert = False

    def feed(self, data: bytes) -> list[Message | Failure]:
        """The messages that `data` makes complete."""
        if self._inert:
            return []
        if not self._part:
            return self._cut(data)
        self._part += data
        if len(self._part) < self._need:
            return []
        held = bytes(self._part)
        self._part.clear()
        return self._cut(held)

    def close(self) -> list[Message | Failure]:
        """A failure (kind `truncated`) where a message was cut. The decoder is inert from here on."""
        held = len(self._part)
        self._stop()
        if not held:
            return []
        return [Failure.of(Truncated(f"the stream was cut inside a message, after {held} of its bytes"))]

    def _cut(self, held: bytes) -> list[Message | Failure]:
        out: list[Message | Failure] = []
        at, self._need = 0, PRELUDE_BYTES
        while len(held) - at >= PRELUDE_BYTES:
            size, headers_size, checksum = _PRELUDE.unpack_from(held, at)
            why = self._wrong(held, at, size, headers_size, checksum)
            if why is not None:
                return self._fail(why, out)
            if len(held) - at < size:
                self._need = size
                break
            read = self._message(held[at : at + size], headers_size)
            if isinstance(read, WireError):
                return self._fail(read, out)
            out.append(read)
            at += size
        self._part += held[at:]
        return out

    def _wrong(self, held: bytes, at: int, size: int, headers_size: int, checksum: int) -> WireError | None:
        """What is wrong with a prelude."""
        if crc32(held[at : at + _LENGTHS.size]) != checksum:
            return WireError("a message's prelude does not have its checksum", code="bad_checksum")
        if size < _SHORTEST_BYTES + headers_size:
            return WireError("a message is shorter than its headers", code="bad_message")
        if size > self._max:
            return WireError(f"a message is longer than {self._max} bytes", code="message_too_long")
        return None

    def _message(self, raw: bytes, headers_size: int) -> Message | WireError:
        """A message that is whole, or what is wrong with it."""
        body = raw[:-_CHECKSUM_BYTES]
        if crc32(body) != _CHECKSUM.unpack_from(raw, len(body))[0]:
            return WireError("a message does not have its checksum", code="bad_checksum")
        payload_at = PRELUDE_BYTES + headers_size
        block = body[PRELUDE_BYTES:payload_at]
        headers = self._known.get(block)
        if headers is None:
            try:
                headers = _headers(block)
            except (ValueError, IndexError, error) as problem:
                return WireError(f"a message's headers cannot be read ({problem})", code="bad_message")
            if len(block) <= _MAX_KNOWN_BYTES and len(self._known) < _MAX_KNOWN:
                self._known[block] = headers
        return Message(headers, body[payload_at:])

    def _fail(self, why: WireError, out: list[Message | Failure]) -> list[Message | Failure]:
        self._stop()
        out.append(Failure.of(why))
        return out

    def _stop(self) -> None:
        self._inert = True
        self._part = bytearray()


def encode_message(headers: Mapping[str, HeaderValue], payload: bytes) -> bytes:
    """One message. Raises ValueError for a header that the format has no room for."""
    return framed(encode_headers(headers), payload)


def encode_headers(headers: Mapping[str, HeaderValue]) -> bytes:
    """The headers of a message, to be framed with any payload; a whole number goes as 32 bits where it fits,
    else as 64. Raises ValueError for a header that the format has no room for.
    """
    return b"".join(_header(name, value) for name, value in headers.items())


def framed(headers: bytes, payload: bytes) -> bytes:
    """One message of encoded headers and a payload."""
    lengths = _LENGTHS.pack(_SHORTEST_BYTES + len(headers) + len(payload), len(headers))
    message = b"%b%b%b%b" % (lengths, _CHECKSUM.pack(crc32(lengths)), headers, payload)
    return message + _CHECKSUM.pack(crc32(message))


def _headers(block: bytes) -> dict[str, HeaderValue]:
    headers: dict[str, HeaderValue] = {}
    at = 0
    while at < len(block):
        name, at = _run(block, at + 1, block[at])
        known = name.decode()
        if known in headers:
            raise ValueError(f"{known!r} comes twice")
        headers[known], at = _value(block, at + 1, block[at])
    return headers


def _value(block: bytes, at: int, kind: int) -> tuple[HeaderValue, int]:
    """(the value of this kind that begins at `at`, where it ends)."""
    if kind in (_TRUE, _FALSE):
        return kind == _TRUE, at
    if kind in _NUMBERS:
        number = _NUMBERS[kind]
        value: int = number.unpack_from(block, at)[0]
        return value, at + number.size
    if kind == _TIME:
        return Timestamp(_NUMBERS[_LONG].unpack_from(block, at)[0]), at + 8
    if kind == _UUID:
        raw, at = _run(block, at, 16)
        return UUID(bytes=raw), at
    if kind not in (_BYTES, _TEXT):
        raise ValueError(f"a header of unknown type {kind}")
    raw, at = _run(block, at + _SIZE.size, _SIZE.unpack_from(block, at)[0])
    return raw.decode() if kind == _TEXT else raw, at


def _run(block: bytes, at: int, size: int) -> tuple[bytes, int]:
    """(the `size` bytes at `at`, where they end)."""
    end = at + size
    if end > len(block):
        raise ValueError("they end inside a header")
    return block[at:end], end


def _header(name: str, value: HeaderValue) -> bytes:
    raw = name.encode()
    if len(raw) > 255:
        raise ValueError(f"a header's name has at most 255 bytes, not {len(raw)}")
    kind, body = _typed(value)
    return b"%c%b%c%b" % (len(raw), raw, kind, body)


def _typed(value: HeaderValue) -> tuple[int, bytes]:
    """(the type's number, the value's bytes)."""
    match value:
        case bool():
            return (_TRUE if value else _FALSE), b""
        case int():
            return _number(value)
        case Timestamp():
            return _TIME, _number(value.unix_ms, _LONG)[1]
        case UUID():
            return _UUID, value.bytes
        case str() | bytes():
            raw = value.encode() if isinstance(value, str) else value
            if len(raw) > _MAX_VALUE_BYTES:
                raise ValueError(f"a header's value has at most {_MAX_VALUE_BYTES} bytes, not {len(raw)}")
            return (_TEXT if isinstance(value, str) else _BYTES), _SIZE.pack(len(raw)) + raw


def _number(value: int, kind: int = _INT) -> tuple[int, bytes]:
    kind = kind if -(2**31) <= value < 2**31 else _LONG
    if not -(2**63) <= value < 2**63:
        raise ValueError("a header's number has at most 64 bits")
    return kind, _NUMBERS[kind].pack(value)
