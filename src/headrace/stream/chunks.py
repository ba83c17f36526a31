"""Chunks as the operators see them, and the plain chunk that people bring along."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Sequence
from typing import Any, TypeAlias

import msgspec

from headrace.core.chunk import (
    TERMINALS,
    AudioDelta,
    Chunk,
    ChunkBase,
    Citation,
    Failure,
    Finish,
    FinishReason,
    ImageDelta,
    ReasoningDelta,
    RefusalDelta,
    Step,
    TextDelta,
    Token,
    ToolCallDelta,
    TranscriptDelta,
    Verdict,
)
from headrace.errors import StreamGenerationException
from headrace.stream.push import failed

_CONTENT = (
    TextDelta,
    ReasoningDelta,
    RefusalDelta,
    ToolCallDelta,
    AudioDelta,
    ImageDelta,
    TranscriptDelta,
    Step,
    Verdict,
    Citation,
)


class GenerationChunk(msgspec.Struct, frozen=True):
    """A piece of generated text in one flat value, for code that makes chunks by hand.

    Streams take it wherever they take chunks, and turn it into a `TextDelta`, followed by `Finish` where
    `is_complete`: every chunk of a stream has these same readings.
    token_count: tokens in `text`. logprob: natural logarithm. tokens_per_second: speed so far.
    """

    text: str
    token_count: int = 1
    token_id: int | None = None
    logprob: float | None = None
    tokens_per_second: float | None = None
    is_complete: bool = False
    finish_reason: FinishReason | None = None

    def delta(self, block: int = 0, candidate: int = 0) -> TextDelta:
        """The text as a chunk of the family."""
        tokens: tuple[Token, ...] = ()
        if self.token_id is not None or self.logprob is not None:
            tokens = (Token(self.text, self.token_id, self.logprob),)
        if self.token_count == (len(tokens) or 1):
            return TextDelta(block, self.text, tokens, candidate, tokens_per_second=self.tokens_per_second)
        return CountedDelta(
            block,
            self.text,
            tokens,
            candidate,
            tokens_per_second=self.tokens_per_second,
            counted_tokens=self.token_count,
        )

    def chunks(self, block: int = 0, candidate: int = 0) -> list[Chunk]:
        """The same as chunks of the family: the text where there is some, the end where it is the end."""
        out: list[Chunk] = [self.delta(block, candidate)] if self.text else []
        if self.is_complete or self.finish_reason is not None:
            out.append(_end(self.finish_reason or "stop"))
        return out


class CountedDelta(TextDelta, frozen=True, gc=False, omit_defaults=True, tag="text-delta"):
    """Text whose number of tokens is known where the tokens themselves are not."""

    counted_tokens: int = 1

    @property
    def token_count(self) -> int:
        return self.counted_tokens


AnyChunk: TypeAlias = Chunk | GenerationChunk | str


def _end(reason: FinishReason) -> Chunk:
    if reason == "error":
        return Failure.of(StreamGenerationException("the source ended with finish_reason 'error'"))
    return Finish(reason)


def as_chunks(item: AnyChunk, like: Chunk | None = None) -> list[Chunk]:
    """What `item` is in the family; TypeError for what is none of the kinds.

    like: the text delta it was made from: a new text keeps its block, its candidate and its count of tokens.
    """
    block, candidate = (like.block, like.candidate) if isinstance(like, TextDelta) else (0, 0)
    if isinstance(item, str):
        count = like.token_count if isinstance(like, TextDelta) else 1
        return [GenerationChunk(item, count).delta(block, candidate)] if item else []
    if isinstance(item, GenerationChunk):
        return item.chunks(block, candidate)
    if isinstance(item, ChunkBase):
        return [item]
    raise TypeError(f"a stream of chunks takes str and chunks, not {type(item).__name__}")


class Turned:
    """The stage behind `map_chunks`: one chunk in, the chunks of what `turn` gives out."""

    def __init__(self, turn: Callable[[Any], Any], every: bool) -> None:
        self._turn = turn
        self._every = every
        self._over = False

    def feed(self, batch: Sequence[Any]) -> list[Chunk]:
        out: list[Chunk] = []
        for item in () if self._over else batch:
            try:
                out += self._one(item)
            except Exception as error:  # noqa: BLE001 - user code; a stage never raises on input
                out.append(failed(error))
            if out and isinstance(out[-1], TERMINALS):
                self._over = True
                break
        return out

    def close(self) -> list[Chunk]:
        self._over = True
        return []

    def _one(self, item: Any) -> list[Chunk]:
        if isinstance(item, TERMINALS) or not (self._every or isinstance(item, TextDelta)):
            return [item]
        return as_chunks(self._turn(item), like=item if isinstance(item, TextDelta) else None)


def chunks_of(items: AsyncIterable[Any] | Iterable[Any]) -> AsyncIterable[Chunk] | Iterable[Chunk]:
    """`items`, each as chunks, lazily and of the same kind of iterable. Closing it closes `items`."""
    if isinstance(items, AsyncIterable):
        return _later(items)
    if isinstance(items, (list, tuple)):
        return [chunk for item in items for chunk in as_chunks(item)]
    return _now(items)


def _now(items: Iterable[Any]) -> Iterator[Chunk]:
    try:
        for item in items:
            yield from as_chunks(item)
    finally:
        if isinstance(items, Iterator) and hasattr(items, "close"):
            items.close()


async def _later(items: AsyncIterable[Any]) -> AsyncIterator[Chunk]:
    try:
        async for item in items:
            for chunk in as_chunks(item):
                yield chunk
    finally:
        if hasattr(items, "aclose"):
            await items.aclose()


def is_content(chunk: Chunk) -> bool:
    """Whether it carries a part of the answer, rather than marking its beginning, end or cost."""
    return isinstance(chunk, _CONTENT)


def answer_text(chunk: Chunk) -> str:
    """The text that `chunk` adds to the (first) answer; heard text counts once it is committed."""
    text = chunk.text
    if not text or isinstance(chunk, TERMINALS):
        return ""
    if isinstance(chunk, TranscriptDelta) and not chunk.committed:
        return ""
    return "" if getattr(chunk, "candidate", 0) else text
