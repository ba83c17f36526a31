"""The values of one JSON array while it arrives, sans-io: bytes in any split -> values. Source: RFC 8259."""

from __future__ import annotations

import re

from headrace.core.chunk import Failure
from headrace.errors import Truncated, WireError

MAX_VALUE_BYTES = 16 * 2**20
_BLANK = b" \t\r\n"
_CODES = frozenset(_BLANK)
_OPEN, _CLOSE, _QUOTE, _BACKSLASH, _COMMA = b"[", b"]", ord('"'), ord("\\"), b","
# What a value is cut by: the string that begins, a bracket, and outside of brackets a comma or a blank.
_INSIDE = re.compile(rb'["\[\]{}]')
_AT_TOP = re.compile(rb'["\[\]{},\s]')
_STRING = re.compile(rb'[^"\\]*(?:\\.[^"\\]*)*', re.DOTALL)

_START, _VALUE, _IN_VALUE, _AFTER, _END, _INERT = range(6)


class JsonArrayDecoder:
    """Bytes in any split -> the array's values as their own bytes, each as soon as it is whole; linear.

    An object that stands alone, without an array, is given as the only value. Values are cut by brackets and
    strings alone: whether one is valid JSON shows when it is parsed. What follows the end is not read. Bytes
    that are no array are one `Failure` (kind `wire`), a value over the limit too (code `value_too_long`).

    max_value_bytes: of one value. ended: whether the end has come.
    """

    __slots__ = ("_alone", "_cut_escape", "_depth", "_held", "_in_string", "_max", "_some", "_state")

    def __init__(self, max_value_bytes: int = MAX_VALUE_BYTES) -> None:
        if max_value_bytes < 1:
            raise ValueError("max_value_bytes must be at least 1")
        self._max = max_value_bytes
        self._state = _START
        self._held = bytearray()  # the beginning of the value that is not whole
        self._depth = 0
        self._in_string = False
        self._cut_escape = False  # a backslash was the last byte
        self._alone = False  # one object without an array
        self._some = False  # a comma came, or nothing yet: a value must or may follow

    @property
    def ended(self) -> bool:
        """Whether the end has come."""
        return self._state == _END

    def feed(self, data: bytes) -> list[bytes | Failure]:
        """The values that `data` makes complete."""
        out: list[bytes | Failure] = []
        at = 0
        while at < len(data) and self._state < _END:
            if self._state == _IN_VALUE:
                at = self._value(data, at, out)
            elif data[at] in _CODES:
                at += 1
            else:
                at = self._between(data, at, out)
        return out

    def close(self) -> list[bytes | Failure]:
        """A failure (kind `truncated`) where the end has not come. The decoder is inert from here on."""
        cut = self._state < _END
        where = "inside a value" if self._held else "without its end"
        self._stop()
        return [Failure.of(Truncated(f"the JSON array was cut {where}"))] if cut else []

    def _between(self, data: bytes, at: int, out: list[bytes | Failure]) -> int:
        """Read the byte at `at`, which is not blank and in no value; where to go on."""
        byte = data[at : at + 1]
        if self._state == _START:
            return self._start(byte, at, out)
        if self._state == _AFTER and byte == _COMMA:
            self._state, self._some = _VALUE, True
        elif byte == _CLOSE and (self._state == _AFTER or not self._some):
            self._state = _END
        elif self._state == _VALUE and byte not in (_COMMA, _CLOSE, b"}"):
            self._state = _IN_VALUE
            return at
        else:
            out.append(self._broken(byte))
        return at + 1

    def _start(self, byte: bytes, at: int, out: list[bytes | Failure]) -> int:
        if byte == _OPEN:
            self._state = _VALUE
            return at + 1
        if byte == b"{":
            self._state, self._alone = _IN_VALUE, True
            return at
        out.append(self._broken(byte))
        return at

    def _value(self, data: bytes, at: int, out: list[bytes | Failure]) -> int:
        """Read on in a value from `at`; where to go on."""
        end = self._end_of_value(data, at)
        size = (len(data) if end < 0 else end) - at
        if len(self._held) + size > self._max:
            self._stop()
            why = f"a value is longer than {self._max} bytes"
            out.append(Failure.of(WireError(why, code="value_too_long")))
            return len(data)
        if end < 0:
            self._held += data[at:]
            return len(data)
        out.append(bytes(self._held) + data[at:end] if self._held else data[at:end])
        self._held.clear()
        self._state = _END if self._alone else _AFTER
        return end

    def _end_of_value(self, data: bytes, at: int) -> int:
        """Where the value ends, -1 where it goes on behind `data`."""
        while True:
            if self._in_string:
                at = self._end_of_string(data, at)
                if at < 0 or not self._depth:
                    return at
            found = (_INSIDE if self._depth else _AT_TOP).search(data, at)
            if found is None:
                return -1
            at = found.end()
            byte = found[0]
            if byte == b'"':
                self._in_string = True
            elif byte in (b"{", b"["):
                self._depth += 1
            elif not self._depth:
                return at - 1  # what ended a number or a word is not part of it
            else:
                self._depth -= 1
                if not self._depth:
                    return at

    def _end_of_string(self, data: bytes, at: int) -> int:
        """Behind the string's quote, -1 where it goes on behind `data`."""
        if self._cut_escape and at < len(data):
            self._cut_escape = False
            at += 1
        found = _STRING.match(data, at)
        at = found.end() if found else at
        if at >= len(data):
            return -1
        if data[at] == _BACKSLASH:  # only the last byte can be one that nothing follows
            self._cut_escape = True
            return -1
        self._in_string = False
        return at + 1

    def _broken(self, byte: bytes) -> Failure:
        expected = {
            _START: "an array or an object",
            _VALUE: "a value",
            _AFTER: "a comma or the array's end",
        }[self._state]
        self._stop()
        shown = ascii(byte.decode("latin-1"))
        return Failure.of(WireError(f"{expected} was expected where {shown} came", code="not_json"))

    def _stop(self) -> None:
        self._state = _INERT
        self._held = bytearray()
