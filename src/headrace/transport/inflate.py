"""Content codings. We ask for none; what comes coded nonetheless is decoded as it comes, within bounds."""

from __future__ import annotations

import zlib
from typing import Any

from headrace.core.excerpt import excerpt
from headrace.transport.failures import BadResponse

MAX_READ_BYTES = 16 * 1024 * 1024
MAX_QUOTED_CHARS = 80


class Inflater:
    """Decodes gzip (also of several members) and deflate (zlib-wrapped or raw), read by read.

    One read may grow to at most `MAX_READ_BYTES`, so a bomb costs bounded memory.
    """

    __slots__ = ("_gzip", "_zlib")

    def __init__(self, *, gzip: bool) -> None:
        self._gzip = gzip
        self._zlib: Any = None  # made at the first byte, which tells zlib-wrapped from raw

    @classmethod
    def for_coding(cls, coding: str) -> Inflater | None:
        """The decoder for a content-encoding field. Raises BadResponse for one we do not have."""
        coding = coding.strip()
        name = coding.lower()
        if name in ("", "identity"):
            return None
        if name in ("gzip", "x-gzip", "deflate"):
            return cls(gzip=name != "deflate")
        raise BadResponse(
            f"content-encoding {excerpt(coding, MAX_QUOTED_CHARS)!r} was not asked for", "content_encoding"
        )

    def feed(self, data: bytes) -> bytes:
        """The decoded bytes that `data` makes complete. Raises BadResponse."""
        parts: list[bytes] = []
        room_bytes = MAX_READ_BYTES
        while data:
            if self._zlib is None or self._zlib.eof:
                self._zlib = zlib.decompressobj(self._window(data[0]))
            try:
                part = self._zlib.decompress(data, room_bytes)
            except zlib.error as error:
                raise BadResponse(
                    f"its body is not what content-encoding says ({error})", "content_encoding"
                ) from error
            parts.append(part)
            room_bytes -= len(part)
            if self._zlib.unconsumed_tail or room_bytes <= 0:
                raise BadResponse(f"one read decodes to over {MAX_READ_BYTES} bytes", "content_encoding")
            data = self._zlib.unused_data
        return b"".join(parts)

    @property
    def ended(self) -> bool:
        """Whether the coded data is whole (no data at all counts as whole)."""
        return self._zlib is None or bool(self._zlib.eof)

    def _window(self, first_byte: int) -> int:
        if self._gzip:
            return 16 + zlib.MAX_WBITS
        # RFC 1950: the low four bits of a zlib header are 8; many servers send raw deflate instead.
        return zlib.MAX_WBITS if first_byte & 0x0F == 8 else -zlib.MAX_WBITS
