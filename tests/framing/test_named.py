"""The short cut for named events gives what the general way gives, or declines."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.framing.frames import Frame, FrameSplitter

PIECES = st.sampled_from(
    [
        b"event: a\n", b"event: b\n", b"data: x\n", b"data: \n", b"data: event: a\n", b"data:y\n", b"\n",
        b": c\n", b"id: 1\n", b"event: a\ndata: {}\n\n", b"\r\n", b"\xef\xbb\xbf", b"eve", b"\n\n",
    ]
)  # fmt: skip


def test_whole_events_are_cut_in_one_go() -> None:
    data = b"event: ping\ndata: {}\n\nevent: stop\ndata: event: no\n\n"
    assert FrameSplitter().named(data) == [(b"ping", b"{}"), (b"stop", b"event: no")]


@pytest.mark.parametrize(
    "data",
    [b"", b"data: x\n\n", b"event: a\n\n", b"event: a\ndata: x\ndata: y\n\n", b"event: a\ndata: x\n",
     b"event: a\r\ndata: x\n\n", b"event: a\nid: 1\n\n", b"event: a\ndata: x\n\ndata: y\n\n"],
)  # fmt: skip
def test_anything_else_is_declined(data: bytes) -> None:
    assert FrameSplitter().named(data) is None


def test_it_declines_while_a_frame_is_held_and_beyond_the_bound() -> None:
    held = FrameSplitter()
    held.feed(b"event: a\n")
    assert held.named(b"event: a\ndata: x\n\n") is None
    assert FrameSplitter(10).named(b"event: a\ndata: x\n\n") is None


@given(st.lists(PIECES, max_size=12))
def test_where_it_answers_it_says_what_the_general_way_says(pieces: list[bytes]) -> None:
    data = b"".join(pieces)
    short, general = FrameSplitter(), FrameSplitter()
    found = short.named(data)
    frames = [one for one in general.feed(data) if isinstance(one, Frame) and one.data is not None]
    if found is None:
        return
    assert found == [(one.event.encode(), one.data) for one in frames]
    assert general.held_bytes == 0
    more = b"\xef\xbb\xbfdata: z\n\n"  # a BOM counts at the very beginning only, on both ways
    assert short.feed(more) == general.feed(more)
