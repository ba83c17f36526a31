"""A recording means the same however it is framed and cut; what its decoder reads passes untouched."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.wire.test_conformance import CASES as WIRE_CASES

from headrace.cli.reframe import FRAMINGS, Framing, Reframe
from headrace.core.fold import fold
from headrace.testing.conformance import Said, WireCase
from headrace.testing.stages import run

CASES: dict[str, tuple[Framing, bytes, bytes]] = {
    "sse passes": ("auto", b'data: {"a":1}\n\n', b'data: {"a":1}\n\n'),
    "an sse comment passes": ("auto", b": ping\n\ndata: 1\n\n", b": ping\n\ndata: 1\n\n"),
    "one line": ("auto", b'{"a":1}\n', b'data: {"a":1}\n\n'),
    "no last line end": ("auto", b'{"a":1}', b'data: {"a":1}\n\n'),
    "two lines": ("auto", b'{"a":1}\n{"b":2}\n', b'data: {"a":1}\n\ndata: {"b":2}\n\n'),
    "blank lines": ("auto", b'\n\r\n{"a":1}\n \n\n{"b":2}\n', b'data: {"a":1}\n\ndata: {"b":2}\n\n'),
    "crlf": ("auto", b'{"a":1}\r\n{"b":2}\r\n', b'data: {"a":1}\n\ndata: {"b":2}\n\n'),
    "an array": ("auto", b'[{"a":1},\n {"b":\r\n2}]\n', b'data: {"a":1}\n\ndata: {"b":  2}\n\n'),
    "an array that is cut": ("auto", b'[{"a":1}, {"b"', b'data: {"a":1}\n\n'),
    "told to be an array": ("array", b" [1]", b"data: 1\n\n"),
    "no array": (
        "array",
        b"[1 2]",
        b"data: 1\n\ndata: a comma or the array's end was expected where '2' came\n\n",
    ),
    "a document over lines": ("auto", b'{\n"a": 1}\n', b'{\n"a": 1}\n'),
    "a brace": ("auto", b"{", b"{"),
    "bom": ("auto", b'\xef\xbb\xbf{"a":1}\n', b'data: {"a":1}\n\n'),
    "only half a bom": ("auto", b"\xef\xbb", b"\xef\xbb"),
    "nothing": ("auto", b"", b""),
    "told to be lines": ("jsonl", b'  {"a":1}\n[DONE]\n', b'data: {"a":1}\n\ndata: [DONE]\n\n'),
    "told to be sse": ("sse", b'\xef\xbb\xbf{"a":1}\n', b'\xef\xbb\xbf{"a":1}\n'),
}


LINES: dict[str, tuple[Framing, bytes, bytes]] = {
    "lines pass": ("auto", b'{"a":1}\r\n\n[DONE]', b'{"a":1}\r\n\n[DONE]'),
    "told to be lines": ("jsonl", b'\n{"a":1}', b'\n{"a":1}'),
    "events": ("auto", b': ping\ndata: {"a":\ndata: 1}\n\nid: 1\n\ndata: 2', b'{"a": 1}\n'),
    "told to be events": ("sse", b"\xef\xbb\xbfdata:1\r\n\r\n", b"1\n"),
    "an array": ("auto", b"[1,{}]", b"1\n{}\n"),
}
BOTH: dict[str, tuple[Framing, bytes, bytes]] = {
    "an array passes": ("auto", b"[1,\n2]", b"[1,\n2]"),
    "told to be an array": ("array", b" [1]", b" [1]"),
    "lines": ("auto", b"{}\n", b"data: {}\n\n"),
}
BINARY: dict[str, tuple[Framing, bytes, bytes]] = {
    "binary messages pass": ("auto", b"\0\0\1{\n[\r ", b"\0\0\1{\n[\r "),
    "told to be binary messages": ("eventstream", b" \n\0[", b" \n\0["),
    "lines pass": ("auto", b'{"a":1}\n', b'{"a":1}\n'),
    "an array": ("auto", b"[1,{}]", b"1\n{}\n"),
}
TABLES = {
    ("sse",): CASES,
    ("jsonl",): LINES,
    ("sse", "array"): BOTH,
    ("jsonl", "eventstream"): BINARY,
    ("frames of its own",): {"all passes": ("auto", b"[1]", b"[1]")},
}


def reframed(framing: Framing, pieces: list[bytes], reads: tuple[str, ...] = ("sse",)) -> bytes:
    stage = Reframe(framing, reads)
    out = [part for piece in pieces for part in stage.feed([piece])]
    return b"".join([*out, *stage.close()])


@pytest.mark.parametrize(
    ("reads", "name"), [(reads, name) for reads, table in TABLES.items() for name in table]
)
def test_whole_and_byte_by_byte(reads: tuple[str, ...], name: str) -> None:
    framing, data, expected = TABLES[reads][name]
    assert reframed(framing, [data], reads) == expected
    assert reframed(framing, [data[i : i + 1] for i in range(len(data))], reads) == expected


@given(
    data=st.lists(
        st.sampled_from(
            [b"{", b"}", b"[", b"]", b",", b"\n", b"\r", b" ", b"\xef", b"\xbb", b"\xbf", b"data:"]
        )
    ).map(b"".join),
    cuts=st.lists(st.integers(0, 40)),
    framing=st.sampled_from(FRAMINGS),
    reads=st.sampled_from(list(TABLES)),
)
def test_the_cut_does_not_matter(
    data: bytes, cuts: list[int], framing: Framing, reads: tuple[str, ...]
) -> None:
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    pieces = [data[a:b] for a, b in pairwise(edges)]
    assert reframed(framing, pieces, reads) == reframed(framing, [data], reads)


# The framing of a binary message says what it is: it has no place in another. Its lines are a case, too.
REFRAMED = [case for case in WIRE_CASES if case.separated.name != "eventstream"]


@pytest.mark.parametrize("case", REFRAMED, ids=lambda case: case.name or case.wire.name)
@pytest.mark.parametrize("framed", ["sse", "jsonl", "array"])
def test_every_wire_is_read_in_every_framing(case: WireCase, framed: Framing) -> None:
    for sample in case.samples:
        events = [one.data for one in case.separated.split(sample.body) if one.data]
        body = {
            "sse": b"".join(b"data: " + one.replace(b"\n", b"\ndata: ") + b"\n\n" for one in events),
            "jsonl": b"".join(one.translate(None, b"\r\n") + b"\n" for one in events),
            "array": b"[\n" + b"\n,\r\n".join(one for one in events if one != b"[DONE]") + b"]\n",
        }[framed]
        for told in ("auto", framed):
            data = reframed(told, [body[at : at + 7] for at in range(0, len(body), 7)], case.wire.framings)
            assert Said.by(fold(run(case.wire.decoder(), [[data]]))) == sample.said
