"""Answers in gzip (RFC 1952), for clients that take it: whole bodies, and streams flushed at each piece.

Small windows on purpose: a stream's compressor holds about 48 KiB, where zlib's usual one holds 268.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping, Sequence
from typing import Literal

SMALLEST_BYTES = 1024  # a smaller body gains nothing
_LARGEST_BYTES = 4 * 2**20  # a larger one would hold the loop for too long
_LEVEL = 1
_GZIP_4K_WINDOW = 16 + 12
_MEMORY = 6
_TEXT = (b"application/json", b"application/x-ndjson", b"text/")
_OFFER = re.compile(r"\s*([^\s;,]+)\s*(?:;\s*q\s*=\s*([0-9.]+)\s*)?(?:,|$)")
Fields = Sequence[tuple[bytes, bytes]]
Compress = Literal["off", "bodies", "all"]


class Squeeze:
    """One answer's compressor."""

    __slots__ = ("_deflate",)

    def __init__(self) -> None:
        self._deflate = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP_4K_WINDOW, _MEMORY)

    def piece(self, data: bytes) -> bytes:
        """A piece that can be read as soon as it comes."""
        return self._deflate.compress(data) + self._deflate.flush(zlib.Z_SYNC_FLUSH)

    def last(self, data: bytes) -> bytes:
        """The last piece."""
        return self._deflate.compress(data) + self._deflate.flush(zlib.Z_FINISH)


def takes_gzip(headers: Mapping[str, str]) -> bool:
    """Whether the client takes gzip (RFC 9110 12.5.3)."""
    weights = {name.lower(): weight for name, weight in _OFFER.findall(headers.get("accept-encoding", ""))}
    weight = weights.get("gzip", weights.get("*"))
    return weight is not None and _is_more_than_nothing(weight)


def gains(fields: Fields) -> bool:
    """Whether an answer with these headers is text, and not squeezed already. Sound is no text."""
    names = {name for name, _ in fields}
    kind = next((value for name, value in fields if name == b"content-type"), b"")
    return kind.startswith(_TEXT) and b"content-encoding" not in names


def is_worth_it(body: bytes) -> bool:
    """Whether a whole body is of a size to be squeezed."""
    return SMALLEST_BYTES <= len(body) <= _LARGEST_BYTES


def squeezed_fields(fields: Fields) -> Fields:
    """The headers of the squeezed answer."""
    return (*fields, (b"content-encoding", b"gzip"), (b"vary", b"accept-encoding"))


def _is_more_than_nothing(weight: str) -> bool:
    try:
        return not weight or float(weight) > 0
    except ValueError:
        return False
