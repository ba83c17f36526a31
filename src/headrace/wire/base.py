"""What every wire offers, as one record of functions: the shape that providers and the server build on.

A wire's folder makes one `Wire` in its `__init__` under the name `WIRE`. Nothing in it does I/O.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from headrace.core.chunk import Chunk, Failure, Terminal
from headrace.core.model import Capability
from headrace.core.reply import Reply
from headrace.core.request import Request
from headrace.core.stage import Stage
from headrace.core.usage import Usage
from headrace.wire.model_list import Listing
from headrace.wire.quirk import Quirks

NO_QUIRKS: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class WireRequest:
    """A vendor's HTTP request, less the host: path under the base URL and body.

    warnings: one sentence for each setting that this wire cannot carry. content_type: of the body. accept:
    the media types of a good answer, empty: the wire's own. asked: what the answer's decoder must know of the
    request; it is given with the quirks.
    """

    path: str
    body: bytes
    warnings: tuple[str, ...] = ()
    content_type: str = "application/json"
    accept: str = ""
    asked: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ParsedRequest:
    """A client's request, and how its answer is wanted. warnings: one sentence for what has no effect.

    wanted: what else the wire's own encoder and body must know of it, such as a prompt to be echoed. told:
    names in `request.vendor` of which no more need be said where they are left out: a warning has been given,
    or they say in the client's own words what the request says already. alias: what the client calls the
    conversation: its latest stream is found under it. background: the client reads the answer later.
    """

    request: Request
    stream: bool = False
    include_usage: bool = False
    warnings: tuple[str, ...] = ()
    wanted: Mapping[str, Any] = field(default_factory=dict)
    told: frozenset[str] = frozenset()
    alias: str = ""
    background: bool = False


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
    bytes of the stream. content_events: pieces of the answer so far; reasoning_events: those of them that are
    nothing but reasoning.
    """

    usage: Usage | None
    content_events: int
    reasoning_events: int

    def failed(self, failure: Failure, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Front:
    """A wire as a server speaks it to its clients.

    content_type: of a streamed answer. ping: a keep-alive that every client skips, empty where there is none.
    parse: (body, what the request's head says, such as {"model": ...} of its path) -> the request; raises
    RequestError.
    encoder: a fresh stage chunks -> bytes. It is given every chunk and the terminal, a Failure only where
    the stream's bytes have begun. body: a whole reply that ended well. What this protocol cannot say, such as
    a text to a client that wants sound, is a Failure: the encoder's last output, or in the body's place.
    error_body: the JSON body of an answer with an error status. id_prefix: how the ids of answers begin.
    headers: further header fields of a streamed answer. body_type: the content type of a whole one.
    type_of: the content type of a streamed answer, where it shows only with its first bytes: asked of the
    encoder then. last_words: (failure, how many events it has had) -> the last bytes of a streamed answer
    whose encoder is gone; not needed where a fresh encoder, given the failure alone, writes them.
    event_ids: whether its event streams carry ids unless a client asks otherwise; not where a client of the
    vendor's stumbles over them. pending: the body that tells a client of an answer that is made in the
    background, where the protocol has such answers.
    """

    content_type: str
    ping: bytes
    parse: Callable[[bytes, Mapping[str, str]], ParsedRequest]
    encoder: Callable[[Says, ParsedRequest], Stage[Chunk, bytes | Failure]]
    body: Callable[[Reply, Says, ParsedRequest], bytes | Failure]
    error_body: Callable[[Failure], bytes]
    id_prefix: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body_type: Callable[[ParsedRequest], str] = lambda _parsed: "application/json"
    type_of: Callable[[Any], str] | None = None
    last_words: Callable[[Failure, int], bytes] | None = None
    event_ids: bool = True
    pending: Callable[[Says, ParsedRequest], bytes] | None = None


@dataclass(frozen=True, slots=True)
class Counting:
    """How a wire asks how many tokens a prompt has.

    build: (request, the row's quirks) -> what asks for it, None where the quirks say that the provider
    cannot. read: the JSON body of a good answer -> tokens; raises WireError.
    """

    build: Callable[[Request, Mapping[str, Any]], WireRequest | None]
    read: Callable[[bytes], int]


class MakeDecoder(Protocol):
    """A fresh decoder for a provider with these quirks, and for what was asked of it."""

    def __call__(self, quirks: Mapping[str, Any] = NO_QUIRKS, /) -> Stage[bytes, Chunk]: ...


@dataclass(frozen=True, slots=True)
class Wire:
    """One vendor protocol. `name` is its folder's name.

    content_type: of a good streamed answer (without parameters).
    build: Request -> WireRequest; `quirks` are the provider row's.
    decoder: (quirks, none by default) -> a fresh stage bytes -> chunks, framing included.
    body_decoder: the same for a good answer of another type, whose end is the end of its HTTP body:
    (its content type, quirks) -> a fresh stage, None for a type that is no answer.
    failure: (status, headers, body bytes, provider name) of an answer that is not 200 -> the typed failure.
    relay: a fresh `Relay`, or None where the wire has none; its arguments say whether the client asked for
    usage, and the quirks. rebody: (client's body, the provider's own model name, quirks) -> the body to
    relay upstream, or None where the quirks ask for a body that only `build` makes. front: how a server
    speaks it, where one does. capabilities: what the models behind it can do, as far as the wire tells.
    listing: how a provider is asked for its models. counting: and for the tokens of a
    prompt. quirks: those that a provider row may set. auth: how the key is sent where the row does not say:
    "bearer", or the name of the header that carries it. headers: further header fields of every request.
    framings: what stands between the events that the decoder reads: sse, jsonl (lines of JSON), array (a
    JSON array), eventstream (Amazon's binary messages).
    """

    name: str
    content_type: str
    build: Callable[[Request, Mapping[str, Any]], WireRequest]
    decoder: MakeDecoder
    failure: Callable[[int, Mapping[str, str], bytes, str], Failure]
    relay: Callable[[bool, Mapping[str, Any]], Relay] | None = None
    rebody: Callable[[bytes, str, Mapping[str, Any]], bytes | None] | None = None
    front: Front | None = None
    listing: Listing | None = None
    counting: Counting | None = None
    quirks: Quirks = field(default_factory=dict)
    auth: str = "bearer"
    headers: Mapping[str, str] = field(default_factory=dict)
    body_decoder: Callable[[str, Mapping[str, Any]], Stage[bytes, Chunk] | None] | None = None
    capabilities: tuple[Capability, ...] = ("llm",)
    framings: tuple[str, ...] = ("sse",)
