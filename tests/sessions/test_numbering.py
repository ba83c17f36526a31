"""Events told apart and numbered, whatever their framing."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.framing.sse import SseDecoder
from headrace.sessions.numbering import number_events

# piece -> its events, without their numbers.
PIECES: dict[bytes, list[bytes]] = {
    b"data: a\n\n": [b"data: a\n\n"],
    b"event: x\ndata: a\n\n": [b"event: x\ndata: a\n\n"],
    b"data: a\n\ndata: b\n\n": [b"data: a\n\n", b"data: b\n\n"],
    b"data: a\r\n\r\n": [b"data: a\r\n\r\n"],
    b"data: a\r\n\r\ndata: b\r\n\r\n": [b"data: a\r\n\r\n", b"data: b\r\n\r\n"],
    b"data: a\r\rdata: b\r\r": [b"data: a\r\r", b"data: b\r\r"],
    b"data: a\r\n\ndata: b\n\n": [b"data: a\r\n\n", b"data: b\n\n"],
    b": a comment\n\ndata: a\n\n": [b"data: a\n\n"],
    b"data: a\n\n: a comment\n\n": [b"data: a\n\n"],
    b": only a comment\n\n": [],
    b"": [],
    b"\n\n": [],
    b"\xef\xbb\xbfdata: a\n\n": [b"data: a\n\n"],
    b"id: 77\ndata: a\n\n": [b":\ndata: a\n\n"],
    b"data: a\nid: 77\n\n": [b"data: a\n:\n\n"],
    b"data: a\nid\n\n": [b"data: a\n:\n\n"],
    b'data: {"id": 1}\nidle: x\n\n': [b'data: {"id": 1}\nidle: x\n\n'],
    b"data: a\rid: 77\r\n\r\n": [b"data: a\r:\r\n\r\n"],
    b"data: a\nid: 77\n\r\n\r\n": [b"data: a\n:\n\r\n"],
    b"data: a\r\rdata: b\r\n\r\n": [b"data: a\r\r", b"data: b\r\n\r\n"],
    b"data: a\n\ndata: b\r\n\r\n": [b"data: a\n\n", b"data: b\r\n\r\n"],
    b"retry: 10\ndata: a\n\n": [b"retry: 10\ndata: a\n\n"],
    b"data: a\ndata: b\n\n": [b"data: a\ndata: b\n\n"],
    b"data: a\n\n\ndata: b\n\n": [b"data: a\n\n", b"data: b\n\n"],
}


@pytest.mark.parametrize("piece", PIECES)
def test_each_event_gets_the_next_number(piece: bytes) -> None:
    events = PIECES[piece]
    assert number_events([piece], 4) == [b"id: %d\n%b" % (5 + at, event) for at, event in enumerate(events)]
    assert number_events([piece], 4, told=False) == events
    twice = number_events([piece, piece], 0)
    assert [int(found) for found in re.findall(rb"(?:\A|(?<=[\r\n]))id: (\d+)\n", b"".join(twice))] == [
        *range(1, 2 * len(events) + 1)
    ]


LINE = st.sampled_from(
    [b"data: a", b"data:", b"event: x", b": c", b"id: 9", b"retry: 3", b"", b"odd", b"data: \xc3\xa9"]
)
END = st.sampled_from([b"\n", b"\r\n", b"\r"])


@given(st.lists(st.tuples(LINE, END), max_size=12), st.sampled_from([b"\n\n", b"\r\n\r\n", b"\r\r"]))
def test_a_reader_sees_the_same_events_with_our_numbers(
    lines: list[tuple[bytes, bytes]], last: bytes
) -> None:
    piece = b"".join(line + end for line, end in lines) + last
    plain = [(event.event, event.data) for event in SseDecoder().feed(piece)]
    numbered = SseDecoder().feed(b"".join(number_events([piece], 0)))
    assert [(event.event, event.data) for event in numbered] == plain
    assert [event.id for event in numbered] == [str(at + 1) for at in range(len(plain))]
