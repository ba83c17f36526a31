"""Chunks -> the events of a streamed transcription.

What any model says in text is the transcript, heard or answered; the first kind that comes is taken. What
else there is (reasoning, citations) has no place in the vendor's schema and is left out. A refusal is no
transcript, so it ends the answer.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from headrace.core.chunk import (
    Cancelled,
    CandidateEnd,
    Chunk,
    Failure,
    Finish,
    RefusalDelta,
    TextDelta,
    Token,
    TranscriptDelta,
    UsageReport,
    VendorPart,
    Word,
)
from headrace.core.usage import Usage
from headrace.errors import Truncated
from headrace.wire.logprobs import token_bodies
from headrace.wire.openai_audio.decode import ALL_TOKENS, SILENT
from headrace.wire.openai_audio.events import (
    as_failure,
    error_event,
    event_bytes,
    more_refusal,
    refused,
    segment_body,
)
from headrace.wire.openai_audio.schema import TEXT_DELTA, TEXT_DONE, TEXT_SEGMENT, Fields, own
from headrace.wire.openai_audio.usage import usage_body

_json = msgspec.json.encode
_BEFORE = b'data: {"type":"transcript.text.delta","delta":'


class TranscriptEncoder:
    """A stage: chunks -> SSE bytes of transcription events.

    logprobs, segments: whether the client asked for them. A Failure becomes an error event. That a model
    refused is a Failure as a value while nothing has been written.
    """

    __slots__ = ("_done", "_given", "_kind", "_language", "_logprobs", "_number", "_pieces", "_refusal",
                 "_said", "_segments", "_tokens", "_usage", "_wrote")  # fmt: skip

    def __init__(self, *, logprobs: bool = True, segments: bool = True) -> None:
        self._logprobs = logprobs
        self._segments = segments
        self._kind: type[TextDelta] | type[TranscriptDelta] | None = None  # which says the transcript
        self._pieces: list[str] = []
        self._tokens: list[Token] = []
        self._refusal = ""
        self._language = ""
        self._given: Fields = {}  # the last event's own fields as they came over this wire
        self._usage: Usage | None = None
        self._number = 0  # of segments
        self._wrote = False
        self._said = False  # the last event, or the failure in its place: only a failure can follow
        self._done = False

    def feed(self, batch: Sequence[Chunk]) -> list[bytes | Failure]:
        """The events for `batch`."""
        out: list[bytes | Failure] = []
        for chunk in batch:
            if self._done:
                break
            if isinstance(chunk, TranscriptDelta | TextDelta):
                self._text(chunk, out)
            else:
                self._other(chunk, out)
        return out

    def close(self) -> list[bytes | Failure]:
        """An input without a terminal is reported to the client as truncated."""
        out: list[bytes | Failure] = []
        if not self._done and not self._said:
            out = self.feed([Failure.of(Truncated("the source ended without a terminal"))])
        self._done = True
        return out

    def _text(self, chunk: TextDelta | TranscriptDelta, out: list[bytes | Failure]) -> None:
        if self._kind is None:
            self._kind = type(chunk)
        if self._said or chunk.candidate or type(chunk) is not self._kind:
            return
        if isinstance(chunk, TranscriptDelta):
            self._transcript(chunk, out)
        else:
            self._delta(chunk.text, chunk.tokens, {}, out)

    def _transcript(self, chunk: TranscriptDelta, out: list[bytes | Failure]) -> None:
        if not chunk.committed:  # it will be said again
            return
        kept = own(chunk.vendor)
        self._language = chunk.language or self._language
        if SILENT in kept or "segment" in kept:
            self._pieces.append(chunk.text)
            self._tokens += chunk.tokens
        elif chunk.text or chunk.tokens or kept or not (chunk.words or chunk.segments or chunk.language):
            self._delta(chunk.text, chunk.tokens, kept, out)
        if self._segments:
            for segment in chunk.segments:
                self._write(self._segment(segment, kept), out)

    def _delta(self, text: str, tokens: tuple[Token, ...], kept: Fields, out: list[bytes | Failure]) -> None:
        self._pieces.append(text)
        if not kept and not tokens:
            self._wrote = True
            out.append(b"%b%b}\n\n" % (_BEFORE, _json(text)))
            return
        self._tokens += tokens
        body: Fields = {"type": TEXT_DELTA, "delta": text}
        if tokens:
            body["logprobs"] = token_bodies(tokens, top=False)
        self._write({**body, **kept}, out)

    def _segment(self, segment: Word, kept: Fields) -> Fields:
        fields = segment_body(segment, f"seg_{self._number}")
        self._number += 1
        return {"type": TEXT_SEGMENT, **fields, **kept.get("segment", {})}

    def _write(self, fields: Fields, out: list[bytes | Failure]) -> None:
        self._wrote = True
        if not self._logprobs:
            fields.pop("logprobs", None)
        out.append(event_bytes(fields))

    def _other(self, chunk: Chunk, out: list[bytes | Failure]) -> None:
        match chunk:
            case UsageReport():
                self._usage = chunk.usage
            case RefusalDelta():
                self._refusal = more_refusal(self._refusal, chunk.refusal)
            case VendorPart() if own(chunk.part) and not self._said:
                self._write(dict(own(chunk.part)), out)
            case CandidateEnd():
                self._given = own(chunk.vendor)
            case Finish():
                self._say_all(self._given if "done" in self._given else {}, out)
                self._done = self._wrote
            case Failure() | Cancelled():
                self._done = True
                out.append(error_event(as_failure(chunk)))
            case _:
                pass

    def _say_all(self, given: Fields, out: list[bytes | Failure]) -> None:
        """The event that says it all again, once. given: what was kept of it where it came over this wire."""
        if self._said:
            return
        self._said = True
        text = "".join(self._pieces)
        if self._refusal and not text:
            failure = refused(self._refusal)
            out.append(error_event(failure) if self._wrote else failure)
            return
        body: Fields = {"type": TEXT_DONE, "text": text}
        if self._tokens and (ALL_TOKENS in given or not given):
            body["logprobs"] = token_bodies(self._tokens, top=False)
        if self._language and not given:
            body["languages"] = [{"code": self._language}]
        if self._usage is not None:
            body["usage"] = usage_body(self._usage, typed=True)
        self._write({**body, **given.get("done", {})}, out)
