"""What was asked and what was answered, in no vendor's shape: both sides are written down in these."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Function:
    """A tool on offer."""

    name: str
    description: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True)
class Call:
    """A call of one. arguments: as data, or the text where it is no JSON."""

    id: str
    name: str
    arguments: Any


@dataclass(frozen=True)
class Token:
    """top: the likeliest alternatives, text and logarithm. id: None where the vendor does not tell."""

    text: str
    logprob: float
    top: tuple[tuple[str, float], ...] = ()
    id: int | None = None


@dataclass(frozen=True)
class Source:
    """A citation. place: first character and the one behind the last; None where it is not told."""

    url: str = ""
    title: str = ""
    quote: str = ""
    place: tuple[int, int] | None = None


@dataclass(frozen=True)
class Trouble:
    """An error as the client's user meets it. kind: the class's name. wait_s: how long it asks to wait."""

    kind: str
    status: int | None = None
    said: str = ""
    wait_s: float | None = None


@dataclass
class Said:
    """An answer: what a provider's bytes hold, or what a client shows of it.

    calls: in order. usage: by the facets of the feature, in one convention (input with cached tokens, output
    with reasoning), only those that are told. end: stop, length, tool calls or filtered. refused: whether a
    field or a word marks a refusal. signature: what goes back with the reasoning, wherever it stands.
    warnings: the header. turn: the answer as the client's own next request wants it.
    """

    text: str = ""
    reasoning: str = ""
    signature: str = ""
    calls: tuple[Call, ...] = ()
    images: tuple[bytes, ...] = ()
    sound: bytes = b""
    transcript: str = ""
    refused: bool = False
    refusal: str = ""
    sources: tuple[Source, ...] = ()
    usage: dict[str, int] = field(default_factory=dict)
    tokens: tuple[Token, ...] = ()
    end: str = ""
    trouble: Trouble | None = None
    warnings: str = ""
    turn: Any = None


@dataclass(frozen=True)
class Ask:
    """A request. `earlier` and `results` (of its calls, in order) make it the second turn.

    form: a JSON schema. wants: "image" or "sound", where the answer is to hold them.
    """

    text: str
    system: str = ""
    image: bytes = b""
    sound: bytes = b""
    document: bytes = b""
    document_name: str = ""
    tools: tuple[Function, ...] = ()
    form: Mapping[str, Any] | None = None
    effort: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    logprobs: int = 0
    wants: str = ""
    earlier: Said | None = None
    results: tuple[str, ...] = ()


@dataclass
class Got:
    """A request as the provider's own fields say it. results: (id or name of the call, text), in order.

    prompt: the whole text, where the protocol has one text only. settings: by the facets of the feature.
    called: ids of the calls of the earlier turn. speaks: whether the answer is to be sound.
    logprobs: how many alternatives; True where nobody says how many.
    """

    model: str = ""
    texts: list[str] = field(default_factory=list)
    system: str = ""
    images: list[bytes] = field(default_factory=list)
    sounds: list[bytes] = field(default_factory=list)
    documents: list[tuple[str, bytes]] = field(default_factory=list)
    tools: list[Function] = field(default_factory=list)
    called: list[Call] = field(default_factory=list)
    results: list[tuple[str, str]] = field(default_factory=list)
    reasoning: str = ""
    signature: str = ""
    form: Any = None
    effort: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    logprobs: int | bool = 0
    speaks: bool = False
    prompt: str = ""
