"""Arguments in pieces, each with the path of its value -> the JSON text they add up to, as it grows.

The model writes its arguments from the first to the last, so their text can be written while the pieces come:
containers are opened and closed on the way from one path to the next. A piece that would go back into what is
closed cannot be written any more; it is a ValueError.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from headrace.wire.gemini.schema import PartialArg

MAX_DEPTH = 256
_STEP = re.compile(
    r"""\.(?P<name>[^.\[\]]+)|\[(?P<index>\d{1,9})\]|\['(?P<single>(?:[^'\\]|\\.)*)'\]|\["(?P<double>(?:[^"\\]|\\.)*)"\]"""
)

Path = list[str | int]


class ArgumentsWriter:
    """Give it the pieces in order; what it returns, joined, is the arguments' JSON text."""

    __slots__ = ("_in_string", "_keys", "_last")

    def __init__(self) -> None:
        self._last: Path = []  # the value written last, which tells the open containers
        self._keys: list[set[str]] = []  # names used in each open container
        self._in_string = False

    @property
    def written(self) -> bool:
        """Whether there is any text yet."""
        return bool(self._last)

    def take(self, pieces: Iterable[PartialArg]) -> str:
        """The text that `pieces` add. Raises ValueError for a path that cannot be followed."""
        out: list[str] = []
        for piece in pieces:
            self._piece(piece, out)
        return "".join(out)

    def end(self) -> str:
        """The text that closes what is open."""
        out: list[str] = []
        self._end_string(out)
        if not self._last:
            out.append("{")
        self._close_to(0, out)
        out.append("}")
        return "".join(out)

    def _piece(self, piece: PartialArg, out: list[str]) -> None:
        path = _path(piece.json_path)
        if not (self._in_string and path == self._last):
            self._end_string(out)
            value = _value(piece)
            if value is None:
                return  # a path without a value says nothing
            self._move_to(path, out)
            out.append(value)
            self._in_string = piece.string_value is not None
        if piece.string_value is not None:
            out.append(_json(piece.string_value)[1:-1])
            if not piece.will_continue:
                self._end_string(out)

    def _end_string(self, out: list[str]) -> None:
        if self._in_string:
            out.append('"')
            self._in_string = False

    def _move_to(self, path: Path, out: list[str]) -> None:
        last = self._last
        same = 0
        while same < min(len(last), len(path)) and last[same] == path[same]:
            same += 1
        if same == len(path) or (last and same == len(last)):
            raise ValueError(f"an argument was given twice: {_shown(path)}")
        if last:
            self._close_to(same, out)
            if type(last[same]) is not type(path[same]):
                raise ValueError(f"a place is an array and an object: {_shown(path)}")
            out.append(",")
        for depth in range(same, len(path)):
            self._enter(path, depth, last if depth == same else [], out)
        self._last = path

    def _enter(self, path: Path, depth: int, last: Path, out: list[str]) -> None:
        """Write the way into `path` at `depth`; last: the value written before in the same container."""
        step = path[depth]
        if not last:
            self._keys.append(set())
            out.append("[" if isinstance(step, int) else "{")
        if isinstance(step, int):
            if step != (int(last[depth]) + 1 if last else 0):
                raise ValueError(f"an array's values came out of order: {_shown(path)}")
            return
        if step in self._keys[depth]:
            raise ValueError(f"an argument was given twice: {_shown(path)}")
        self._keys[depth].add(step)
        out.append(_json(step) + ":")

    def _close_to(self, depth: int, out: list[str]) -> None:
        """Close the containers below that at `depth`."""
        for step in reversed(self._last[depth + 1 :]):
            out.append("]" if isinstance(step, int) else "}")
            self._keys.pop()


def _path(text: str) -> Path:
    steps: Path = []
    at = 1
    while text[:1] == "$" and at < len(text):
        found = _STEP.match(text, at)
        if found is None or len(steps) >= MAX_DEPTH:
            break
        at = found.end()
        quoted = found["single"] if found["single"] is not None else found["double"]
        if found["index"] is not None:
            steps.append(int(found["index"]))
        else:
            steps.append(found["name"] if quoted is None else re.sub(r"\\(.)", r"\1", quoted))
    if at < len(text) or not steps or isinstance(steps[0], int):
        raise ValueError(f"not the path of an argument: {text[:80]!r}")
    return steps


def _value(piece: PartialArg) -> str | None:
    """The value as JSON; of a string only its beginning."""
    if piece.string_value is not None:
        return '"'
    if piece.number_value is not None:
        return _json(piece.number_value)
    if piece.bool_value is not None:
        return _json(piece.bool_value)
    return None if piece.null_value is msgspec.UNSET else "null"


def _json(value: str | float | bool) -> str:
    return msgspec.json.encode(value).decode()


def _shown(path: Path) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)[:80]
