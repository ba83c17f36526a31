"""A model as the rest of the house sees it: an id, a card, and a way to start one reply."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Protocol, TypeAlias, TypeVar, runtime_checkable

import msgspec

from headrace.core.chunk import Chunk, Terminal
from headrace.core.request import Request

Capability: TypeAlias = Literal["llm", "asr", "tts", "vlm", "guardian", "embedding"]
T_co = TypeVar("T_co", covariant=True)
T_contra = TypeVar("T_contra", contravariant=True)


class Sink(Protocol[T_contra]):
    """Where a source pushes."""

    def push(self, batch: Sequence[T_contra], /) -> None:
        """Take a batch (never empty, never holding a terminal). Must not block and must not raise."""

    def end(self, terminal: Terminal, /) -> None:
        """Take the terminal. Called exactly once, last."""


class Source(Protocol[T_co]):
    """Something that generates: a provider's answer, a local engine, a scripted model."""

    def start(self, sink: Sink[T_co], /) -> None:
        """Begin; called once, inside a running event loop."""

    def pause(self) -> None:
        """Stop reading from what lies behind as soon as possible."""

    def resume(self) -> None:
        """Go on."""

    def cancel(self) -> None:
        """Stop generating and free everything now; `sink.end(Cancelled(...))` follows unless it has ended."""


class ModelCard(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a model can do, as data.

    owner: who serves it (a provider's name, "local", "sim"). context_tokens: 0 where unknown.
    state: whether it can answer now: ready, not pulled, not installed (only local models differ). loaded: it
    is in this machine's memory now.
    """

    id: str
    capabilities: tuple[Capability, ...] = ("llm",)
    owner: str = ""
    description: str = ""
    context_tokens: int = 0
    created_s: int = 0
    state: Literal["ready", "not pulled", "not installed"] = "ready"
    aliases: tuple[str, ...] = ()
    loaded: bool = False


class Opened(msgspec.Struct, frozen=True):
    """A source ready to start, and what the target could not take of the request (one sentence each)."""

    source: Source[Chunk]
    warnings: tuple[str, ...] = ()


class OpenedRelay(msgspec.Struct, frozen=True):
    """A source of raw frames of the client's own wire, and the stage that checks and counts them.

    The source runs the stage itself; whoever opened it only reads the relay's `usage` and counts of events.
    """

    source: Source[bytes]
    relay: Any


class Model(Protocol):
    """One model that can be asked. Nothing is connected or loaded before the source is started."""

    @property
    def card(self) -> ModelCard: ...

    def open(self, request: Request, /) -> Opened:
        """One reply to `request`. Raises RequestError where the request cannot be asked of this model."""

    def open_relay(self, wire: str, body: bytes, include_usage: bool, /) -> OpenedRelay | None:
        """The same for a client that speaks `wire` already: raw frames out. None where it does not fit.

        body: the client's JSON body as it came (valid JSON, already checked against the schema).
        """


@runtime_checkable
class CountsTokens(Protocol):
    """What a model is besides, where it can tell how many tokens a prompt has."""

    def open_count(self, request: Request, /) -> Opened | None:
        """A source of one UsageReport, whose input_tokens are the prompt's, and the terminal.

        Nothing is generated. None where this one cannot count after all. Raises RequestError where the
        request cannot be asked.
        """
