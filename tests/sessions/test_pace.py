"""A stream's own pace: its source is held while it is ahead, and nothing is kept, lost or reordered."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from headrace.core.chunk import Finish, Terminal, TextDelta
from headrace.sessions.pace import PacedSource
from headrace.transport.wheel import TICK_S, Wheel


class Hand:
    """A source that a test pushes by hand."""

    def __init__(self) -> None:
        self.sink: Any = None
        self.asked: list[str] = []

    def start(self, sink: Any, /) -> None:
        self.sink = sink

    def pause(self) -> None:
        self.asked.append("pause")

    def resume(self) -> None:
        self.asked.append("resume")

    def cancel(self) -> None:
        self.asked.append("cancel")


class Taken:
    def __init__(self) -> None:
        self.items: list[Any] = []
        self.terminal: Terminal | None = None

    def push(self, batch: Sequence[Any], /) -> None:
        self.items += batch

    def end(self, terminal: Terminal, /) -> None:
        self.terminal = terminal


class Loop:
    """As much of a loop as a wheel needs; time goes by hand."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.due: list[tuple[float, Any]] = []

    def time(self) -> float:
        return self.now_s

    def call_at(self, when_s: float, callback: Any, *args: Any) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(when_s, callback, args, self)  # type: ignore[arg-type]
        self.due.append((when_s, handle))
        return handle

    def _timer_handle_cancelled(self, _handle: Any) -> None:
        """asyncio's own name for it."""

    def get_debug(self) -> bool:
        return False

    def go_to(self, now_s: float) -> None:
        self.now_s = now_s
        while ready := [each for each in self.due if each[0] <= now_s]:
            for each in ready:
                self.due.remove(each)
                if not each[1].cancelled():
                    each[1]._run()


def begun(events_per_s: float) -> tuple[Loop, Hand, Taken, PacedSource]:
    loop, hand, taken = Loop(), Hand(), Taken()
    paced = PacedSource(hand, events_per_s, Wheel(loop))  # type: ignore[arg-type]
    paced.start(taken)
    return loop, hand, taken, paced


def test_a_source_is_held_as_long_as_its_events_take() -> None:
    loop, hand, taken, _ = begun(10)
    hand.sink.push([TextDelta(0, "a")] * 5)
    assert (len(taken.items), hand.asked) == (5, ["pause"])
    loop.go_to(0.5 - TICK_S)
    assert hand.asked == ["pause"]
    loop.go_to(0.5 + TICK_S)
    assert hand.asked == ["pause", "resume"]


def test_what_comes_before_it_is_held_counts_too() -> None:
    loop, hand, taken, _ = begun(10)
    hand.sink.push([b"data: a\n\ndata: b\n\n"])
    hand.sink.push([b"data: c\n\n", b"data"])
    loop.go_to(0.2 + TICK_S)
    assert hand.asked == ["pause"]
    loop.go_to(0.4 + TICK_S)
    assert hand.asked == ["pause", "resume"]
    assert taken.items == [b"data: a\n\ndata: b\n\n", b"data: c\n\n", b"data"]


def test_a_slow_reader_and_a_pace_do_not_undo_each_other() -> None:
    loop, hand, _, paced = begun(10)
    hand.sink.push([TextDelta(0, "a")])
    paced.pause()
    loop.go_to(1)
    assert hand.asked == ["pause"]  # the reader is still behind
    paced.resume()
    assert hand.asked == ["pause", "resume"]
    paced.pause()
    hand.sink.push([TextDelta(0, "a")])
    paced.resume()
    assert hand.asked == ["pause", "resume", "pause"]  # the pace is still behind
    loop.go_to(2)
    assert hand.asked == ["pause", "resume", "pause", "resume"]


def test_an_end_or_a_cancel_leaves_no_deadline() -> None:
    for ends in (True, False):
        loop, hand, taken, paced = begun(10)
        hand.sink.push([TextDelta(0, "a")])
        if ends:
            hand.sink.end(Finish("stop"))
            assert taken.terminal == Finish("stop")
        else:
            paced.cancel()
        loop.go_to(5)
        assert "resume" not in hand.asked
