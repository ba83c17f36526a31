"""A container of growing JSON that is not closed yet, and what it costs to show it."""

from __future__ import annotations

from typing import Any, TypeAlias

from headrace.core.shape import HIDDEN, PLAIN, Shape

Value: TypeAlias = Any
_MARKS: dict[type, str] = {dict: "{", list: "["}
# What copying costs, in slots of a list: a snapshot's price is told in these.
CHARS_A_SLOT, _ENTRY_SLOTS, _LIST_SLOTS, _SHOWN_SLOTS = 32, 4, 100, 400


class OpenNode:
    """A container that is not closed yet.

    raw: what it is checked with. seen: what is shown of it, the same object until the two differ.
    key: that waits for its value. begins: where its text begins, as (piece that was fed, character in it).
    """

    __slots__ = ("_may_show", "begins", "key", "raw", "seen", "shape", "visible")

    def __init__(self, mark: str, shape: Shape, may_show: bool, begins: tuple[int, int]) -> None:
        self.raw: Any = {} if mark == "{" else []
        self.seen: Any = self.raw
        self.shape = shape
        self.visible = may_show and mark in shape.opens
        self._may_show = may_show  # what is around it is shown
        self.key = ""
        self.begins = begins

    def child(self) -> Shape:
        """The shape of the value that comes next."""
        shape = self.shape
        if shape is PLAIN or _MARKS[type(self.raw)] not in shape.opens:
            return PLAIN
        if type(self.raw) is list:
            return shape.item or PLAIN
        if shape.fields is not None and self.key in shape.fields:
            return shape.fields[self.key]
        return shape.rest or PLAIN

    def put(self, value: Value, seen: Value) -> None:
        """A value inside is whole."""
        if self.seen is self.raw and seen is not value:
            self.seen = self.raw.copy()
        if type(self.raw) is list:
            self.raw.append(value)
            if self.seen is not self.raw and seen is not HIDDEN:
                self.seen.append(seen)
            return
        self.raw[self.key] = value
        if self.seen is not self.raw and seen is not HIDDEN:
            self.seen[self.key] = seen
        tag = self.shape.tag
        if tag is not None and self.key == tag[0] and isinstance(value, (str, int)):
            self.shape = tag[1].get(value, self.shape)
            self.visible = self._may_show and "{" in self.shape.opens

    def shown(self, inner: Value) -> tuple[Value, int]:
        """A copy with the open value inside it, and what the copy cost."""
        if not self.visible:
            return HIDDEN, 0
        grown: Value = self.seen.copy()
        if type(grown) is list:
            cost = _LIST_SLOTS + len(grown)
            if inner is not HIDDEN:
                grown.append(inner)
        else:
            cost = _LIST_SLOTS + _ENTRY_SLOTS * len(grown)
            if inner is not HIDDEN:
                grown[self.key] = inner
        if self.shape.show is None:
            return grown, cost
        return self.shape.show(grown), cost + _SHOWN_SLOTS
