"""The request line and header fields, written so that no value can smuggle another field in."""

from __future__ import annotations

import re

from headrace.errors import RequestError
from headrace.transport.http import HttpRequest
from headrace.transport.url import Url

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
# RFC 9110 5.5: visible characters, space and tab; NUL, CR and LF would end the field.
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_OURS = frozenset({"host", "content-length", "transfer-encoding", "connection", "expect", "upgrade", "te"})
_BODY_METHODS = frozenset({"POST", "PUT", "PATCH"})


def request_bytes(request: HttpRequest, url: Url) -> bytes:
    """The whole request as bytes.

    Raises: RequestError naming the header (never its value, which may be a key).
    """
    if not _TOKEN.fullmatch(request.method):
        raise RequestError("the method is not an HTTP token", field="method", code="bad_header")
    lines = [f"{request.method} {url.target} HTTP/1.1\r\nhost: {url.host_header}\r\n"]
    coded = False
    for name, value in request.headers.items():
        lower = name.lower()
        if not _TOKEN.fullmatch(name) or lower in _OURS:
            raise RequestError(f"header {name!r} cannot be set", field=f"headers.{name}", code="bad_header")
        if not _VALUE.fullmatch(value):
            raise RequestError(
                f"header {name!r} holds a character that HTTP cannot carry",
                field=f"headers.{name}",
                code="bad_header",
            )
        coded = coded or lower == "accept-encoding"
        lines.append(f"{name}: {value}\r\n")
    if not coded:
        lines.append("accept-encoding: identity\r\n")
    if request.body or request.method in _BODY_METHODS:
        lines.append(f"content-length: {len(request.body)}\r\n")
    lines.append("\r\n")
    return "".join(lines).encode("latin-1") + request.body
