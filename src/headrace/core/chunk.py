"""The one chunk family: every piece of every reply, a tagged union of frozen values.

A reply is `Start`, then blocks (each `BlockStart`, its deltas, `BlockEnd`), steps, verdicts, citations and
usage in the order they came, a `CandidateEnd` for each candidate, and one terminal: `Finish`, `Failure` or
`Cancelled`. Nothing follows a terminal. Block numbers count up from 0 through the whole reply. Where tools
are run on the way, a `ToolResult` answers each call, and another `Start` begins what the model says to that.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec

from headrace.core.message import ResultPart, joined_text
from headrace.core.opaque import Opaque
from headrace.core.usage import Usage
from headrace.errors import KINDS, HeadraceError

FinishReason: TypeAlias = Literal[
    "stop", "length", "stop_sequence", "tool_calls", "content_filter", "cancelled", "error"
]
BlockKind: TypeAlias = Literal[
    "text", "reasoning", "tool-call", "refusal", "audio", "image", "transcript", "opaque"
]


class Token(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One token of the model's vocabulary, where the model tells.

    logprob: natural logarithm of its probability. raw: its bytes, where they are not valid UTF-8 alone.
    top: the likeliest alternatives at this place. special: it is no piece of the text, such as the one that
    ends an answer.
    """

    text: str
    id: int | None = None
    logprob: float | None = None
    raw: bytes | None = None
    top: tuple[Token, ...] = ()
    special: bool = False


def answer_tokens(tokens: tuple[Token, ...]) -> tuple[Token, ...]:
    """Those that are pieces of the text, for protocols that tell no others."""
    return tuple(token for token in tokens if not token.special) if tokens else tokens


class ChunkBase(msgspec.Struct, frozen=True, gc=False, tag_field="type", omit_defaults=True):
    """The readings every chunk has; a chunk that carries the thing itself overrides them with a field."""

    @property
    def text(self) -> str:
        """The answer's text in this chunk, empty where it has none."""
        return ""

    @property
    def token_count(self) -> int:
        """Tokens in this chunk; 1 for a delta whose provider does not say."""
        return 0

    @property
    def token_id(self) -> int | None:
        """Vocabulary id of the chunk's (first) token, where the model tells."""
        return None

    @property
    def logprob(self) -> float | None:
        """Log probability of the chunk's (first) token, where the model tells."""
        return None

    @property
    def is_complete(self) -> bool:
        """Whether this chunk is the terminal."""
        return False

    @property
    def finish_reason(self) -> FinishReason | None:
        """Why the candidate or the stream ended, on the chunks that say so."""
        return None

    @property
    def tokens_per_second(self) -> float | None:
        """Speed so far; set by the metrics tap."""
        return None


class Start(ChunkBase, frozen=True, gc=False, omit_defaults=True, tag="start"):
    """The provider took the request. created_s: Unix seconds."""

    id: str = ""
    model: str = ""
    created_s: int = 0
    vendor: Opaque | None = None


class BlockStart(ChunkBase, frozen=True, gc=False, omit_defaults=True, tag="block-start"):
    """Opens a block. `id` and `name` are set for tool calls (and where a vendor names its blocks).

    An "opaque" block is a part that only its own wire understands: its pieces are `VendorPart`s, and its
    `BlockEnd` has it whole.
    """

    block: int
    kind: BlockKind
    id: str = ""
    name: str = ""
    candidate: int = 0
    vendor: Opaque | None = None


class _TokenReadings(ChunkBase, frozen=True, gc=False, omit_defaults=True):
    """Readings shared by the deltas that carry tokens."""

    @property
    def token_count(self) -> int:
        tokens: tuple[Token, ...] = getattr(self, "tokens", ())
        return len(tokens) or 1

    @property
    def token_id(self) -> int | None:
        tokens: tuple[Token, ...] = getattr(self, "tokens", ())
        return tokens[0].id if tokens else None

    @property
    def logprob(self) -> float | None:
        tokens: tuple[Token, ...] = getattr(self, "tokens", ())
        return tokens[0].logprob if tokens else None


