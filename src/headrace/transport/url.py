"""URLs of HTTP requests: checked once, split into what a connection and what a request line need."""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from urllib.parse import urlsplit

import msgspec

from headrace.errors import RequestError

_DEFAULT_PORTS = {"http": 80, "https": 443}
# Printable ASCII without the space: what may stand in a request line. Others must come percent-encoded.
_SENDABLE = re.compile(r"[!-~]+")


class Origin(msgspec.Struct, frozen=True):
    """Where connections go; requests to equal origins may share one. ca_file: see `HttpRequest`."""

    tls: bool
    host: str
    port: int
    ca_file: str = ""

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


class Url(msgspec.Struct, frozen=True):
    """A checked URL. host_header: as the Host field wants it. target: path and query."""

    tls: bool
    host: str
    port: int
    host_header: str
    target: str


@lru_cache(maxsize=512)
def parse_url(url: str) -> Url:
    """The parts of an absolute http or https URL.

    Raises: RequestError (field "url"), whose message never holds the URL itself: it may carry a key.
    """
    if not _SENDABLE.fullmatch(url.split("#", 1)[0]):
        raise _bad("must be printable ASCII without spaces (percent-encode the rest)")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise _bad("is malformed") from error
    if parts.scheme not in _DEFAULT_PORTS:
        raise _bad("must begin with http:// or https://")
    if parts.username is not None or parts.password is not None:
        raise _bad("must not hold a user name or password: send an authorization header")
    if not parts.hostname:
        raise _bad("names no host")
    host = _host(parts.hostname)
    shown = f"[{host}]" if ":" in host else host
    standard = _DEFAULT_PORTS[parts.scheme]
    return Url(
        tls=parts.scheme == "https",
        host=host,
        port=port or standard,
        host_header=shown if port in (None, standard) else f"{shown}:{port}",
        target=(parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
    )


def is_loopback(host: str) -> bool:
    """Whether `host` names this machine, by name or by number."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False


def _host(host: str) -> str:
    if len(host) > 253 or any(not 0 < len(label) < 64 for label in host.rstrip(".").split(".")):
        raise _bad("names a host that no DNS can hold")
    return host


def _bad(why: str) -> RequestError:
    return RequestError(f"the URL {why}", field="url", code="bad_url")
