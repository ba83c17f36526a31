"""Text as it comes -> values of a type as far as they have come, and the whole one, checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Generic, NamedTuple, TypeVar, cast

import msgspec

from headrace.core.growing_json import GrowingJson
from headrace.core.shape import HIDDEN, PLAIN, Check, Invalid, Shape
from headrace.errors import OutputError
from headrace.structured.find import JsonFinder
from headrace.structured.schema_check import schema_check
from headrace.structured.shapes import marks_of, shape_of
from headrace.structured.worlds import world_of

T = TypeVar("T")
MAX_CHARS = 16 * 1024 * 1024
# A value shown is a copy of what is open, and must be paid for: work stays linear in the text whatever is
# open. In slots of a list copied (about 1.5 ns): so much comes with each character of text, and so much is
# there from the beginning, enough for a value at every change of an ordinary answer.
SLOTS_A_CHAR = 300
SLOTS_AT_FIRST = 1_000_000


class _Plan(NamedTuple):
    """How a type is read. marks: what its JSON may begin with; empty: anything.

    check, recheck: the whole value, where the shape itself has not checked it.
    """

    shape: Shape
    marks: str
    check: Check | None
    recheck: Callable[[str], Any] | None = None


def _plan(output: Any) -> _Plan:
    if isinstance(output, Mapping):
        marks = {"object": "{", "array": "["}.get(str(output.get("type")), "")
        return _Plan(PLAIN, marks, schema_check(output))
    try:
        return _kept_plan(output)
    except TypeError as error:
        if "unhashable" not in str(error):
            raise
        return _made_plan(output)


def _made_plan(output: Any) -> _Plan:
    world = world_of(output)
    shape, marks = shape_of(output, world), marks_of(output)
    if shape.joins:
        return _Plan(shape, marks, None)
    return _Plan(shape, marks, world.check(output), world.recheck(output))


# It takes a millisecond or two to make, is never changed, and is the same for every stream.
_kept_plan = lru_cache(maxsize=256)(_made_plan)


class Growing(Generic[T]):
    """One value that grows. Feed it the text; ask for `value()` when `grew`; `close()` gives the whole.

    output: a msgspec Struct, a dataclass, a TypedDict, a pydantic model, or any type made of these and
    Python's own; or a JSON schema as a mapping, whose values stay plain data.
    open_strings: show text that is still coming; otherwise only whole strings are shown.
    max_chars: of the text; max_depth: of nesting. Beyond them it fails.

    An object is an instance of its class from its opening brace on, with the fields that have come; what has
    not is its default, else empty (text, lists, objects), else None. Numbers, enums and the like come when
    they are whole. Each object is checked once, when it is whole; what is whole is shared by all values that
    follow and never made again: values are for reading. Words before the JSON, a fence around it and whatever
    follows it are passed over.
    """

    def __init__(
        self,
        output: type[T] | Mapping[str, Any],
        *,
        open_strings: bool = True,
        max_chars: int = MAX_CHARS,
        max_depth: int = 200,
    ) -> None:
        self._planned = _plan(output)
        self._finder = JsonFinder(self._planned.marks)
        self._json = GrowingJson(
            self._planned.shape, max_depth=max_depth, open_strings=open_strings, one=True
        )
        self._pieces: list[str] = []
        self._chars = 0
        self._max_chars = max_chars
        self._slots = SLOTS_AT_FIRST
        self._whole: Any = HIDDEN
        self.failure: OutputError | None = None

    @property
    def text(self) -> str:
        """All that was fed, the words around the JSON too."""
        return "".join(self._pieces)

    @property
    def path(self) -> tuple[str | int, ...]:
        """The keys and indices that lead to where the text has come."""
        return self._json.path

    @property
    def complete(self) -> bool:
        """Whether the whole value is there, checked."""
        return self._whole is not HIDDEN

    @property
    def grew(self) -> bool:
        """Whether there is something new to show, and the text that has come is worth the copy."""
        return self._json.grew and self._slots > 0 and self.failure is None

    def feed(self, text: str) -> None:
        """Read on. Nothing is raised: what is wrong stands in `failure`, known as soon as it can be."""
        self._pieces.append(text)
        self._chars += len(text)
        if self.failure is not None or self._json.complete:
            return
        if self._chars > self._max_chars:
            self._fail(f"the answer is longer than {self._max_chars} characters", "too_long")
            return
        if not self._finder.found:
            text = self._finder.feed(text)
        self._slots = min(self._slots + len(text) * SLOTS_A_CHAR, SLOTS_AT_FIRST)
        self._json.feed(text)
        if self._json.complete or self._json.wrong:
            self._end()

    def value(self) -> T:
        """The value as far as it has come; None where nothing can be shown. Later text does not change it."""
        if self.complete:
            return cast(T, self._whole)
        shown, cost = self._json.snapshot()
        self._slots -= cost
        return cast(T, None if shown is HIDDEN else shown)

    def close(self) -> T:
        """The end of the text, and the whole value. Raises OutputError where there is none."""
        if self.failure is None and not self.complete:
            if self._finder.found:
                self._json.close()
                self._end()
            else:
                self._none_found()
        if self.failure is not None:
            raise self.failure
        return cast(T, self._whole)

    def _end(self) -> None:
        """The JSON is whole, or wrong."""
        growing, plan = self._json, self._planned
        if growing.wrong:
            code = "invalid" if growing.invalid else "incomplete" if growing.cut else "not_json"
            self._fail(growing.wrong, code, growing.where)
        elif plan.check is None:
            self._whole = growing.raw
        else:
            try:
                self._whole = self._checked(plan.check, plan.recheck)
            except Invalid as error:
                self._fail(error.why, "invalid", error.path)

    def _checked(self, check: Check, recheck: Callable[[str], Any] | None) -> Any:
        raw = self._json.raw
        try:
            return check(raw)
        except Invalid:
            if recheck is None:
                raise
        in_brackets = isinstance(raw, (dict, list))
        return recheck(self._json.text if in_brackets else msgspec.json.encode(raw).decode())

    def _none_found(self) -> None:
        if not self.text.strip():
            self._fail("the answer is empty", "empty")
            return
        marks = " or ".join(self._planned.marks) or "a value"
        what = " object" if marks == "{" else ""
        self._fail(f"there is no JSON{what} in the answer: nothing in it begins with {marks}", "not_json")

    def _fail(self, why: str, code: str, path: str = "") -> None:
        path = path.lstrip(".")
        said = f"{path}: {why}" if path else why
        self.failure = OutputError(said, code=code, text=self.text, path=path)


def read_output(output: type[T] | Mapping[str, Any], text: str) -> T:
    """The value that a whole answer holds, as `Growing` reads it. Raises OutputError where it holds none."""
    growing = Growing(output)
    growing.feed(text)
    return growing.close()
