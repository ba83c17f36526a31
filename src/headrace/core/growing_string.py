"""The inside of one JSON string that is still arriving: escapes and pairs cut anywhere, no scan twice."""

from __future__ import annotations

import re

_PLAIN = re.compile(r'[^"\\\x00-\x1f]*')  # up to what means something
_ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_HEX4 = re.compile(r"[0-9a-fA-F]{4}")


class GrowingString:
    """Feed it what follows the opening quote; `closed` after the closing one, `wrong` where it is none.

    Half of a surrogate pair without the other half becomes U+FFFD.
    """

    __slots__ = ("_escape", "_pieces", "_surrogate", "closed", "wrong")

    def __init__(self) -> None:
        self.closed = False
        self.wrong = ""
        self._pieces: list[str] = []
        self._escape = ""  # of an escape that is cut, with its backslash
        self._surrogate = ""  # the first half of a pair, while the second is awaited

    def feed(self, text: str, at: int) -> int:
        """Read on from `at`; where it stopped: behind the closing quote, the error, or the text."""
        size = len(text)
        while at < size and not self.closed:
            if self._escape:
                at = self._in_escape(text, at)
                if self.wrong:
                    break
                continue
            plain = _PLAIN.match(text, at)
            assert plain is not None  # it matches the empty text too
            end = plain.end()
            if end > at:
                if self._surrogate:
                    self._lone()
                self._pieces.append(text[at:end])
            if end == size:
                return end
            if not self._mark(text[end]):
                return end
            at = end + 1
        return at

    def value(self) -> str:
        """As far as it has come. It costs a copy of that; a half escape or half pair is not in it."""
        if len(self._pieces) > 1:
            self._pieces = ["".join(self._pieces)]
        return self._pieces[0] if self._pieces else ""

    def _mark(self, mark: str) -> bool:
        """What ended a run of plain text; false where it may not stand in a string."""
        if mark == '"':
            self._lone()
            self.closed = True
        elif mark == "\\":
            self._escape = "\\"
        else:
            self.wrong = "a control character stands in a string"
            return False
        return True

    def _in_escape(self, text: str, at: int) -> int:
        taken = text[at : at + 6 - len(self._escape)] if self._escape[1:2] == "u" else text[at]
        self._escape += taken
        kind = self._escape[1]
        if kind == "u":
            if len(self._escape) == 6:
                self._unicode()
        elif kind in _ESCAPES:
            self._lone()
            self._add(_ESCAPES[kind])
        else:
            self.wrong = f"\\{kind} is no escape"
        return at if self.wrong else at + len(taken)

    def _unicode(self) -> None:
        digits = self._escape[2:]
        if not _HEX4.fullmatch(digits):
            self.wrong = f"\\u{digits} is no escape"
            return
        unit = chr(int(digits, 16))
        if self._surrogate and "\udc00" <= unit <= "\udfff":
            pair = self._surrogate + unit
            self._surrogate = ""
            self._add(pair.encode("utf-16", "surrogatepass").decode("utf-16"))
            return
        self._lone()
        if "\ud800" <= unit <= "\udbff":
            self._surrogate, self._escape = unit, ""
        else:
            self._add("\ufffd" if "\udc00" <= unit <= "\udfff" else unit)

    def _lone(self) -> None:
        if self._surrogate:
            self._surrogate = ""
            self._pieces.append("\ufffd")

    def _add(self, char: str) -> None:
        self._escape = ""
        self._pieces.append(char)
