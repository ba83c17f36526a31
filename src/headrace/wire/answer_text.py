"""Places in a text: vendors count bytes of UTF-8 (Gemini) or units of UTF-16 (pages), we count characters."""

from __future__ import annotations

from bisect import bisect_right
from typing import Literal

MAX_KEPT_CHARS = 2**20
_PIECE_CHARS = 4096  # the most that one look-up walks through


class AnswerText:
    """Told every piece; turns places of one kind into the other. chars: told so far.

    encoding: whose units are counted. As long as all is ASCII both kinds are the same and nothing is kept;
    from the first other piece on the pieces are, up to MAX_KEPT_CHARS. A place that is not known is -1.
    """

    __slots__ = ("_at_chars", "_at_units", "_encoding", "_kept", "_kept_chars", "_unit_bytes", "chars")

    def __init__(self, encoding: Literal["utf-8", "utf-16-le"] = "utf-8") -> None:
        self.chars = 0
        self._encoding = encoding
        self._unit_bytes = len("x".encode(encoding))
        self._kept: list[str] = []
        self._kept_chars = 0
        self._at_units: list[int] = []  # where each kept piece begins
        self._at_chars: list[int] = []

    def add(self, text: str) -> None:
        """The next piece."""
        if (self._kept or not text.isascii()) and self._kept_chars <= MAX_KEPT_CHARS:
            self._keep(text)
        self.chars += len(text)

    def chars_at(self, place: int) -> int:
        """The character at a unit."""
        if not self._kept or 0 <= place < self._at_units[0]:
            return place if 0 <= place <= self.chars else -1
        at = bisect_right(self._at_units, place) - 1
        if at < 0:
            return -1
        raw = self._kept[at].encode(self._encoding, "replace")
        beyond_bytes = (place - self._at_units[at]) * self._unit_bytes
        if beyond_bytes > len(raw):
            return -1
        return self._at_chars[at] + len(raw[:beyond_bytes].decode(self._encoding, "ignore"))

    def units_at(self, place: int) -> int:
        """The unit at a character."""
        if not self._kept or 0 <= place < self._at_chars[0]:
            return place if 0 <= place <= self.chars else -1
        at = bisect_right(self._at_chars, place) - 1
        if at < 0:
            return -1
        piece, beyond = self._kept[at], place - self._at_chars[at]
        if beyond > len(piece):
            return -1
        return self._at_units[at] + self._units(piece[:beyond])

    def _keep(self, text: str) -> None:
        end = self.chars  # ASCII so far
        if self._kept:
            end = self._at_units[-1] + self._units(self._kept[-1])
        for begin in range(0, len(text), _PIECE_CHARS):
            piece = text[begin : begin + _PIECE_CHARS]
            self._kept.append(piece)
            self._at_units.append(end)
            self._at_chars.append(self.chars + begin)
            end += self._units(piece)
        self._kept_chars += len(text)

    def _units(self, text: str) -> int:
        return len(text.encode(self._encoding, "replace")) // self._unit_bytes
