"""URLs and request heads: what goes out can hold nothing that was not meant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.errors import RequestError
from headrace.transport.http import HttpRequest
from headrace.transport.request_head import request_bytes
from headrace.transport.url import Origin, Url, is_loopback, parse_url

GOOD = {
    "http://a.example": Url(False, "a.example", 80, "a.example", "/"),
    "https://a.example/": Url(True, "a.example", 443, "a.example", "/"),
    "https://A.Example:443/x?y=1#z": Url(True, "a.example", 443, "a.example", "/x?y=1"),
    "http://a.example:8080/v1": Url(False, "a.example", 8080, "a.example:8080", "/v1"),
    "http://a.example?q": Url(False, "a.example", 80, "a.example", "/?q"),
    "http://[::1]:5/x": Url(False, "::1", 5, "[::1]:5", "/x"),
}


@pytest.mark.parametrize("url", GOOD)
def test_good(url: str) -> None:
    assert parse_url(url) == GOOD[url]


BAD = [
    "",
    "a.example/x",
    "//a.example",
    "ftp://a.example",
    "http://",
    "http:///x",
    "http://a.example:99999/",
    "http://a.example:x/",
    "http://a.example/geheim x",
    "http://a.example/geheim\r\nx: y",
    "http://a.example/\x00geheim",
    "http://a.example/gehéim",
    "http://user:geheim@a.example/",
    "http://user@a.example/?geheim",
    "http://a..example/",
    "http://" + "a" * 64 + ".example/",
    "http://[::1/",
]


@pytest.mark.parametrize("url", BAD)
def test_bad_is_typed_and_not_quoted(url: str) -> None:
    with pytest.raises(RequestError) as caught:
        parse_url(url)
    assert caught.value.field == "url"
    assert "geheim" not in repr(caught.value)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("localhost", True),
        ("x.localhost", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("10.0.0.1", False),
        ("a", False),
    ],
)
def test_loopback(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


def test_an_origin_shows_host_and_port() -> None:
    assert str(Origin(True, "a.example", 443)) == "a.example:443"
    assert str(Origin(False, "::1", 80)) == "[::1]:80"


def written(**request: object) -> bytes:
    made = HttpRequest(**{"method": "POST", "url": "http://a.example/x", **request})  # type: ignore[arg-type]
    return request_bytes(made, parse_url(made.url))


def test_a_request_as_bytes() -> None:
    assert written(headers={"A": "b"}, body=b"{}") == (
        b"POST /x HTTP/1.1\r\nhost: a.example\r\nA: b\r\n"
        b"accept-encoding: identity\r\ncontent-length: 2\r\n\r\n{}"
    )
    assert b"content-length: 0" in written()
    assert b"content-length" not in written(method="GET")
    assert written(headers={"Accept-Encoding": "gzip"}).count(b"ncoding") == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x", "geheim\r\nx: y"),
        ("x", "geheim\n"),
        ("x", "geheim\0"),
        ("x", "geheim☃"),
        ("x y", "geheim"),
        ("", "geheim"),
        ("x:", "geheim"),
        ("Host", "geheim"),
        ("content-length", "5"),
        ("Transfer-Encoding", "chunked"),
        ("connection", "close"),
    ],
)
def test_headers_that_cannot_be_are_named_and_not_quoted(name: str, value: str) -> None:
    with pytest.raises(RequestError) as caught:
        written(headers={name: value})
    assert caught.value.field == f"headers.{name}"
    assert "geheim" not in repr(caught.value)


def test_a_method_is_a_token() -> None:
    with pytest.raises(RequestError):
        written(method="GET /x HTTP/1.1\r\n")


@given(st.dictionaries(st.text(max_size=10), st.text(max_size=20), max_size=4))
def test_no_headers_whatever_add_a_line(headers: dict[str, str]) -> None:
    try:
        raw = written(headers=headers)
    except RequestError:
        return
    ours = 3 + ("accept-encoding" not in map(str.lower, headers))  # request line, host, length
    assert raw.count(b"\r\n") == ours + len(headers) + 1
    assert raw.count(b"\n") == raw.count(b"\r") == raw.count(b"\r\n")


def test_a_request_shows_neither_headers_nor_body_nor_query() -> None:
    request = HttpRequest("POST", "http://a.example/x?key=geheim", {"authorization": "geheim"}, b"geheim")
    assert repr(request) == "HttpRequest(POST http://a.example/x, 6 body bytes)"
