"""Places in a text: vendors count bytes of UTF-8 (Gemini) or units of UTF-16 (pages), we count characters."""

from __future__ import annotations

from bisect import bisect_right
from typing import Literal

MAX_KEPT_CHARS = 2**20
_STRIDE_CHARS = 4096  # a look-up walks through at most twice as many


class AnswerText:
    """Told every piece; turns places of one kind into the other. chars: told so far.

    encoding: whose units are counted. As long as all is ASCII both kinds are the same and nothing is kept;
    from the first other piece on the pieces are, up to MAX_KEPT_CHARS. A place that is not known is -1.
    """

    __slots__ = ("_encoding", "_first", "_kept", "_kept_chars", "_marks", "_unit_bytes", "chars")

    def __init__(self, encoding: Literal["utf-8", "utf-16-le"] = "utf-8") -> None:
        self.chars = 0
        self._encoding = encoding
        self._unit_bytes = len("x".encode(encoding))
        self._first = 0  # where what is kept begins, in both counts
        self._kept = bytearray()
        self._kept_chars = 0
        self._marks: tuple[list[int], list[int]] = ([], [])  # units, characters: the same places, in steps

    def add(self, text: str) -> None:
        """The next piece."""
        if (self._kept or not text.isascii()) and self._kept_chars <= MAX_KEPT_CHARS:
            self._keep(text)
        self.chars += len(text)

    def chars_at(self, place: int) -> int:
        """The character at a unit."""
        if not self._kept or 0 <= place < self._first:
            return place if 0 <= place <= self.chars else -1
        units, chars = self._marks
        at = bisect_right(units, place) - 1
        if at < 0 or place > self._end_units:
            return -1
        return chars[at] + len(self._between(units[at], place))

    def units_at(self, place: int) -> int:
        """The unit at a character."""
        if not self._kept or 0 <= place < self._first:
            return place if 0 <= place <= self.chars else -1
        units, chars = self._marks
        at = bisect_right(chars, place) - 1
        if at < 0 or place > self._first + self._kept_chars:
            return -1
        end = units[at + 1] if at + 1 < len(units) else self._end_units
        before = self._between(units[at], end)[: place - chars[at]]
        return units[at] + len(before.encode(self._encoding)) // self._unit_bytes

    @property
    def _end_units(self) -> int:
        return self._first + len(self._kept) // self._unit_bytes

    def _between(self, begin: int, end: int) -> str:
        """What stands between two units; the half of a character that was cut is left out."""
        places = ((place - self._first) * self._unit_bytes for place in (begin, end))
        return self._kept[slice(*places)].decode(self._encoding, "ignore")

    def _keep(self, text: str) -> None:
        if not self._kept:
            self._first = self.chars  # ASCII so far
        units, chars = self._marks
        for begin in range(0, len(text), _STRIDE_CHARS):
            if not chars or self.chars + begin - chars[-1] >= _STRIDE_CHARS:
                units.append(self._end_units)
                chars.append(self.chars + begin)
            self._kept += text[begin : begin + _STRIDE_CHARS].encode(self._encoding, "replace")
        self._kept_chars += len(text)
