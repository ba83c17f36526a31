"""What every wire offers, as one record of functions: the shape that providers and the server build on.

A wire's folder makes one `Wire` in its `__init__` under the name `WIRE`. Nothing in it does I/O.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from headrace.core.chunk import Chunk, Failure, Terminal
from headrace.core.request import Request
from headrace.core.stage import Stage
from headrace.core.usage import Usage

NO_QUIRKS: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class WireRequest:
    """A vendor's HTTP request, less the host: path under the base URL and JSON body.

    warnings: one sentence for each setting that this wire cannot carry.
    """

    path: str
    body: bytes
    warnings: tuple[str, ...] = ()


class Relay(Stage[bytes, bytes | Terminal], Protocol):
    """Same wire in and out: raw frames pass unchanged, yet are checked and counted.

    It gives the bytes to forward and, last, one terminal. A `Failure` is given as a value, not as bytes: the
    server knows whether its status line is out yet and writes the error in the client's protocol.
    """

    usage: Usage | None
    content_events: int


class MakeDecoder(Protocol):
    """A fresh decoder for a provider with these quirks."""

    def __call__(self, quirks: Mapping[str, Any] = NO_QUIRKS, /) -> Stage[bytes, Chunk]: ...


@dataclass(frozen=True, slots=True)
class Wire:
    """One vendor protocol. `name` is its folder's name.

    content_type: of a good streamed answer (without parameters).
    build: Request -> WireRequest; `quirks` are the provider row's.
    decoder: (quirks, none by default) -> a fresh stage bytes -> chunks, framing included.
    failure: (status, headers, body bytes, provider name) of an answer that is not 200 -> the typed failure.
    relay: a fresh `Relay`, or None where the wire has none; its arguments say whether the client asked for
    usage, and the quirks. rebody: (client's body, the provider's own model name, quirks) -> the body to
    relay upstream.
    """

    name: str
    content_type: str
    build: Callable[[Request, Mapping[str, Any]], WireRequest]
    decoder: MakeDecoder
    failure: Callable[[int, Mapping[str, str], bytes, str], Failure]
    relay: Callable[[bool, Mapping[str, Any]], Relay] | None = None
    rebody: Callable[[bytes, str, Mapping[str, Any]], bytes] | None = None
