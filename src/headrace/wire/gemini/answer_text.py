"""Places in an answer: the vendor counts bytes of UTF-8, we count characters."""

from __future__ import annotations

from bisect import bisect_right

MAX_KEPT_CHARS = 2**20
_PIECE_CHARS = 4096  # the most that one look-up walks through


class AnswerText:
    """Told every piece; turns places of one kind into the other. chars: told so far.

    As long as all is ASCII both kinds are the same and nothing is kept; from the first other piece on the
    pieces are, up to MAX_KEPT_CHARS. A place that is not known is -1.
    """

    __slots__ = ("_at_bytes", "_at_chars", "_kept", "_kept_chars", "chars")

    def __init__(self) -> None:
        self.chars = 0
        self._kept: list[str] = []
        self._kept_chars = 0
        self._at_bytes: list[int] = []  # where each kept piece begins
        self._at_chars: list[int] = []

    def add(self, text: str) -> None:
        """The next piece."""
        if (self._kept or not text.isascii()) and self._kept_chars <= MAX_KEPT_CHARS:
            self._keep(text)
        self.chars += len(text)

    def chars_at(self, place: int) -> int:
        """The character at a byte."""
        if not self._kept or 0 <= place < self._at_bytes[0]:
            return place if 0 <= place <= self.chars else -1
        at = bisect_right(self._at_bytes, place) - 1
        if at < 0:
            return -1
        raw = self._kept[at].encode("utf-8", "replace")
        beyond = place - self._at_bytes[at]
        return -1 if beyond > len(raw) else self._at_chars[at] + len(raw[:beyond].decode("utf-8", "ignore"))

    def bytes_at(self, place: int) -> int:
        """The byte at a character."""
        if not self._kept or 0 <= place < self._at_chars[0]:
            return place if 0 <= place <= self.chars else -1
        at = bisect_right(self._at_chars, place) - 1
        if at < 0:
            return -1
        piece, beyond = self._kept[at], place - self._at_chars[at]
        if beyond > len(piece):
            return -1
        return self._at_bytes[at] + len(piece[:beyond].encode("utf-8", "replace"))

    def _keep(self, text: str) -> None:
        end_bytes = self.chars  # ASCII so far
        if self._kept:
            end_bytes = self._at_bytes[-1] + len(self._kept[-1].encode("utf-8", "replace"))
        for begin in range(0, len(text), _PIECE_CHARS):
            piece = text[begin : begin + _PIECE_CHARS]
            self._kept.append(piece)
            self._at_bytes.append(end_bytes)
            self._at_chars.append(self.chars + begin)
            end_bytes += len(piece.encode("utf-8", "replace"))
        self._kept_chars += len(text)
