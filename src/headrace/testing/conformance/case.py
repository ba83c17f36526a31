"""What a wire's author tells the suite: streams, what they add up to, clients' bodies, exceptions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from headrace.core.chunk import FinishReason
from headrace.core.reply import Reply
from headrace.core.usage import Usage
from headrace.testing.conformance.separation import SSE, Separation
from headrace.wire.base import Front, ParsedRequest, Wire


@dataclass(frozen=True)
class Said:
    """What a stream adds up to, in Headrace's words and conventions: candidate 0's.

    tool_calls: (id, name, arguments as the model wrote them). images, sound: as bytes. tokens: the texts of
    the answer's tokens, where the model tells them. usage: without the vendor's own counts (`vendor`), None
    where the stream tells none.
    """

    text: str = ""
    reasoning: str = ""
    refusal: str = ""
    transcript: str = ""
    tool_calls: tuple[tuple[str, str, str], ...] = ()
    images: tuple[bytes, ...] = ()
    sound: bytes = b""
    tokens: tuple[str, ...] = ()
    finish_reason: FinishReason | None = "stop"
    usage: Usage | None = None

    @classmethod
    def by(cls, reply: Reply) -> Said:
        """What a reply says."""
        first = reply.candidates[0] if reply.candidates else None
        return cls(
            text=reply.text,
            reasoning=reply.reasoning,
            refusal=reply.refusal,
            transcript=first.transcript if first else "",
            tool_calls=tuple((call.id, call.name, call.arguments) for call in reply.tool_calls),
            images=tuple(image.data for image in first.images) if first else (),
            sound=first.audio.data if first and first.audio else b"",
            tokens=tuple(token.text for token in reply.tokens),
            finish_reason=reply.finish_reason,
            usage=counts(reply.usage),
        )


def counts(usage: Usage | None) -> Usage | None:
    """The counts alone."""
    return usage and msgspec.structs.replace(usage, vendor=None)


@dataclass(frozen=True)
class Sample:
    """One whole streamed answer, a few hundred bytes: every cut of it is tried.

    said: what it adds up to. enough: after how many of its events the answer is complete although more may
    come (a usage report, the protocol's terminator): cut there it is a success, cut earlier it is truncated.
    None: it takes them all.
    """

    name: str
    body: bytes
    said: Said
    enough: int | None = None


@dataclass(frozen=True)
class ClientBody:
    """A client's request, as the front parses it.

    path: what the request's path says, such as {"model": ...}. becomes: the JSON that `build` makes of it,
    where it is not the same again. quirks: the provider's, for `build`. warns: what `parse` and `build` say
    of it, a word of each warning.
    """

    body: bytes
    path: Mapping[str, str] = field(default_factory=dict)
    becomes: bytes | None = None
    quirks: Mapping[str, Any] = field(default_factory=dict)
    warns: tuple[str, ...] = ()


Spelling = Callable[[Any], Any]


def as_it_is(event: Any) -> Any:
    """No spelling but one."""
    return event


@dataclass(frozen=True)
class WireCase:
    """A wire under test.

    front: how a server speaks it (the wire's own where not given); without one, only what is decoded is
    tested. asked: clients' bodies; the encoder is told the first one. separated: what stands between events.
    terminator: whether the protocol has a mark of its own for the end: an answer that ends without it is a
    Finish that is not `clean`.
    unknown_event: an event that the wire does not know, as JSON; None where the protocol cannot have one.

    The declared exceptions:
    spelling: an event's JSON -> the same without what may differ when it is decoded and encoded again; None
    for an event that may be missing then. forgets: the objects of an event where a field that is not known
    may be lost: paths of names and list places joined by dots, `*` for any. free_form: objects whose names
    are the model's, such as a call's arguments: there is no unknown field in them. fails_as: kinds of failure
    inside a stream that come back as another, where the protocol has no word. uncounted: the fields of
    `Usage` that the protocol has no place for. keeps: words of events that the decoder must hold until their
    block ends, as what goes back with the next turn: of these it may hold what came. carries: what is another
    wire's own goes through, marked as such, and comes back as that wire's.
    """

    wire: Wire
    samples: Sequence[Sample]
    front: Front | None = None
    asked: Sequence[ClientBody] = ()
    separated: Separation = SSE
    terminator: bool = True
    unknown_event: Mapping[str, Any] | None = None
    quirks: Mapping[str, Any] = field(default_factory=dict)
    spelling: Spelling = as_it_is
    forgets: tuple[str, ...] = ()
    free_form: tuple[str, ...] = ()
    fails_as: Mapping[str, str] = field(default_factory=dict)
    uncounted: tuple[str, ...] = ()
    keeps: tuple[bytes, ...] = ()
    carries: bool = False
    name: str = ""

    def __post_init__(self) -> None:
        if not self.samples:
            raise ValueError("a wire is tested with at least one sample")
        if self.served is not None and not self.asked:
            raise ValueError("a wire with a front is tested with at least one client's body")

    @property
    def served(self) -> Front | None:
        """The front under test."""
        return self.front or self.wire.front

    def parsed(self) -> ParsedRequest:
        """The request that the encoder answers."""
        assert self.served is not None
        first = self.asked[0]
        return self.served.parse(first.body, first.path)
