"""Chunks -> envelopes: the last operator before a managed stream's session."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import msgspec

from headrace.core.chunk import (
    TERMINALS,
    AudioDelta,
    CandidateEnd,
    Chunk,
    Finish,
    ReasoningDelta,
    RefusalDelta,
    Start,
    Terminal,
    TextDelta,
    TranscriptDelta,
    UsageReport,
)
from headrace.core.content import CONTENT
from headrace.core.model import Source
from headrace.core.stage import Stage
from headrace.core.usage import Usage
from headrace.sessions.managed.deltas import DeltaGenerator
from headrace.sessions.managed.types import StreamChunk, StreamContext
from headrace.stream.push import Node, failed


class Writes(Protocol):
    """Turns chunks into the data of envelopes. chunk_type: of all of them."""

    chunk_type: str

    def begin(self, start: Start) -> None:
        """What every piece says of the answer."""

    def write(self, chunk: Chunk) -> Sequence[Any]:
        """The pieces that say `chunk`. An end of a candidate's has one at least; a Finish has none."""


class WireWriter:
    """By a wire's encoder, which writes an object an event.

    The encoder's `[DONE]` is left out: how a stream ends is its formatter's to say.
    """

    def __init__(self, encoder: Stage[Chunk, bytes], chunk_type: str) -> None:
        self._encoder = encoder
        self.chunk_type = chunk_type

    def begin(self, start: Start) -> None:
        self._encoder.feed((start,))

    def write(self, chunk: Chunk) -> Sequence[Any]:
        if isinstance(chunk, TERMINALS):
            return ()
        return [_decode(event[_DATA:-_END]) for event in self._encoder.feed((chunk,))]


_decode = msgspec.json.decode
_DATA, _END = len(b"data: "), len(b"\n\n")


class SoundWriter:
    """Sound as bytes and what is said in it as text, each in the form of `DeltaGenerator`.

    Only what was heard for good; tentative hearings, reasoning and calls have no place in a sound.
    """

    chunk_type = "audio"

    def __init__(self) -> None:
        self._deltas = DeltaGenerator()

    def begin(self, start: Start) -> None:
        """Nothing: its pieces do not name the answer."""

    def write(self, chunk: Chunk) -> Sequence[Any]:
        match chunk:
            case AudioDelta():
                format = {"format": chunk.format} if chunk.format else {}
                rate = {"sample_rate_hz": chunk.sample_rate_hz} if chunk.sample_rate_hz else {}
                return ({**self._deltas.generate_audio_delta(chunk.data), **format, **rate},)
            case TranscriptDelta(committed=True) | TextDelta():
                return (self._deltas.generate_audio_delta(transcript_delta=chunk.text),)
            case RefusalDelta():
                return ({"refusal": chunk.refusal},)
            case CandidateEnd():
                return ({"finish_reason": chunk.finish_reason},)
            case _:
                return ()


class _Piece(NamedTuple):
    data: Any
    tokens: int


class Enveloped(Node[Chunk, StreamChunk]):
    """Gives each piece in an envelope. The last one is marked: from the end of a candidate on, one is held.

    usage: as the source has reported it so far. finish_reason: of the first candidate. content, reasoning:
    how many pieces of content came, and how many of them are reasoning.
    """

    def __init__(self, above: Source[Chunk], context: StreamContext, writes: Writes, id_prefix: str) -> None:
        super().__init__(above)
        self._context = context
        self._writes = writes
        self._id = f"{id_prefix}{context.stream_id.removeprefix('stream-')}"
        self._begun = False
        self._number = 0
        self._held: _Piece | None = None
        self._candidate_ended = False
        self.usage: Usage | None = None
        self.finish_reason = ""
        self.content = 0
        self.reasoning = 0

    def push(self, batch: Sequence[Chunk], /) -> None:
        if self._over:
            return
        out: list[StreamChunk] = []
        try:
            for chunk in batch:
                self._take(chunk, out)
        except Exception as error:  # noqa: BLE001 - becomes the stream's failure; a sink must not raise
            self._give(out)
            self._stop(failed(error))
            return
        self._give(out)

    def end(self, terminal: Terminal, /) -> None:
        if self._over:
            return
        out: list[StreamChunk] = []
        if isinstance(terminal, Finish):
            if self._begun and not self._candidate_ended:
                self._take(CandidateEnd(terminal.finish_reason, terminal.raw_reason), out)
            self._release(out, is_last=True)
        else:
            self._release(out)
        self._give(out)
        self._finish(terminal)

    def _take(self, chunk: Chunk, out: list[StreamChunk]) -> None:
        if not self._begun:
            self._begun = True
            start = chunk if isinstance(chunk, Start) else Start()
            self._writes.begin(self._complete(start))
            if chunk is start:
                return
        self._look(chunk)
        pieces = self._writes.write(chunk)
        for at, data in enumerate(pieces, 1):
            # A role that goes before the first text is no token of it.
            piece = _Piece(data, chunk.token_count if at == len(pieces) else 0)
            self._release(out)
            if self._candidate_ended:
                self._held = piece
            else:
                out.append(self._envelope(piece))

    def _look(self, chunk: Chunk) -> None:
        kind = type(chunk)
        if kind in CONTENT:
            self.content += 1
            self.reasoning += kind is ReasoningDelta
        elif isinstance(chunk, UsageReport):
            self.usage = chunk.usage
        elif isinstance(chunk, CandidateEnd):
            self._candidate_ended = True
            if not chunk.candidate:
                self.finish_reason = chunk.finish_reason

    def _complete(self, start: Start) -> Start:
        """The answer's own id and time where it has them; the model that was named, if one was."""
        return Start(
            start.id or self._id,
            self._context.model or start.model,
            start.created_s or int(time.time()),
            start.vendor,
        )

    def _release(self, out: list[StreamChunk], *, is_last: bool = False) -> None:
        held, self._held = self._held, None
        if held is not None:
            out.append(self._envelope(held, is_last=is_last))

    def _envelope(self, piece: _Piece, *, is_last: bool = False) -> StreamChunk:
        number = self._number
        self._number = number + 1
        return StreamChunk(
            f"{self._context.stream_id}-{number}",
            number,
            piece.data,
            self._writes.chunk_type,
            piece.tokens,
            number == 0,
            is_last,
        )

    def _free(self) -> None:
        self._held = None
