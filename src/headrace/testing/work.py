"""Linear time and bounded memory of a stage, counted instead of timed: the same on every machine."""

from __future__ import annotations

import dis
import sys
from collections.abc import Iterable
from types import CodeType, FrameType
from typing import Any

from headrace.testing.stages import AnyStage, MakeStage

# Methods that read from an offset when they are given one, and from the beginning when they are not.
_FROM_OFFSET = frozenset({"find", "rfind", "index", "rindex", "count", "startswith", "endswith"})
_TOUCH_LITTLE = frozenset(
    {"append", "extend", "pop", "clear", "startswith", "endswith", "isdigit", "removeprefix"}
)


class Work:
    """What the code in a `with` block does, counted: lines run, calls made, items scanned by methods.

    A method of bytes, text or a list counts the length of what it is called on (`pending.split(b"\\n")` is
    as much work as `pending` is long), except where it is given an offset to begin at. What one operator does
    in C (`+`, `in`, a slice) counts as one line: this shows repeated parsing and rescanning, not every copy.
    """

    def __init__(self) -> None:
        self.units = 0
        self._before: tuple[Any, Any] = (None, None)
        self._opargs: dict[CodeType, dict[int, int]] = {}

    def __enter__(self) -> Work:
        self._before = (sys.gettrace(), sys.getprofile())  # a debugger's or a coverage tool's
        sys.setprofile(self._profile)
        sys.settrace(self._trace)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(self._before[0])
        sys.setprofile(self._before[1])

    def _trace(self, frame: FrameType, event: str, arg: Any) -> Any:
        self.units += 1
        return self._trace

    def _profile(self, frame: FrameType, event: str, arg: Any) -> None:
        if event != "c_call":
            return
        self.units += 1
        on = getattr(arg, "__self__", None)
        if not isinstance(on, (bytes, bytearray, str, list)) or arg.__name__ in _TOUCH_LITTLE:
            return
        if arg.__name__ in _FROM_OFFSET and self._arguments(frame) >= 2:
            return
        self.units += len(on)

    def _arguments(self, frame: FrameType) -> int:
        code = frame.f_code
        if code not in self._opargs:
            self._opargs[code] = {
                one.offset: one.arg or 0
                for one in dis.get_instructions(code)
                if one.opname.startswith(("CALL", "PRECALL"))
            }
        return self._opargs[code].get(frame.f_lasti, 0)


def work_of(stage: AnyStage, pieces: Iterable[Any]) -> int:
    """Units of work to feed `pieces` one by one and close."""
    pieces = list(pieces)
    with Work() as work:
        for piece in pieces:
            stage.feed(piece)
        stage.close()
    return work.units


WAYS = ("item by item", "unit by unit", "in one piece")


def linear(
    make_stage: MakeStage,
    unit: Any,
    *,
    times: int = 64,
    growth: int = 8,
    slack: float = 1.5,
    first: Any = None,
    ways: Iterable[str] = WAYS,
) -> None:
    """Work grows with the input, not faster: drip-fed item by item, fed whole, and in pieces of `unit`.

    `unit` repeated `times` times, then `times * growth` times: the second may cost `growth * slack` times
    the first. A unit that ends nothing (part of one long line) is as good a case as a whole event.

    first: what is fed before, uncounted, such as the beginning of an answer. ways: which of `WAYS`.
    """
    small, large = unit * times, unit * (times * growth)
    sizes = {"item by item": 1, "unit by unit": len(unit), "in one piece": len(large)}
    for way in ways:
        size = sizes[way]
        before, after = (
            _work_behind(first, make_stage(), [data[i : i + size] for i in range(0, len(data), size)])
            for data in (small, large)
        )
        if after > before * growth * slack:
            ratio = f"{after / before:.1f} times the work ({before}, {after})"
            raise AssertionError(f"{way}: {growth} times the input took {ratio}")


def _work_behind(first: Any, stage: AnyStage, pieces: list[Any]) -> int:
    if first is not None:
        stage.feed(first)
    return work_of(stage, pieces)


def held_bytes(value: Any, seen: set[int] | None = None) -> int:
    """Bytes of memory that a stage (or anything of plain Python objects) holds, shared objects once."""
    seen = set() if seen is None else seen
    if id(value) in seen or isinstance(value, (type, CodeType)) or callable(value):
        return 0
    seen.add(id(value))
    size = sys.getsizeof(value)
    if isinstance(value, dict):
        parts: Iterable[Any] = [*value.keys(), *value.values()]
    elif isinstance(value, (list, tuple, set, frozenset)) or type(value).__name__ == "deque":
        parts = list(value)
    else:
        slots = [name for kind in type(value).__mro__ for name in getattr(kind, "__slots__", ())]
        parts = [getattr(value, name) for name in slots if hasattr(value, name)]
        parts += list(getattr(value, "__dict__", {}).values())
    return size + sum(held_bytes(part, seen) for part in parts)


def bounded(
    make_stage: MakeStage, unit: Any, *, limit_bytes: int, times: int = 1000, first: Any = None
) -> int:
    """The most the stage held while `unit` came `times` times; it must not pass `limit_bytes`.

    first: what is fed before, such as the beginning of an event that then never ends.
    """
    stage = make_stage()
    if first is not None:
        stage.feed(first)
    most = 0
    for _ in range(times):
        stage.feed(unit)
        most = max(most, held_bytes(stage))
        if most > limit_bytes:
            raise AssertionError(f"the stage holds {most} bytes, more than {limit_bytes}")
    return most
