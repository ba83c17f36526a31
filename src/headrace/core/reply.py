"""A whole reply: what a stream of chunks adds up to."""

from __future__ import annotations

import msgspec

from headrace.core.chunk import Citation, Failure, FinishReason, Step, Terminal, Token, Verdict, Word
from headrace.core.message import (
    Message,
    OpaquePart,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from headrace.core.opaque import Opaque
from headrace.core.usage import Usage


class ToolCall(msgspec.Struct, frozen=True, omit_defaults=True):
    """A call the model asked for, whole. `arguments` is JSON text as the model wrote it."""

    id: str
    name: str
    arguments: str = ""
    vendor: Opaque | None = None


class Media(msgspec.Struct, frozen=True, omit_defaults=True):
    """Sound or an image, joined. format: a media type, or the name of an audio format."""

    data: bytes
    format: str = ""
    sample_rate_hz: int = 0
    channels: int = 0


class Candidate(msgspec.Struct, frozen=True, omit_defaults=True):
    """One answer of a reply. `tokens` are the answer's, where the model tells; `parts` keep block order.

    citations: `block` is the number of the part that each is about.
    transcript and what follows it: what was heard, its tokens, when it was said, and in which language.
    """

    text: str = ""
    reasoning: str = ""
    refusal: str = ""
    transcript: str = ""
    transcript_tokens: tuple[Token, ...] = ()
    words: tuple[Word, ...] = ()
    segments: tuple[Word, ...] = ()
    language: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    tokens: tuple[Token, ...] = ()
    refusal_tokens: tuple[Token, ...] = ()
    audio: Media | None = None
    images: tuple[Media, ...] = ()
    citations: tuple[Citation, ...] = ()
    finish_reason: FinishReason | None = None
    raw_reason: str = ""
    stop_sequence: str = ""
    parts: tuple[Part, ...] = ()
    vendor: tuple[Opaque, ...] = ()


class Reply(msgspec.Struct, frozen=True, omit_defaults=True):
    """A reply, whole or as far as it came. The readings without an index are candidate 0's.

    Where tools were run on the way, the candidates are the model's last turn. earlier: its turns before that,
    each followed by the results of its calls. tool_results: those that the last turn's calls have had so far.
    """

    id: str = ""
    model: str = ""
    created_s: int = 0
    candidates: tuple[Candidate, ...] = ()
    usage: Usage | None = None
    terminal: Terminal | None = None
    steps: tuple[Step, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    vendor: tuple[Opaque, ...] = ()
    earlier: tuple[Message, ...] = ()
    tool_results: tuple[ToolResultPart, ...] = ()

    @property
    def _first(self) -> Candidate:
        return self.candidates[0] if self.candidates else Candidate()

    @property
    def text(self) -> str:
        """The answer."""
        return self._first.text

    @property
    def reasoning(self) -> str:
        """The model's reasoning."""
        return self._first.reasoning

    @property
    def refusal(self) -> str:
        """The refusal, where the vendor tells it from an answer."""
        return self._first.refusal

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The calls the model asked for, in order."""
        return self._first.tool_calls

    @property
    def tokens(self) -> tuple[Token, ...]:
        """The answer's tokens, where the model tells them."""
        return self._first.tokens

    @property
    def failure(self) -> Failure | None:
        """What went wrong, None where nothing did."""
        return self.terminal if isinstance(self.terminal, Failure) else None

    @property
    def finish_reason(self) -> FinishReason | None:
        """Why it ended; None while it has not."""
        if self.terminal is None:
            return None
        ended = self.terminal.finish_reason
        if ended in ("error", "cancelled"):
            return ended
        return self._first.finish_reason or ended

    @property
    def message(self) -> Message:
        """The answer as the assistant's turn of the next request."""
        return Message("assistant", self._first.parts)

    @property
    def messages(self) -> tuple[Message, ...]:
        """All turns that the reply adds to the conversation, with the results of tools between them."""
        last = (self.message,) if self._first.parts else ()
        results = (Message("tool", self.tool_results),) if self.tool_results else ()
        return (*self.earlier, *last, *results)


def part_of(kind: str, text: str, call: ToolCall | None, vendor: Opaque | None = None) -> Part | None:
    """A finished block as a message part; None for a kind that messages do not carry.

    vendor: what came with the block. Text and reasoning keep it: a signature or an encrypted form goes back
    with the next turn.
    """
    if kind == "text":
        return TextPart(text, vendor)
    if kind == "reasoning":
        return ReasoningPart(text, vendor)
    if kind == "refusal":
        return RefusalPart(text)
    if kind == "tool-call" and call is not None:
        return ToolCallPart(call.id, call.name, call.arguments, call.vendor)
    if kind == "opaque" and vendor is not None:
        return OpaquePart(vendor)
    return None