class TextDelta(_TokenReadings, frozen=True, gc=False, omit_defaults=True, tag="text-delta"):
    """A piece of the answer."""

    block: int
    text: str
    tokens: tuple[Token, ...] = ()
    candidate: int = 0
    vendor: Opaque | None = None
    tokens_per_second: float | None = None


class ReasoningDelta(_TokenReadings, frozen=True, gc=False, omit_defaults=True, tag="reasoning-delta"):
    """A piece of the model's reasoning. It is not part of the answer, so `.text` is empty."""

    block: int
    reasoning: str
    tokens: tuple[Token, ...] = ()
    candidate: int = 0
    vendor: Opaque | None = None


class RefusalDelta(_TokenReadings, frozen=True, gc=False, omit_defaults=True, tag="refusal-delta"):
    """A piece of a refusal, where the vendor tells it from an answer."""

    block: int
    refusal: str
    tokens: tuple[Token, ...] = ()
    candidate: int = 0
    vendor: Opaque | None = None


class ToolCallDelta(_TokenReadings, frozen=True, gc=False, omit_defaults=True, tag="tool-call-delta"):
    """A piece of a tool call's arguments: JSON text, to be joined before it is parsed."""

    block: int
    arguments: str
    candidate: int = 0
    vendor: Opaque | None = None


class AudioDelta(ChunkBase, frozen=True, gc=False, omit_defaults=True, tag="audio-delta"):
    """A piece of sound. format: pcm16, wav, mp3, opus, ...; sample_rate_hz and channels where known."""

    block: int
    data: bytes
    format: str = ""
    sample_rate_hz: int = 0
    channels: int = 0
    candidate: int = 0
    vendor: Opaque | None = None


class ImageDelta(ChunkBase, frozen=True, gc=False, omit_defaults=True, tag="image-delta"):
    """An image, or (`partial`) a preview that the next one replaces."""

    block: int
    data: bytes
    media_type: str = ""
    partial: bool = False
    candidate: int = 0
    vendor: Opaque | None = None


