"""Requests out of bytes: the same for every way the bytes are cut."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.garbage import garbage_of_ours

from headrace.core.chunk import Failure
from headrace.server.limits import Limits
from headrace.server.reading import HttpRequest, RequestReader

LIMITS = Limits(max_body_bytes=200, max_head_bytes=400)


def chunked(body: bytes, sizes: Sequence[int]) -> bytes:
    out = b""
    for size in sizes:
        if body:
            out += b"%x;ext=1\r\n%b\r\n" % (len(body[:size]), body[:size])
            body = body[size:]
    if body:
        out += b"%x\r\n%b\r\n" % (len(body), body)
    return out + b"0\r\nTrailer: t\r\n\r\n"


@st.composite
def requests(draw: st.DrawFn) -> tuple[bytes, tuple[str, str, str, bytes, bool]]:
    """The bytes of a good request, and what must be read from them."""
    method = draw(st.sampled_from(["GET", "POST", "DELETE", "OPTIONS"]))
    path = draw(st.sampled_from(["/", "/v1/models/a%2Fb", "/x"]))
    query = draw(st.sampled_from(["", "a=1&b=%20"]))
    body = draw(st.binary(max_size=60))
    http10 = draw(st.booleans())
    closes = draw(st.booleans())
    upgrade = b"Connection: Upgrade\r\nUpgrade: h2c\r\n" if draw(st.booleans()) else b""
    head = (
        f"{method} {path}{'?' + query if query else ''} HTTP/1.{0 if http10 else 1}\r\nhOST: h\r\n".encode()
    )
    if closes and not upgrade:
        head += b"Connection: close\r\n"
    if draw(st.booleans()) and not upgrade and not http10:
        sizes = draw(st.lists(st.integers(1, 20), max_size=3))
        raw = head + b"Transfer-Encoding: chunked\r\n\r\n" + chunked(body, sizes)
    else:
        raw = head + upgrade + b"Content-Length: %d\r\n\r\n" % len(body) + body
    keep_alive = not http10 and not (closes and not upgrade)
    return raw, (method, path.replace("%2F", "/"), query, body, keep_alive)


def cut(data: bytes, places: Sequence[int]) -> list[bytes]:
    ends = sorted({place % (len(data) + 1) for place in places} | {0, len(data)})
    return [data[a:b] for a, b in itertools.pairwise(ends)]


def read(pieces: Sequence[bytes]) -> tuple[list[HttpRequest | Failure], RequestReader]:
    reader = RequestReader(LIMITS)
    return [item for piece in pieces for item in reader.feed(piece)], reader


@given(st.lists(requests(), min_size=1, max_size=4), st.lists(st.integers(0, 10_000), max_size=12))
def test_good_requests_in_any_cut(given_: list[tuple[bytes, tuple]], places: list[int]) -> None:
    # After a request that ends the connection nothing may follow; the server does not read on.
    last = next((n for n, (_, wanted) in enumerate(given_) if not wanted[4]), len(given_) - 1)
    given_ = given_[: last + 1]
    got, reader = read(cut(b"".join(raw for raw, _ in given_), places))
    assert [(r.method, r.path, r.query, r.body, r.keep_alive) for r in got if isinstance(r, HttpRequest)] == [
        wanted for _, wanted in given_
    ]
    assert len(got) == len(given_)
    assert all(isinstance(r, HttpRequest) and r.headers["host"] == "h" for r in got)
    assert not reader.in_message
    assert not reader.unfinished_bytes


@given(st.binary(max_size=300), st.lists(st.integers(0, 10_000), max_size=12))
def test_garbage_in_any_cut(data: bytes, places: list[int]) -> None:
    whole, _ = read([data])
    pieces, reader = read(cut(data, places))
    assert pieces == whole
    if whole and isinstance(whole[-1], Failure):
        assert reader.feed(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n") == []
        assert whole[-1].http_status in (400, 405, 408, 413, 414, 431, 505)


@given(requests(), st.data())
def test_a_damaged_request_never_raises(good: tuple[bytes, tuple], data: st.DataObject) -> None:
    raw = bytearray(good[0])
    for _ in range(data.draw(st.integers(1, 3))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    whole, _ = read([bytes(raw)])
    pieces, _ = read([bytes(raw[n : n + 1]) for n in range(len(raw))])
    assert pieces == whole


@pytest.mark.parametrize("step_bytes", [1, 1000])
def test_a_body_of_tiny_chunks_is_held_once(step_bytes: int) -> None:
    reader = RequestReader(Limits())
    data = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + b"2\r\nab\r\n" * 5_000
    for at in range(0, len(data), step_bytes):
        assert reader.feed(data[at : at + step_bytes]) == []
    assert reader.in_body
    assert reader.unfinished_bytes == 10_000
    (request,) = reader.feed(b"0\r\n\r\n")
    assert isinstance(request, HttpRequest)
    assert request.body == b"ab" * 5_000


def test_a_closed_reader_is_freed_without_the_collector() -> None:
    with garbage_of_ours() as found:
        reader = RequestReader(LIMITS)
        assert len(reader.feed(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")) == 1
        reader.close()
        del reader
    assert found == []
