"""JSON lines become the same events whatever the cut; SSE passes untouched."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.cli.reframe import Framing, Reframe

CASES: dict[str, tuple[Framing, bytes, bytes]] = {
    "sse passes": ("auto", b'data: {"a":1}\n\n', b'data: {"a":1}\n\n'),
    "an sse comment passes": ("auto", b": ping\n\ndata: 1\n\n", b": ping\n\ndata: 1\n\n"),
    "one line": ("auto", b'{"a":1}\n', b'data: {"a":1}\n\n'),
    "no last line end": ("auto", b'{"a":1}', b'data: {"a":1}\n\n'),
    "two lines": ("auto", b'{"a":1}\n{"b":2}\n', b'data: {"a":1}\n\ndata: {"b":2}\n\n'),
    "blank lines": ("auto", b'\n\r\n{"a":1}\n \n\n{"b":2}\n', b'data: {"a":1}\n\ndata: {"b":2}\n\n'),
    "crlf": ("auto", b'{"a":1}\r\n{"b":2}\r\n', b'data: {"a":1} \n\ndata: {"b":2} \n\n'),
    "bom": ("auto", b'\xef\xbb\xbf{"a":1}\n', b'data: {"a":1}\n\n'),
    "only half a bom": ("auto", b"\xef\xbb", b"\xef\xbb"),
    "nothing": ("auto", b"", b""),
    "told to be lines": ("jsonl", b'  {"a":1}\n[DONE]\n', b'data: {"a":1}\n\ndata: [DONE]\n\n'),
    "told to be sse": ("sse", b'\xef\xbb\xbf{"a":1}\n', b'\xef\xbb\xbf{"a":1}\n'),
}


def reframed(framing: Framing, pieces: list[bytes]) -> bytes:
    stage = Reframe(framing)
    out = [part for piece in pieces for part in stage.feed([piece])]
    return b"".join([*out, *stage.close()])


@pytest.mark.parametrize("name", CASES)
def test_whole_and_byte_by_byte(name: str) -> None:
    framing, data, expected = CASES[name]
    assert reframed(framing, [data]) == expected
    assert reframed(framing, [data[i : i + 1] for i in range(len(data))]) == expected


@given(
    data=st.lists(st.sampled_from([b"{", b"}", b"\n", b"\r", b" ", b"\xef", b"\xbb", b"\xbf", b"a"])).map(
        b"".join
    ),
    cuts=st.lists(st.integers(0, 40)),
    framing=st.sampled_from(["auto", "sse", "jsonl"]),
)
def test_the_cut_does_not_matter(data: bytes, cuts: list[int], framing: Framing) -> None:
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    pieces = [data[a:b] for a, b in pairwise(edges)]
    assert reframed(framing, pieces) == reframed(framing, [data])
