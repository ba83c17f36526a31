"""Bytes -> HTTP/1 requests, sans-io, over httptools (llhttp).

One `RequestReader` serves one connection until it has nothing unfinished; then the connection drops it, so
that a stream that waits holds no parser. What cannot be read comes out as a `Failure`, in its turn, and the
reader is inert after it.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import unquote

import httptools
import msgspec

from headrace.core.chunk import Failure
from headrace.server.limits import Limits
from headrace.server.problem import problem


class HttpRequest(msgspec.Struct, frozen=True):
    """A complete request. keep_alive: whether the connection may serve another."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    http10: bool
    keep_alive: bool


class _Refused(Exception):
    """Unwinds a parser callback."""


BAD_SYNTAX = problem(400, "this is not an HTTP/1.1 request", "bad_http")
BAD_HOST = problem(400, "an HTTP/1.1 request needs exactly one host header", "bad_host")
BAD_VERSION = problem(505, "only HTTP/1.0 and HTTP/1.1 are served here", "http_version")
BAD_UPGRADE = problem(400, "a request that asks for an upgrade cannot have a chunked body", "bad_upgrade")
BAD_CODING = problem(501, "of transfer codings only chunked is read here, and that in HTTP/1.1", "bad_coding")
NO_TUNNEL = problem(405, "CONNECT is not served here", "method_not_allowed")


