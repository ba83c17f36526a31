"""How large a JSON schema the local engine is given. Pure, and linear in the schema.

The engine turns a schema into a grammar in native code that nobody can stop: {"minItems": 100000000} takes
gigabytes, {"multipleOf": 1000003} more than ten seconds. What is refused here never gets there: schemas at
the bounds were measured to take the engine at most two seconds and 40 MB. A compile has a deadline besides.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, TypeAlias

import msgspec

from headrace.errors import RequestError

_REPEATS = frozenset({"minItems", "maxItems", "minProperties", "maxProperties", "minContains", "maxContains"})
_LENGTHS = frozenset({"minLength", "maxLength"})
_DATA = frozenset({"enum", "const", "default", "examples"})  # values, not schemas: their keys mean nothing
_SHOWN = 200  # characters of a field's path that an error repeats

Path: TypeAlias = tuple["Path", str] | None
"""Where a value is, from the inside out: built at each step, written out only for an error."""


class Bounds(msgspec.Struct, frozen=True):
    """What the schemas of one request may have, in all.

    depth: JSON values inside one another. nodes: JSON values. text: characters of names and strings.
    enum_values: over all enums. repeats: the sum of minItems, maxItems, minProperties, maxProperties,
    minContains and maxContains. length: each minLength and maxLength. multiple: the least common multiple of
    every multipleOf, less their decimal point and final zeros (the engine keeps a state for each remainder).
    """

    depth: int = 128
    nodes: int = 10_000
    text: int = 200_000
    enum_values: int = 5_000
    repeats: int = 20_000
    length: int = 1_000_000
    multiple: int = 10_000


BOUNDS = Bounds()


class SchemaCheck:
    """Counts what the schemas of one request have, against `bounds`."""

    def __init__(self, bounds: Bounds = BOUNDS) -> None:
        self._bounds = bounds
        self._nodes = self._text = self._enum_values = 0
        self._repeats: float = 0
        self._multiple = 1

    def check(self, schema: Any, field: str) -> None:
        """Raises RequestError naming the place below `field` and the bound."""
        waiting: list[tuple[Any, Path, int, bool]] = [(schema, (None, field), 1, False)]
        self._count(1, (None, field))
        while waiting:
            value, path, depth, is_data = waiting.pop()
            if depth > self._bounds.depth:
                raise _beyond(path, "it is nested", depth, self._bounds.depth, "levels deep")
            if isinstance(value, str):
                self._count_text(value, path)
            elif isinstance(value, int):
                _check_integer(value, path)
            elif isinstance(value, dict | list | tuple):
                self._count(len(value), path)
                for key, inner in _items(value):
                    here = (path, key)
                    if not is_data and isinstance(value, dict):
                        self._keyword(key, inner, here)
                    waiting.append((inner, here, depth + 1, is_data or key in _DATA))

    def _count(self, more: int, path: Path) -> None:
        self._nodes += more
        if self._nodes > self._bounds.nodes:
            raise _beyond(path, "it has", self._nodes, self._bounds.nodes, "values or more")

    def _count_text(self, text: str, path: Path) -> None:
        self._text += len(text)
        if self._text > self._bounds.text:
            raise _beyond(path, "it has", self._text, self._bounds.text, "characters or more")

    def _keyword(self, key: str, value: Any, path: Path) -> None:
        self._count_text(key, path)
        if key == "enum" and isinstance(value, list | tuple):
            self._enum_values += len(value)
            if self._enum_values > self._bounds.enum_values:
                raise _beyond(path, "it has", self._enum_values, self._bounds.enum_values, "enum values")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            self._number(key, value, path)

    def _number(self, key: str, value: float, path: Path) -> None:
        if key in _REPEATS:
            self._repeats += value
            if not self._repeats <= self._bounds.repeats:  # so written, NaN is beyond it too
                raise _beyond(path, "its repetitions come to", self._repeats, self._bounds.repeats)
        elif key in _LENGTHS and not value <= self._bounds.length:
            raise _beyond(path, "it is", value, self._bounds.length)
        elif key == "multipleOf" and value and math.isfinite(value):
            self._multiple = math.lcm(self._multiple, _coefficient(value))
            if self._multiple > self._bounds.multiple:
                raise _beyond(path, "the least common multiple is", self._multiple, self._bounds.multiple)


def _items(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        return ((str(key), inner) for key, inner in value.items())
    return ((str(place), inner) for place, inner in enumerate(value))


def _check_integer(value: int, path: Path) -> None:
    if not -(2**63) <= value < 2**64:
        raise RequestError("the JSON schema has a whole number beyond 64 bits", field=_written(path))


def _coefficient(value: float) -> int:
    """1250 -> 125, 0.05 -> 5: the digits that count."""
    digits = Decimal(str(value)).normalize().as_tuple().digits if abs(value) < 1e300 else (1,)
    return int("".join(map(str, digits)))


def _beyond(path: Path, what: str, found: float, bound: int, unit: str = "") -> RequestError:
    shown = f"{found:,}" if found < 1e15 else "far more"
    text = f"the JSON schema is too large for the local engine: {what} {shown} {unit}".rstrip()
    return RequestError(f"{text}, and {bound:,} is the most it takes", field=_written(path))


def _written(path: Path) -> str:
    steps: list[str] = []
    while path is not None:
        path, step = path
        steps.append(step)
    whole = ".".join(reversed(steps))
    return whole if len(whole) <= _SHOWN else f"{whole[:_SHOWN]}…"
