"""Who is next: by priority with ageing, and by turns between owners; pure, without clock or tasks.

A lane holds what waits for one model with one priority; in it every owner has a line of his own, and the
owners take turns. Of all lanes that may go, the most urgent goes; a lane that others went before so many
turns counts as one priority more urgent, so that none waits for ever.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(slots=True)
class _Lane(Generic[T]):
    """passed: turns that other lanes had while this one could have gone."""

    model: str
    priority: int
    lines: OrderedDict[str, OrderedDict[T, None]] = field(default_factory=OrderedDict)
    passed: int = 0


class FairQueue(Generic[T]):
    """Items (hashable) that wait. ageing_turns: after so many turns a lane is one priority more urgent."""

    def __init__(self, ageing_turns: int) -> None:
        self._ageing_turns = ageing_turns
        self._lanes: dict[tuple[str, int], _Lane[T]] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, item: T, *, model: str, priority: int, owner: str) -> None:
        """Wait behind what waits for the same model with the same priority and owner."""
        lane = self._lanes.get((model, priority))
        if lane is None:
            lane = self._lanes[model, priority] = _Lane(model, priority)
        line = lane.lines.get(owner)
        if line is None:
            line = lane.lines[owner] = OrderedDict()
        line[item] = None
        self._count += 1

    def remove(self, item: T, *, model: str, priority: int, owner: str) -> None:
        """Wait no longer. Does nothing where it does not wait."""
        lane = self._lanes.get((model, priority))
        line = lane.lines.get(owner) if lane is not None else None
        if lane is None or line is None or item not in line:
            return
        del line[item]
        self._count -= 1
        self._tidy(lane, owner, line)

    def take(self, may_go: Callable[[str], bool]) -> T | None:
        """The next item whose model may go; None where there is none. O(lanes)."""
        open_lanes = [lane for lane in self._lanes.values() if may_go(lane.model)]
        if not open_lanes:
            return None
        chosen = min(open_lanes, key=self._rank)
        for lane in open_lanes:
            lane.passed += 1
        chosen.passed = 0
        owner, line = chosen.lines.popitem(last=False)
        item, _ = line.popitem(last=False)
        chosen.lines[owner] = line  # at the end: the others' turn is next
        self._count -= 1
        self._tidy(chosen, owner, line)
        return item

    def _rank(self, lane: _Lane[T]) -> tuple[int, int]:
        return lane.priority - lane.passed // self._ageing_turns, -lane.passed

    def _tidy(self, lane: _Lane[T], owner: str, line: OrderedDict[T, None]) -> None:
        if not line:
            del lane.lines[owner]
        if not lane.lines:
            del self._lanes[lane.model, lane.priority]
