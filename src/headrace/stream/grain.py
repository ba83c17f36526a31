"""Chunks -> text, and text deltas cut to a better size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Protocol, TypeAlias

from headrace.core.chunk import TERMINALS, Chunk, TextDelta, Token
from headrace.stream.chunks import answer_text
from headrace.stream.sentences import Sentences
from headrace.stream.text import Words

Granularity: TypeAlias = Literal["word", "sentence", "chunk"]
# Seconds between two pieces that read well, by their size.
FEEL_S: dict[Granularity, float] = {"word": 0.05, "sentence": 0.1, "chunk": 0.2}


class Texts:
    """The answer's text of each chunk that has some. A terminal passes, and is the last thing given."""

    def __init__(self) -> None:
        self._over = False

    def feed(self, batch: Sequence[Chunk]) -> list[Any]:
        out: list[Any] = []
        for chunk in () if self._over else batch:
            if isinstance(chunk, TERMINALS):
                self._over = True
                out.append(chunk)
                break
            if text := answer_text(chunk):
                out.append(text)
        return out

    def close(self) -> list[Any]:
        self._over = True
        return []


class Splitter(Protocol):
    """What cuts text: `Words`, `Sentences`."""

    def feed(self, batch: Sequence[str], /) -> list[str]: ...
    def close(self) -> list[str]: ...


class Regrain:
    """Text deltas as words or sentences; all other chunks pass, in their order.

    What is held back of a block goes out before anything else does. The tokens of a delta go with the first
    piece given out after it came, so that none is lost or counted twice.
    """

    def __init__(self, grain: Literal["word", "sentence"]) -> None:
        if grain not in ("word", "sentence"):
            raise ValueError(f"granularity must be 'word', 'sentence' or 'chunk', not {grain!r}")
        self._grain = grain
        self._splitter: Splitter = self._fresh()
        self._last: TextDelta | None = None  # of the block that is held
        self._tokens: list[Token] = []
        self._over = False

    def feed(self, batch: Sequence[Chunk]) -> list[Chunk]:
        out: list[Chunk] = []
        for chunk in () if self._over else batch:
            if not isinstance(chunk, TextDelta):
                self._flush(out)
                out.append(chunk)
                self._over = isinstance(chunk, TERMINALS)
                if self._over:
                    break
                continue
            last = self._last
            if last is not None and (last.block, last.candidate) != (chunk.block, chunk.candidate):
                self._flush(out)
            self._last = chunk
            self._tokens += chunk.tokens
            self._put(self._splitter.feed([chunk.text]), out)
        return out

    def close(self) -> list[Chunk]:
        out: list[Chunk] = []
        self._flush(out)
        self._over = True
        return out

    def _fresh(self) -> Splitter:
        return Words() if self._grain == "word" else Sentences()

    def _flush(self, out: list[Chunk]) -> None:
        if self._last is not None:
            self._put(self._splitter.close() or [""] * bool(self._tokens), out)
            self._splitter = self._fresh()
            self._last = None

    def _put(self, pieces: list[str], out: list[Chunk]) -> None:
        last = self._last
        for piece in pieces:
            if last is not None:
                tokens, self._tokens = tuple(self._tokens), []
                speed = last.tokens_per_second
                out.append(TextDelta(last.block, piece, tokens, last.candidate, last.vendor, speed))