class Word(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One heard word, or a longer stretch; times in seconds from the beginning of the sound."""

    text: str
    start_s: float = 0.0
    end_s: float = 0.0
    confidence: float | None = None
    speaker: str = ""


class TranscriptDelta(_TokenReadings, frozen=True, gc=False, omit_defaults=True, tag="transcript-delta"):
    """Heard text. Tentative text is replaced by the next delta of its block; committed text stands.

    words, segments: when it was said, word by word and by longer stretches (a sentence, a speaker's turn).
    They may come after the text that they time, in a delta without any. language: of the sound.
    """

    block: int
    text: str
    committed: bool = True
    words: tuple[Word, ...] = ()
    language: str = ""
    candidate: int = 0
    vendor: Opaque | None = None
    segments: tuple[Word, ...] = ()
    tokens: tuple[Token, ...] = ()

    @property
    def token_count(self) -> int:
        return len(self.tokens) or (1 if self.text and self.committed else 0)


class BlockEnd(ChunkBase, frozen=True, gc=False, omit_defaults=True, tag="block-end"):
    """Closes a block."""

    block: int
    candidate: int = 0
    vendor: Opaque | None = None


class Step(ChunkBase, frozen=True, gc=False, omit_defaults=True, tag="step"):
    """Progress of an analysis: step `index` (from 1) of `total` (0 where unknown)."""

    name: str
    index: int = 0
    total: int = 0
    detail: dict[str, Any] = msgspec.field(default_factory=dict)


class Verdict(ChunkBase, frozen=True, gc=False, omit_defaults=True, tag="verdict"):
    """A guard's judgement. risk: 0 (none) to 1."""

    status: Literal["safe", "warning", "blocked"]
    check: str = ""
    risk: float = 0.0
    issues: tuple[str, ...] = ()


class Citation(ChunkBase, frozen=True, gc=False, omit_defaults=True, tag="citation"):
    """A source for the text of `block` between two character offsets; -1: for the whole block.

    quote: the source's own words.
    """

    block: int
    url: str = ""
    title: str = ""
    quote: str = ""
    start: int = -1
    end: int = -1
    candidate: int = 0
    vendor: Opaque | None = None


class UsageReport(ChunkBase, frozen=True, gc=False, omit_defaults=True, tag="usage"):
    """Usage so far, cumulative: a later report replaces an earlier one."""

    usage: Usage
    vendor: Opaque | None = None


class VendorPart(ChunkBase, frozen=True, gc=False, omit_defaults=True, tag="vendor"):
    """An event of the vendor's that we do not model, whole. block: the opaque block it belongs to, or -1."""

    part: Opaque
    block: int = -1


class ToolResult(ChunkBase, frozen=True, gc=False, omit_defaults=True, tag="tool-result"):
    """What a tool that was run on the way answered to the call `id`. It is not part of the model's answer."""

    id: str
    name: str = ""
    parts: tuple[ResultPart, ...] = ()
    is_error: bool = False
    vendor: Opaque | None = None

    @property
    def output(self) -> str:
        """The text parts, joined."""
        return joined_text(self.parts)


class CandidateEnd(ChunkBase, frozen=True, gc=False, omit_defaults=True, tag="candidate-end"):
    """One candidate is complete; `raw_reason` is the vendor's own word, `stop_sequence` the stop text met."""

    finish_reason: FinishReason
    raw_reason: str = ""
    stop_sequence: str = ""
    candidate: int = 0
    vendor: Opaque | None = None


class Finish(ChunkBase, frozen=True, gc=False, omit_defaults=True, tag="finish"):
    """Terminal: the stream is complete. `clean` is false where the wire's own terminator was missing."""

    finish_reason: FinishReason = "stop"
    raw_reason: str = ""
    clean: bool = True
    vendor: Opaque | None = None

    @property
    def is_complete(self) -> bool:
        return True


class Failure(ChunkBase, frozen=True, gc=False, omit_defaults=True, tag="failure"):
    """Terminal: the stream failed. `kind` names a class of `headrace.errors`; `error()` builds it.

    detail: the class's own fields, plus `raw` (what the vendor sent) where it helps.
    """

    kind: str
    message: str
    code: str = ""
    retryable: bool = False
    http_status: int = 500
    detail: dict[str, Any] = msgspec.field(default_factory=dict)

    @classmethod
    def of(cls, error: HeadraceError) -> Failure:
        """The same failure as a value."""
        return cls(
            kind=error.kind,
            message=error.message,
            code=error.code,
            retryable=error.retryable,
            http_status=error.http_status,
            detail=error.details(),
        )

    def error(self) -> HeadraceError:
        """The same failure as an exception of the class that `kind` names."""
        kind = KINDS.get(self.kind, HeadraceError)
        known = kind("").details()
        detail = {key: value for key, value in self.detail.items() if key in known}
        return kind(
            self.message, code=self.code, retryable=self.retryable, http_status=self.http_status, **detail
        )

    @property
    def finish_reason(self) -> FinishReason:
        return "error"

    @property
    def is_complete(self) -> bool:
        return True


class Cancelled(ChunkBase, frozen=True, gc=False, omit_defaults=True, tag="cancelled"):
    """Terminal: the reader or the owner stopped the stream. why: one short sentence."""

    why: str = ""

    @property
    def finish_reason(self) -> FinishReason:
        return "cancelled"

    @property
    def is_complete(self) -> bool:
        return True


Terminal: TypeAlias = Finish | Failure | Cancelled
TERMINALS = (Finish, Failure, Cancelled)
Chunk: TypeAlias = (
    Start
    | BlockStart
    | TextDelta
    | ReasoningDelta
    | RefusalDelta
    | ToolCallDelta
    | AudioDelta
    | ImageDelta
    | TranscriptDelta
    | BlockEnd
    | Step
    | Verdict
    | Citation
    | UsageReport
    | VendorPart
    | ToolResult
    | CandidateEnd
    | Finish
    | Failure
    | Cancelled
)
