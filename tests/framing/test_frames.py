"""Whole frames with their bytes: any split, every framing the standard allows, comments at once, bounds."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.core.chunk import Failure
from headrace.framing.frames import Frame, FrameSplitter
from headrace.framing.sse import Event, SseDecoder
from headrace.testing import stages


class Splitter(FrameSplitter):
    """With a `close`, so that the kit for stages can drive it."""

    def close(self) -> list[Any]:
        return []


def frames(data: bytes) -> list[Frame | Failure]:
    return FrameSplitter().feed(data)


def events(data: bytes) -> list[tuple[str, str]]:
    """The frames that are events, read as the standard reads them."""
    return [
        (frame.event or "message", frame.data.decode("utf-8", "replace"))
        for frame in frames(data)
        if isinstance(frame, Frame) and frame.data is not None
    ]


STREAMS = {
    "lf": b"data: one\n\ndata: two\n\n",
    "crlf": b"data: one\r\n\r\ndata: two\r\n\r\n",
    "cr": b"data: one\r\rdata: two\r\r",
    "mixed": b"data: one\n\r\ndata: two\r\n\ndata: three\r\rdata: four\n\n",
    "named": b"event: error\nid: 4\ndata: one\n\n",
    "many data lines": b"data: one\ndata\ndata:two\n\n",
    "comment line": b": ping\ndata: one\n\n: OPENROUTER PROCESSING\n\n",
    "mark": b"\xef\xbb\xbfdata: one\n\n",
    "commented mark": b"\xef\xbb\xbf: hello\n\ndata: one\n\n",
    "no space": b"data:one\n\n",
    "no data": b"id: 3\n\nretry: 5\n\n",
    "unfinished": b"data: one\n\ndata: two\n",
    "utf-8": "data: é 漢 \U0001f600\n\n".encode(),
}


@pytest.mark.parametrize("data", STREAMS.values(), ids=STREAMS)
def test_any_split_gives_the_same_events_and_the_same_bytes(data: bytes) -> None:
    def meaning(out: list[Any]) -> Any:
        # A CR at a border may leave its LF to the next frame: bytes and events must agree, not the borders.
        raw = b"".join(frame.raw for frame in out)
        assert data.startswith(raw)
        return [(frame.data, frame.event) for frame in out if frame.data is not None]

    stages.every_split(Splitter, data, normal=meaning)


@pytest.mark.parametrize("data", STREAMS.values(), ids=STREAMS)
def test_events_are_those_of_the_standard_decoder(data: bytes) -> None:
    assert events(data) == [
        (one.event, one.data) for one in SseDecoder().feed(data) if isinstance(one, Event)
    ]


@given(
    st.lists(
        st.sampled_from([b"data: x", b"data", b"event: e", b":c", b"id: 1", b"\n", b"\r", b"\r\n", b" "])
    )
)
def test_arbitrary_lines_give_the_events_of_the_standard_decoder(pieces: list[bytes]) -> None:
    data = b"".join(pieces) + b"\n\n"
    assert events(data) == [
        (one.event, one.data) for one in SseDecoder().feed(data) if isinstance(one, Event)
    ]
    raw = b"".join(frame.raw for frame in frames(data) if isinstance(frame, Frame))
    assert data.startswith(raw)


def test_a_keep_alive_comment_does_not_wait_for_the_next_event() -> None:
    splitter = FrameSplitter()
    assert splitter.feed(b"data: one\n\n: ping\n") == [
        Frame(b"data: one\n\n", b"one"),
        Frame(b": ping\n", None),
    ]
    assert splitter.held_bytes == 0


def test_the_short_cut_takes_only_what_is_wholly_ordinary() -> None:
    splitter = FrameSplitter()
    assert splitter.bodies(b"data: one\n\ndata: two\n\n") == [b"one", b"two"]
    for odd in (
        b"data: one\n",
        b"data:one\n\n",
        b"data: one\r\n\r\n",
        b"event: x\ndata: y\n\n",
        b"data: a\nb: c\n\n",
    ):
        assert splitter.bodies(odd) is None
    splitter.feed(b"data: half")
    assert splitter.bodies(b"data: one\n\n") is None


@pytest.mark.parametrize("size", [99, 100, 101, 4000])
def test_an_event_over_the_bound_fails_at_the_same_place_for_any_split(size: int) -> None:
    data = b"data: ok\n\ndata: " + b"x" * (size - 8) + b"\n\ndata: after\n\n"
    out = stages.every_split(lambda: Splitter(100), data)
    assert out[0] == Frame(b"data: ok\n\n", b"ok")
    if size <= 100:
        assert len(out) == 3
    else:
        assert [type(one) for one in out[1:]] == [Failure]
        assert out[1].code == "event_too_long"


def test_a_long_event_one_byte_at_a_time_is_one_frame() -> None:
    splitter = FrameSplitter()
    event = b"data: " + b"x" * 200_000 + b"\n\n"
    out = [frame for byte in event for frame in splitter.feed(bytes([byte]))]
    assert [len(frame.raw) for frame in out if isinstance(frame, Frame)] == [len(event)]
