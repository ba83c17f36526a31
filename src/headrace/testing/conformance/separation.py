"""A stream of bytes as its events, and the events as a stream again: event streams, lines, JSON arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from headrace.core.chunk import Failure
from headrace.framing.frames import Frame, FrameSplitter
from headrace.framing.json_array import JsonArrayDecoder


@dataclass(frozen=True)
class Event:
    """One event as it stands in a stream. data: its JSON, or what else it says; empty for a bare mark."""

    raw: bytes
    data: bytes

    def saying(self, data: bytes) -> Event:
        """The same event with other data."""
        return Event(self.raw.replace(self.data, data, 1), data)


@dataclass(frozen=True)
class Separation:
    """What stands between a protocol's events.

    split: a whole stream -> its events; their `raw` joined is the stream. frame: data -> an event. placed:
    (events, place, event) -> the events with one more before `place`.
    """

    name: str
    split: Callable[[bytes], list[Event]]
    frame: Callable[[bytes], Event]
    placed: Callable[[Sequence[Event], int, Event], list[Event]]


def joined(events: Sequence[Event]) -> bytes:
    """The stream that these events are."""
    return b"".join(event.raw for event in events)


def _split_sse(stream: bytes) -> list[Event]:
    splitter = FrameSplitter()
    frames: Sequence[Frame | Failure] = splitter.feed(stream)
    if splitter.held_bytes:
        raise ValueError(f"the stream does not end with an event's end: {stream[-40:]!r}")
    return [Event(frame.raw, frame.data or b"") for frame in frames if isinstance(frame, Frame)]


def _split_lines(stream: bytes) -> list[Event]:
    ends = [at + 1 for at, byte in enumerate(stream) if byte == 10]
    lines = [stream[start:end] for start, end in pairwise([0, *ends])]
    return [Event(line, line.rstrip(b"\r\n")) for line in lines]


def _split_array(stream: bytes) -> list[Event]:
    events: list[Event] = []
    at = 0
    for value in JsonArrayDecoder().feed(stream):
        if isinstance(value, Failure):
            raise ValueError(value.message)
        end = stream.index(value, at) + len(value)
        events.append(Event(stream[at:end], value))
        at = end
    return [*events, Event(stream[at:], b"")]


def _placed(events: Sequence[Event], place: int, event: Event) -> list[Event]:
    return [*events[:place], event, *events[place:]]


def _placed_in_array(events: Sequence[Event], place: int, event: Event) -> list[Event]:
    if place:
        return _placed(events, place, event)
    first = replace(events[0], raw=events[0].raw.replace(b"[", b",", 1))
    return [Event(event.raw.replace(b",", b"[", 1), event.data), first, *events[1:]]


SSE = Separation("sse", _split_sse, lambda data: Event(b"data: " + data + b"\n\n", data), _placed)
NDJSON = Separation("ndjson", _split_lines, lambda data: Event(data + b"\n", data), _placed)
JSON_ARRAY = Separation("json_array", _split_array, lambda data: Event(b"," + data, data), _placed_in_array)
