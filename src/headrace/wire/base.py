"""What every wire offers, as one record of functions: the shape that providers and the server build on.

A wire's folder makes one `Wire` in its `__init__` under the name `WIRE`. Nothing in it does I/O.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from headrace.core.chunk import Chunk, Failure, Terminal
from headrace.core.reply import Reply
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


@dataclass(frozen=True, slots=True)
class ParsedRequest:
    """A client's request, and how its answer is wanted. warnings: one sentence for what has no effect.

    wanted: what else the wire's own encoder and body must know of it, such as a prompt to be echoed. told:
    names in `request.vendor` of which no more need be said where they are left out: a warning has been given,
    or they say in the client's own words what the request says already.
    """

    request: Request
    stream: bool = False
    include_usage: bool = False
    warnings: tuple[str, ...] = ()
    wanted: Mapping[str, Any] = field(default_factory=dict)
    told: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Says:
    """What every event or body of one answer says of itself. created_s: Unix seconds."""

    id: str
    model: str
    created_s: int


class Relay(Stage[bytes, bytes | Terminal], Protocol):
    """Same wire in and out: raw frames pass unchanged, yet are checked and counted.

    It gives the bytes to forward and, last, one terminal. A `Failure` is given as a value, not as bytes: the
    server knows whether its status line is out yet. Where it is, `failed` writes the failure as the last
    bytes of the stream.
    """

    usage: Usage | None
    content_events: int

    def failed(self, failure: Failure, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Front:
    """A wire as a server speaks it to its clients.

    content_type: of a streamed answer. ping: a keep-alive that every client skips, empty where there is none.
    parse: (body, what the path says, such as {"model": ...}) -> the request; raises RequestError.
    encoder: a fresh stage chunks -> bytes. It is given every chunk and the terminal, a Failure only where
    the stream's bytes have begun. body: a whole reply that ended well.
    error_body: the JSON body of an answer with an error status. id_prefix: how the ids of answers begin.
    headers: further header fields of a streamed answer.
    """

    content_type: str
    ping: bytes
    parse: Callable[[bytes, Mapping[str, str]], ParsedRequest]
    encoder: Callable[[Says, ParsedRequest], Stage[Chunk, bytes]]
    body: Callable[[Reply, Says, ParsedRequest], bytes]
    error_body: Callable[[Failure], bytes]
    id_prefix: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


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
    relay upstream, or None where the quirks ask for a body that only `build` makes. front: how a server
    speaks it, where one does.
    """

    name: str
    content_type: str
    build: Callable[[Request, Mapping[str, Any]], WireRequest]
    decoder: MakeDecoder
    failure: Callable[[int, Mapping[str, str], bytes, str], Failure]
    relay: Callable[[bool, Mapping[str, Any]], Relay] | None = None
    rebody: Callable[[bytes, str, Mapping[str, Any]], bytes | None] | None = None
    front: Front | None = None
