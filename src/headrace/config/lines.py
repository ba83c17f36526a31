"""Where in a TOML file a field stands: the standard parser gives values and forgets their lines."""

from __future__ import annotations

import re
from collections.abc import Sequence

_KEY = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*')"""
_DOTTED = rf"{_KEY}(?:\s*\.\s*{_KEY})*"
_TABLE = re.compile(rf"\s*\[\[?\s*({_DOTTED})\s*\]\]?")
_PAIR = re.compile(rf"\s*({_DOTTED})\s*=\s*")
_PART = re.compile(_KEY)
# What may hide a bracket, a quote or a line's end from the scan of one line.
_TOKENS = re.compile(r'"""|\'\'\'|"(?:[^"\\]|\\.)*"|\'[^\']*\'|#.*|[\[\]{}]')


def line_of(text: str, field: Sequence[str]) -> int:
    """The 1-based line where `field` (its path as keys) is written; where that cannot be told, its nearest
    parent's; 0 where no parent is written either. `text` must be valid TOML.
    """
    lines = _lines(text)
    for length in range(len(field), 0, -1):
        line = lines.get(tuple(field[:length]))
        if line:
            return line
    return 0


def _lines(text: str) -> dict[tuple[str, ...], int]:
    """Each table header's and each pair's path -> the line it begins on."""
    found: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    inside = _Inside()
    for number, line in enumerate(text.split("\n"), 1):
        if inside.nothing:
            header, pair = _TABLE.match(line), _PAIR.match(line)
            if header:
                table = _path(header[1])
                for length in range(1, len(table) + 1):  # [a.b] is where [a] is first heard of, too
                    found.setdefault(table[:length], number)
                continue
            if pair:
                path = table + _path(pair[1])
                for length in range(len(table) + 1, len(path) + 1):
                    found.setdefault(path[:length], number)
        inside.read(line)
    return found


def _path(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in _PART.findall(dotted))


class _Inside:
    """Whether a line begins inside a value that began on an earlier one."""

    def __init__(self) -> None:
        self._quote = ""
        self._depth = 0

    @property
    def nothing(self) -> bool:
        return not self._quote and self._depth == 0

    def read(self, line: str) -> None:
        at = 0
        while at < len(line):
            if self._quote:
                end = line.find(self._quote, at)
                if end < 0:
                    return
                at, self._quote = end + 3, ""
                continue
            token = _TOKENS.search(line, at)
            if token is None:
                return
            at = token.end()
            self._take(token[0])

    def _take(self, mark: str) -> None:
        if mark in ('"""', "'''"):
            self._quote = mark
        elif mark in "[{":
            self._depth += 1
        elif mark in "]}":
            self._depth -= 1