class RequestReader:
    """Feed it what the socket gave; it gives the requests that are complete."""

    __slots__ = (
        "_body",
        "_head_bytes",
        "_headers",
        "_in_body",
        "_limits",
        "_loose_bytes",
        "_out",
        "_parser",
        "_raw_left",
        "_refusal",
        "_request_line",
        "_url",
        "in_message",
        "wants_continue",
    )

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._parser = httptools.HttpRequestParser(self)
        self._out: list[HttpRequest | Failure] = []
        self._refusal: Failure | None = None
        self._raw_left = 0  # body bytes that follow an upgrade request, which llhttp does not read
        self._loose_bytes = 0  # fed since the last body byte or message end
        self._reset()

    @property
    def in_body(self) -> bool:
        """Whether a request's head is complete and its body is not."""
        return self.in_message and self._in_body

    @property
    def unfinished_bytes(self) -> int:
        """Body bytes held for a request that is not complete."""
        return len(self._body)

    def feed(self, data: bytes) -> list[HttpRequest | Failure]:
        """The requests that `data` completes, in order; a refusal is the last thing ever given."""
        out: list[HttpRequest | Failure] = []
        if self._refusal is not None:
            return out
        self._out = out
        while data and self._refusal is None:
            data = self._feed_raw(data) if self._raw_left else self._feed_parser(data)
        if self._refusal is None and self._loose_bytes > self._limits.max_head_bytes:
            self._refusal = self._too_long()
        if self._refusal is not None:
            out.append(self._refusal)
        return out

    def close(self) -> None:
        """Break the cycle with the parser, so that both are freed at once; feed it no more."""
        del self._parser

    def _feed_parser(self, data: bytes) -> bytes:
        """Gives what the parser left over (only an upgrade makes it stop early)."""
        self._loose_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            # We serve the request as it stands (RFC 9110 7.8 lets a server ignore the offer) and go on.
            rest = data[upgrade.args[0] :]
            self._loose_bytes = 0
            self._parser = httptools.HttpRequestParser(self)
            return rest
        except httptools.HttpParserError:
            self._refusal = self._refusal or BAD_SYNTAX
        return b""

    def _feed_raw(self, data: bytes) -> bytes:
        taken = data[: self._raw_left]
        self._raw_left -= len(taken)
        self.on_body(taken)
        if not self._raw_left:
            self._complete()
        return data[len(taken) :]

    def _reset(self) -> None:
        self._url = b""
        self._headers: dict[str, str] = {}
        self._head_bytes = 0
        self._body: bytes | bytearray = b""  # one piece as it came; more than one in a bytearray
        self._in_body = False
        self._request_line = ("", "", "", False, False)
        self.in_message = False
        self.wants_continue = False

    # Called by the parser.

    def on_message_begin(self) -> None:
        self._reset()
        self.in_message = True

    def on_url(self, url: bytes) -> None:
        self._url += url
        self._count(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(len(name) + len(value) + 4)
        if self._in_body:
            return  # a trailer: nothing here reads them
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        known = self._headers.get(key)
        self._headers[key] = text if known is None else f"{known}, {text}"

    def on_headers_complete(self) -> None:
        parser, headers = self._parser, self._headers
        version = parser.get_http_version()
        if version not in ("1.1", "1.0"):
            self._refuse(BAD_VERSION)
        http10 = version == "1.0"
        if not http10 and not _names_one_host(headers.get("host")):
            self._refuse(BAD_HOST)
        method = parser.get_method().decode("ascii")
        # A front that reads another coding, or one in HTTP/1.0, would find another end of the body than us.
        if "transfer-encoding" in headers and (http10 or headers["transfer-encoding"].lower() != "chunked"):
            self._refuse(BAD_CODING)
        declared = int(headers.get("content-length") or 0)  # llhttp has checked that it is a number
        if declared > self._limits.max_body_bytes:
            self._refuse(self._too_large())
        if parser.should_upgrade():
            self._before_upgrade(method, declared)
        path, query = self._split_url()
        keep_alive = not http10 and parser.should_keep_alive()
        self._request_line = (method, path, query, http10, keep_alive)
        self._in_body = True
        self._head_bytes = 0  # from here on it counts trailers
        self.wants_continue = headers.get("expect", "").lower() == "100-continue" and not http10

    def on_body(self, body: bytes) -> None:
        self._loose_bytes = 0
        self.wants_continue = False
        if len(self._body) + len(body) > self._limits.max_body_bytes:
            self._refuse(self._too_large())
        if not self._body:
            self._body = body
            return
        if isinstance(self._body, bytes):
            self._body = bytearray(self._body)
        self._body += body

    def on_message_complete(self) -> None:
        if not self._raw_left:
            self._complete()

    def _complete(self) -> None:
        method, path, query, http10, keep_alive = self._request_line
        request = HttpRequest(method, path, query, self._headers, bytes(self._body), http10, keep_alive)
        self._out.append(request)
        self._loose_bytes = 0
        self._reset()

    def _before_upgrade(self, method: str, declared_bytes: int) -> None:
        """llhttp skips the body of such a request: it must not be taken for the next request."""
        if method == "CONNECT":
            self._refuse(NO_TUNNEL)
        if "transfer-encoding" in self._headers:
            self._refuse(BAD_UPGRADE)
        self._raw_left = declared_bytes

    def _split_url(self) -> tuple[str, str]:
        try:
            url = httptools.parse_url(self._url)
        except httptools.HttpParserInvalidURLError:
            self._refuse(BAD_SYNTAX)
        path = (url.path or b"/").decode("latin-1")
        query = (url.query or b"").decode("latin-1")
        return (unquote(path) if "%" in path else path), query

    def _count(self, size_bytes: int) -> None:
        self._head_bytes += size_bytes
        if self._head_bytes > self._limits.max_head_bytes:
            self._refuse(self._too_long())

    def _refuse(self, refusal: Failure) -> None:
        self._refusal = refusal
        raise _Refused

    def _too_long(self) -> Failure:
        limit = self._limits.max_head_bytes
        if len(self._url) * 2 > limit:
            return problem(414, f"the request line is longer than {limit} bytes", "uri_too_long")
        return problem(431, f"the headers are longer than {limit} bytes", "headers_too_long")

    def _too_large(self) -> Failure:
        limit = self._limits.max_body_bytes
        return problem(413, f"the body is longer than {limit} bytes", "body_too_large")


def _names_one_host(host: str | None) -> bool:
    return host is not None and "," not in host
