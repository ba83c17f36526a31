"""A stream's own rate limit: its source is held while it is ahead of its pace."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from headrace.core.chunk import Terminal
from headrace.core.model import Sink, Source
from headrace.transport.wheel import Deadline, Wheel


class PacedSource:
    """Another source, at most so many events a second over time. Only streams with a limit have one.

    What has come is passed on at once, and the source is held until the pace has caught up: nothing is kept
    here. An event is a chunk, or in a relayed stream an event of the provider's.
    """

    def __init__(self, source: Source[Any], events_per_s: float, wheel: Wheel) -> None:
        self._source = source
        self._event_s = 1 / events_per_s
        self._wheel = wheel
        self._sink: Sink[Any] | None = None
        self._free_s = 0.0  # when the pace has caught up
        self._ahead: Deadline | None = None
        self._held = False

    def start(self, sink: Sink[Any], /) -> None:
        self._sink = sink
        self._free_s = self._wheel.now_s()
        self._source.start(self)

    def pause(self) -> None:
        self._held = True
        if self._ahead is None:
            self._source.pause()

    def resume(self) -> None:
        self._held = False
        if self._ahead is None:
            self._source.resume()

    def cancel(self) -> None:
        self._drop()
        self._source.cancel()

    # What the source calls.

    def push(self, batch: Sequence[Any], /) -> None:
        now_s = self._wheel.now_s()
        self._free_s = max(self._free_s, now_s) + _events_in(batch) * self._event_s
        if self._ahead is None:
            self._ahead = self._wheel.at(self._free_s, self._caught_up)
            if not self._held:
                self._source.pause()
        assert self._sink is not None
        self._sink.push(batch)

    def end(self, terminal: Terminal, /) -> None:
        self._drop()
        assert self._sink is not None
        self._sink.end(terminal)

    def _caught_up(self) -> None:
        self._ahead = None
        if self._free_s > self._wheel.now_s():  # more came before the source was held
            self._ahead = self._wheel.at(self._free_s, self._caught_up)
        elif not self._held:
            self._source.resume()

    def _drop(self) -> None:
        if self._ahead is not None:
            self._ahead.cancel()
            self._ahead = None


def _events_in(batch: Sequence[Any]) -> int:
    """Chunks, or the events of raw frames: each ends with an empty line."""
    return sum(max(one.count(b"\n\n"), 1) if isinstance(one, bytes) else 1 for one in batch)
