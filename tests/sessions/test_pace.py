"""A stream's own pace: its source is held while it is ahead, and nothing is kept, lost or reordered."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from headrace.core.chunk import Finish, Terminal, TextDelta
from headrace.sessions.pace import PacedSource
from headrace.testing.clock import run_virtual
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


def begun(events_per_s: float) -> tuple[Hand, Taken, PacedSource]:
    hand, taken = Hand(), Taken()
    paced = PacedSource(hand, events_per_s, Wheel(asyncio.get_running_loop()))
    paced.start(taken)
    return hand, taken, paced


async def until(when_s: float) -> None:
    loop = asyncio.get_running_loop()
    await asyncio.sleep(when_s - loop.time())


def test_a_source_is_held_as_long_as_its_events_take() -> None:
    async def main() -> None:
        hand, taken, _ = begun(10)
        hand.sink.push([TextDelta(0, "a")] * 5)
        assert (len(taken.items), hand.asked) == (5, ["pause"])
        await until(0.5 - TICK_S)
        assert hand.asked == ["pause"]
        await until(0.5 + TICK_S)
        assert hand.asked == ["pause", "resume"]

    run_virtual(main())


def test_what_comes_before_it_is_held_counts_too() -> None:
    async def main() -> None:
        hand, taken, _ = begun(10)
        hand.sink.push([b"data: a\n\ndata: b\n\n"])
        hand.sink.push([b"data: c\n\n", b"data"])
        await until(0.2 + TICK_S)
        assert hand.asked == ["pause"]
        await until(0.4 + TICK_S)
        assert hand.asked == ["pause", "resume"]
        assert taken.items == [b"data: a\n\ndata: b\n\n", b"data: c\n\n", b"data"]

    run_virtual(main())


def test_a_slow_reader_and_a_pace_do_not_undo_each_other() -> None:
    async def main() -> None:
        hand, _, paced = begun(10)
        hand.sink.push([TextDelta(0, "a")])
        paced.pause()
        await until(1)
        assert hand.asked == ["pause"]  # the reader is still behind
        paced.resume()
        assert hand.asked == ["pause", "resume"]
        hand.sink.push([TextDelta(0, "a")])
        paced.pause()
        paced.resume()
        assert hand.asked == ["pause", "resume", "pause"]  # the pace is still behind
        await until(2)
        assert hand.asked == ["pause", "resume", "pause", "resume"]

    run_virtual(main())


@pytest.mark.parametrize("ends", [True, False])
def test_an_end_or_a_cancel_leaves_no_deadline(ends: bool) -> None:
    async def main() -> None:
        hand, taken, paced = begun(10)
        hand.sink.push([TextDelta(0, "a")])
        if ends:
            hand.sink.end(Finish("stop"))
            assert taken.terminal == Finish("stop")
        else:
            paced.cancel()
        await until(5)
        assert "resume" not in hand.asked

    run_virtual(main())
