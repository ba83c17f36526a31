"""What each place in a JSON text is to become, as far as a reader of growing text must know it.

A tree of shapes is made from a type (`headrace.structured`); `GrowingJson` walks it as the text comes.
Without one everything is `PLAIN`: JSON's own data.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

Check: TypeAlias = Callable[[Any], Any]


class _Hidden:
    """Nothing that could be shown."""

    def __repr__(self) -> str:
        return "HIDDEN"


HIDDEN: Any = _Hidden()


class Invalid(Exception):
    """A whole value does not fit its type. path: from that value on, such as ".items[3]", "" for itself."""

    def __init__(self, why: str, path: str = "") -> None:
        super().__init__(why)
        self.why = why
        self.path = path


class Shape:
    """One place.

    opens: of '{', '[' and '"', what is shown while it is open; anything else there is hidden until whole.
    check: a whole value -> what it becomes; raises Invalid; may give HIDDEN. None: JSON's data as it is.
    joins: what `check` gives is what the value around it is checked with; else that gets JSON's data.
    recheck: the value's text -> what it becomes, asked where `check` refuses; raises Invalid.
    show: a copy of an open container -> what is shown of it. None: the copy.
    fields: shapes of an object's known keys; rest: of its other ones; item: of an array's elements; plain
    where there is none.
    choose: the first character of a value -> the shape it is read by, for a union.
    tag: the key that tells which object it is, and the shape for each of its values.
    number: the text of a number -> its value, where it is not read as int or float.
    """

    __slots__ = (
        "check",
        "choose",
        "fields",
        "item",
        "joins",
        "number",
        "opens",
        "recheck",
        "rest",
        "show",
        "tag",
    )

    def __init__(
        self,
        opens: str = "",
        *,
        check: Check | None = None,
        joins: bool = False,
        recheck: Callable[[str], Any] | None = None,
        show: Callable[[Any], Any] | None = None,
        fields: Mapping[str, Shape] | None = None,
        rest: Shape | None = None,
        item: Shape | None = None,
        choose: Callable[[str], Shape] | None = None,
        tag: tuple[str, Mapping[Any, Shape]] | None = None,
        number: Callable[[str], Any] | None = None,
    ) -> None:
        self.opens = opens
        self.check = check
        self.joins = joins
        self.recheck = recheck
        self.show = show
        self.fields = fields
        self.rest = rest
        self.item = item
        self.choose = choose
        self.tag = tag
        self.number = number


PLAIN = Shape('{["')
