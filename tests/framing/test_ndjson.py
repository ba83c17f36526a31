"""NDJSON lines in any split."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.core.chunk import Failure
from headrace.framing.ndjson import NdjsonDecoder, encode_line
from headrace.testing import stages, work

TABLE: dict[str, tuple[bytes, list[bytes]]] = {
    "lf": (b'{"a":1}\n{"b":2}\n', [b'{"a":1}', b'{"b":2}']),
    "crlf": (b'{"a":1}\r\n{"b":2}\r\n', [b'{"a":1}', b'{"b":2}']),
    "no last line end": (b'{"a":1}\n{"b":2}', [b'{"a":1}', b'{"b":2}']),
    "cr at the very end": (b'{"a":1}\r', [b'{"a":1}']),
    "blank lines": (b"\n\r\n \t\n1\n\n", [b"1"]),
    "a lone cr ends nothing": (b'{"a":\r1}\n', [b'{"a":\r1}']),
    "not quite a line end": ('"\u2028\u0085"\n'.encode(), ['"\u2028\u0085"'.encode()]),
    "nothing": (b"", []),
}


@pytest.mark.parametrize(("stream", "lines"), TABLE.values(), ids=TABLE.keys())
def test_lines(stream: bytes, lines: list[bytes]) -> None:
    assert stages.check(NdjsonDecoder, stream) == lines


@given(st.lists(st.binary(max_size=20), max_size=20))
def test_soup_is_cut_at_line_ends_only(pieces: list[bytes]) -> None:
    soup = b"\n".join(pieces)
    expected = [line.removesuffix(b"\r") for line in soup.split(b"\n")]
    assert stages.every_split(NdjsonDecoder, soup, examples=0) == [
        line for line in expected if line.strip(b" \t\r")
    ]


@pytest.mark.parametrize("stream", [b"1\n123456789", b"1\n123456789\n2\n", b"1\n12345678\r\n"])
def test_over_the_limit_is_one_failure(stream: bytes) -> None:
    def limited() -> NdjsonDecoder:
        return NdjsonDecoder(max_line_bytes=8)

    out = stages.every_split(limited, stream)
    assert out[0] == b"1"
    assert len(out) == 2
    failure = stages.inert_after_failure(limited, stream)
    assert (
        out[1]
        == failure
        == Failure("wire", "a line is longer than 8 bytes", "line_too_long", http_status=502)
    )


def test_at_the_limit_is_good() -> None:
    assert stages.every_split(lambda: NdjsonDecoder(max_line_bytes=8), b"12345678\n") == [b"12345678"]
    with pytest.raises(ValueError, match="at least 1"):
        NdjsonDecoder(max_line_bytes=0)


@pytest.mark.parametrize("unit", [b'{"a":1}\n', b"x" * 16, b"\n"])
def test_linear(unit: bytes) -> None:
    work.linear(NdjsonDecoder, unit)


def test_bounded() -> None:
    assert work.bounded(lambda: NdjsonDecoder(10_000), b"x" * 100, limit_bytes=25_000) > 9_000


@given(
    st.lists(st.text(min_size=1).filter(lambda text: text.strip(" \t\r\n") and not set(text) & set("\r\n")))
)
def test_encoded_lines_decode_to_themselves(lines: list[str]) -> None:
    stream = b"".join(encode_line(line) for line in lines)
    assert NdjsonDecoder().feed(stream) == [line.encode() for line in lines]


def test_a_value_with_a_line_end_is_refused() -> None:
    with pytest.raises(ValueError, match="one value a line"):
        encode_line(b'{\n"a": 1}')
