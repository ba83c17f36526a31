"""JSON text that is still arriving -> the value as far as it has come. Sans-io, any split, linear.

What is closed is never touched again: a snapshot copies only the containers that are still open, from the
root to the end of the text, and shares everything inside them.
"""

from __future__ import annotations

import re
from typing import Any, TypeAlias

import msgspec

Value: TypeAlias = Any
_SPACE = " \t\n\r"
_PLAIN = re.compile(r'[^"\\\x00-\x1f]*')  # of a string, up to what means something
_BARE = re.compile(r"[-+.0-9A-Za-z]*")  # of a number or a literal
_ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_HEX4 = re.compile(r"[0-9a-fA-F]{4}")
_read_bare = msgspec.json.Decoder().decode
_NOTHING: Value = object()
# What may come next.
_VALUE, _FIRST_VALUE, _FIRST_KEY, _KEY, _COLON, _AFTER, _END = range(7)


class GrowingJson:
    """Feed it text as it comes; `value()` is a snapshot, `complete` says whether the root is closed.

    wrong: why the text is no JSON, empty while it may be one; from then on nothing is read. An open string is
    in the snapshot as far as it has come; an open number, literal or key is not. max_depth: of containers.
    """

    def __init__(self, max_depth: int = 200) -> None:
        self.wrong = ""
        self.complete = False
        self._max_depth = max_depth
        self._read = 0  # characters before this feed, for messages
        self._next = _VALUE
        self._open: list[dict[str, Value] | list[Value]] = []
        self._keys: list[str] = []  # the key that waits for its value, of each open dict
        self._root: Value = _NOTHING
        self._string: list[str] | None = None
        self._is_key = False
        self._escape = ""  # of an escape that is cut, with its backslash
        self._surrogate = ""  # the first half of a pair, while the second is awaited
        self._bare = ""

    def feed(self, text: str) -> None:
        """Read on. What is wrong stands in `wrong`; nothing is raised."""
        at = 0
        while at < len(text) and not self.wrong:
            if self._escape:
                at = self._in_escape(text, at)
            elif self._string is not None:
                at = self._in_string(text, at)
            elif self._bare:
                at = self._in_bare(text, at)
            else:
                at = self._between(text, at)
        self._read += len(text)

    def close(self) -> None:
        """The end of the text: a number at the root ends here; what is still open is wrong."""
        if self._bare and not self.wrong:
            self._end_bare()
        if not self.complete and not self.wrong:
            self.wrong = f"the text ends after {self._read} characters in the middle of the value"

    def value(self) -> Value:
        """A snapshot: None where nothing has begun. Later feeds do not change it."""
        inner: Value = self._root
        if self._string is not None and not self._is_key:
            inner = "".join(self._string)
        key_at = len(self._keys)
        for container in reversed(self._open):
            if isinstance(container, dict):
                key_at -= 1
                grown: Value = dict(container)
                if inner is not _NOTHING:
                    grown[self._keys[key_at]] = inner
            else:
                grown = list(container)
                if inner is not _NOTHING:
                    grown.append(inner)
            inner = grown
        return None if inner is _NOTHING else inner

    # Between values.

    def _between(self, text: str, at: int) -> int:
        mark = text[at]
        if mark in _SPACE:
            return at + 1
        expected = self._next
        if expected in (_VALUE, _FIRST_VALUE) and mark != "]":
            return self._begin(mark, text, at)
        if mark == '"' and expected in (_KEY, _FIRST_KEY):
            self._string, self._is_key = [], True
        elif mark == ":" and expected == _COLON:
            self._next = _VALUE
        elif mark == "," and expected == _AFTER:
            self._next = _KEY if isinstance(self._open[-1], dict) else _VALUE
        elif mark in "]}" and self._may_close(mark):
            self._close(self._open.pop(), mark)
        else:
            self._fail(at, f"{mark!r} is not expected here")
        return at + 1

    def _begin(self, mark: str, text: str, at: int) -> int:
        if mark == '"':
            self._string, self._is_key = [], False
        elif mark in "{[":
            if len(self._open) >= self._max_depth:
                self._fail(at, f"it is nested more than {self._max_depth} deep")
                return at
            self._open.append({} if mark == "{" else [])
            if mark == "{":
                self._keys.append("")
            self._next = _FIRST_KEY if mark == "{" else _FIRST_VALUE
        elif _BARE.match(mark):
            return self._in_bare(text, at)
        else:
            self._fail(at, f"{mark!r} begins no value")
        return at + 1

    def _may_close(self, mark: str) -> bool:
        if not self._open:
            return False
        if isinstance(self._open[-1], dict):
            return mark == "}" and self._next in (_FIRST_KEY, _AFTER)
        return mark == "]" and self._next in (_FIRST_VALUE, _AFTER)

    def _close(self, container: dict[str, Value] | list[Value], mark: str) -> None:
        if mark == "}":
            self._keys.pop()
        self._put(container)

    def _put(self, value: Value) -> None:
        """A value is complete."""
        if not self._open:
            self._root, self.complete, self._next = value, True, _END
            return
        container = self._open[-1]
        if isinstance(container, dict):
            container[self._keys[-1]] = value
        else:
            container.append(value)
        self._next = _AFTER

    # Inside a string.

    def _in_string(self, text: str, at: int) -> int:
        assert self._string is not None
        plain = _PLAIN.match(text, at)
        end = plain.end() if plain else at
        if end > at:
            self._lone()
            self._string.append(text[at:end])
        if end == len(text):
            return end
        mark = text[end]
        if mark == '"':
            self._end_string()
        elif mark == "\\":
            self._escape = "\\"
        else:
            self._fail(end, "a control character stands in a string")
        return end + 1

    def _in_escape(self, text: str, at: int) -> int:
        taken = text[at : at + 6 - len(self._escape)] if self._escape[1:2] == "u" else text[at]
        self._escape += taken
        kind = self._escape[1]
        if kind == "u":
            if len(self._escape) == 6:
                self._unicode(at)
        elif kind in _ESCAPES:
            self._lone()
            self._add(_ESCAPES[kind])
        else:
            self._fail(at, f"\\{kind} is no escape")
        return at + len(taken)

    def _unicode(self, at: int) -> None:
        digits = self._escape[2:]
        if not _HEX4.fullmatch(digits):
            self._fail(at, f"\\u{digits} is no escape")
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
        """Half a pair without its other half is no character."""
        if self._surrogate:
            self._surrogate = ""
            if self._string is not None:
                self._string.append("\ufffd")

    def _add(self, char: str) -> None:
        self._escape = ""
        if self._string is not None:
            self._string.append(char)

    def _end_string(self) -> None:
        self._lone()
        whole = "".join(self._string or ())
        self._string = None
        if self._is_key:
            self._keys[-1] = whole
            self._next = _COLON
        else:
            self._put(whole)

    # Inside a number, true, false or null.

    def _in_bare(self, text: str, at: int) -> int:
        found = _BARE.match(text, at)
        end = found.end() if found else at
        self._bare += text[at:end]
        if len(self._bare) > _LONGEST_BARE:
            self._fail(end, f"a number is longer than {_LONGEST_BARE} characters")
        elif end < len(text):
            self._end_bare()
        return end

    def _end_bare(self) -> None:
        bare, self._bare = self._bare, ""
        try:
            self._put(_read_bare(bare))
        except msgspec.DecodeError:
            self._fail(0, f"{bare[:40]!r} is no value")

    def _fail(self, at: int, why: str) -> None:
        self.complete = False
        self.wrong = f"character {self._read + at + 1}: {why}"


_LONGEST_BARE = 4096
