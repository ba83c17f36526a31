"""Answers that are no event stream, -> chunks: a whole transcription, plain text, sound as it is.

The end of each is the end of its HTTP body, so only who read that can tell a whole one from a cut one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from headrace.core.chunk import (
    AudioDelta,
    BlockEnd,
    BlockStart,
    CandidateEnd,
    Chunk,
    Failure,
    Finish,
    Start,
    TranscriptDelta,
    UsageReport,
    Word,
)
from headrace.core.stage import Stage
from headrace.errors import Truncated, WireError
from headrace.wire.halves import read_mended
from headrace.wire.logprobs import tokens_from
from headrace.wire.openai_audio.schema import SegmentBody, WholeBody, kept
from headrace.wire.openai_audio.usage import usage_from
from headrace.wire.openai_error import failure_from_response
from headrace.wire.reading import UNREADABLE
from headrace.wire.sound import ASKED_FORMAT, PCM_RATE_HZ, format_of, samples_in

MAX_BODY_BYTES = 16 * 2**20
_SOUND_OF_ANY_KIND = ("application/octet-stream", "binary/octet-stream")


def body_decoder(content_type: str, quirks: Mapping[str, Any]) -> Stage[bytes, Chunk] | None:
    """The decoder for a good answer of this type; None for one that is no answer."""
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type == "application/json":
        return WholeDecoder()
    if media_type == "text/plain":
        return WholeDecoder(plain=True)
    told = format_of(media_type)
    if not told and media_type not in _SOUND_OF_ANY_KIND:
        return None
    asked = str(quirks.get(ASKED_FORMAT, ""))
    if not told or (told, asked) == ("ogg", "opus"):  # Opus travels in Ogg
        told = asked
    return SoundDecoder(told, *samples_in(content_type))


class WholeDecoder:
    """A stage: the bytes of a whole transcription in any split -> chunks, at its end. Bounded.

    plain: the body is the text alone.
    """

    __slots__ = ("_done", "_held", "_max", "_plain")

    def __init__(self, *, plain: bool = False, max_body_bytes: int = MAX_BODY_BYTES) -> None:
        self._held = bytearray()
        self._plain = plain
        self._max = max_body_bytes
        self._done = False

    def feed(self, batch: Sequence[bytes]) -> list[Chunk]:
        """Nothing, while the answer is not too long."""
        if self._done:
            return []
        for data in batch:
            self._held += data
            if len(self._held) > self._max:
                self._stop()
                said = f"the answer is longer than {self._max} bytes"
                return [Failure.of(WireError(said, code="answer_too_long"))]
        return []

    def close(self) -> list[Chunk]:
        """The whole transcription."""
        if self._done:
            return []
        body = bytes(self._held)
        self._stop()
        return read_plain(body) if self._plain else read_whole(body)

    def _stop(self) -> None:
        self._done = True
        self._held = bytearray()


def read_plain(body: bytes) -> list[Chunk]:
    """The chunks of a transcription that is text alone; the line end that closes it is not part of it."""
    text = body.decode("utf-8", "replace").removesuffix("\n")
    return [*_begun(TranscriptDelta(0, text)), BlockEnd(0), CandidateEnd("stop"), Finish()]


def read_whole(body: bytes) -> list[Chunk]:
    """The chunks of a transcription in JSON, ended by what it is: a Finish, or the failure in its place.

    All its fields are kept with the candidate's end, save for those that the chunks hold as they came.
    """
    try:
        data = read_mended(body)
        parsed = msgspec.convert(data, WholeBody, strict=False)
        usage = usage_from(parsed.usage) if parsed.usage else None
    except UNREADABLE:
        return [failure_from_response(200, {}, body, "")]
    delta = TranscriptDelta(
        0,
        parsed.text,
        words=tuple(Word(one.word, one.start or 0.0, one.end or 0.0) for one in parsed.words or ()),
        language=parsed.language or next((one.code for one in parsed.languages or ()), ""),
        segments=tuple(stretch(one) for one in parsed.segments or ()),
        tokens=tokens_from(parsed.logprobs),
    )
    rest = {name: value for name, value in data.items() if name not in ("text", "usage")}
    out = [*_begun(delta), BlockEnd(0)]
    if usage is not None:
        out.append(UsageReport(usage))
    return [*out, CandidateEnd("stop", vendor=kept({"body": rest} if rest else {})), Finish()]


def stretch(segment: SegmentBody) -> Word:
    """A segment as ours."""
    return Word(segment.text, segment.start or 0.0, segment.end or 0.0, speaker=segment.speaker or "")


def _begun(delta: TranscriptDelta) -> list[Chunk]:
    return [Start(), BlockStart(0, "transcript"), delta]


class SoundDecoder:
    """A stage: sound in any split -> chunks, each read as it comes."""

    __slots__ = ("_begun", "_channels", "_done", "_format", "_rate")

    def __init__(self, format: str, sample_rate_hz: int = 0, channels: int = 0) -> None:
        self._format = format
        raw = format == "pcm16"
        self._rate = sample_rate_hz or (PCM_RATE_HZ if raw else 0)
        self._channels = channels or (1 if raw else 0)
        self._begun = False
        self._done = False

    def feed(self, batch: Sequence[bytes]) -> list[Chunk]:
        """The sound in `batch`."""
        out: list[Chunk] = []
        if self._done:
            return out
        for data in batch:
            if data:
                if not self._begun:
                    self._begun = True
                    out += [Start(), BlockStart(0, "audio")]
                out.append(AudioDelta(0, data, self._format, self._rate, self._channels))
        return out

    def close(self) -> list[Chunk]:
        """The end; an answer without any sound is a failure."""
        if self._done:
            return []
        self._done = True
        if not self._begun:
            return [Failure.of(Truncated("the provider sent no sound", code="empty_response"))]
        return [BlockEnd(0), CandidateEnd("stop"), Finish()]
