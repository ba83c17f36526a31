"""A transcript as a chat's answer: who asked in a chat reads text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from headrace.core.chunk import BlockStart, Chunk, TextDelta, TranscriptDelta
from headrace.core.stage import Stage, pipe
from headrace.wire.base import NO_QUIRKS
from headrace.wire.openai_audio.decode import AudioDecoder
from headrace.wire.openai_audio.whole import body_decoder as plain_body_decoder

AS_TEXT = "as_text"  # among what a decoder is told: a chat was asked


def decoder(quirks: Mapping[str, Any] = NO_QUIRKS, /) -> Stage[bytes, Chunk]:
    """A fresh decoder of a streamed answer."""
    reading = AudioDecoder(quirks)
    return pipe(reading, AsText()) if quirks.get(AS_TEXT) else reading


def body_decoder(content_type: str, quirks: Mapping[str, Any]) -> Stage[bytes, Chunk] | None:
    """See `Wire.body_decoder`."""
    reading = plain_body_decoder(content_type, quirks)
    return pipe(reading, AsText()) if reading is not None and quirks.get(AS_TEXT) else reading


class AsText:
    """A stage: blocks of transcript become blocks of text. When it was said, and by whom, is left out."""

    __slots__ = ()

    def feed(self, batch: Sequence[Chunk]) -> list[Chunk]:
        """The same chunks, as text."""
        return [
            _as_text(chunk)
            for chunk in batch
            if type(chunk) is not TranscriptDelta or chunk.text or chunk.tokens
        ]

    def close(self) -> list[Chunk]:
        """Nothing is held."""
        return []


def _as_text(chunk: Chunk) -> Chunk:
    if isinstance(chunk, TranscriptDelta):
        return TextDelta(chunk.block, chunk.text, chunk.tokens)
    if isinstance(chunk, BlockStart) and chunk.kind == "transcript":
        return msgspec.structs.replace(chunk, kind="text")
    return chunk
