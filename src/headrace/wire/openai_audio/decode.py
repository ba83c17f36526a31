"""Bytes of a streamed answer -> chunks: framing, JSON, the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import count
from typing import Any
from zlib import crc32

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
    Token,
    TranscriptDelta,
    UsageReport,
    VendorPart,
)
from headrace.core.opaque import Opaque
from headrace.errors import Truncated
from headrace.wire.base import NO_QUIRKS
from headrace.wire.event_decoder import MAX_EVENT_BYTES, EventDecoder
from headrace.wire.failing import broken
from headrace.wire.halves import read_mended
from headrace.wire.logprobs import token_bodies, tokens_in
from headrace.wire.misfit import Misfit
from headrace.wire.openai_audio.schema import (
    SOUND_DELTA,
    SOUND_DONE,
    TEXT_DELTA,
    TEXT_DONE,
    TEXT_SEGMENT,
    WIRE_NAME,
    AnyDelta,
    Fields,
    LanguageBody,
    SegmentBody,
    SoundDeltaBody,
    TextDeltaBody,
    kept,
)
from headrace.wire.openai_audio.usage import usage_from
from headrace.wire.openai_audio.whole import read_whole, stretch
from headrace.wire.openai_error import failure_from_event, failure_from_response
from headrace.wire.plain import may_be_deep
from headrace.wire.reading import UNREADABLE, sift
from headrace.wire.sound import ASKED_FORMAT, PCM_RATE_HZ
from headrace.wire.terminator import BRACKET, is_done

_read = msgspec.json.Decoder(AnyDelta).decode
# In `vendor`: no event of its own said so, so none goes out for it.
SILENT = "silent"
# In `vendor`: the event that ended the answer had the log probabilities of all its tokens.
ALL_TOKENS = "all_tokens"
_UNTYPED = (
    "it has no type: where the provider streams in a protocol of its own, set the quirk no_stream and it is "
    "asked for whole answers"
)


class AudioDecoder(EventDecoder):
    """A stage: bytes in any split -> chunks. Eager, linear, never raises; inert after its terminal.

    The end is `transcript.text.done` or `speech.audio.done`; end of input before is a Failure `truncated`.
    A `done` says the whole text again: what of it no delta brought is said then, and where it contradicts
    the deltas it is kept with the candidate's end. `[DONE]`, which some servers add, is not needed.
    Unknown events and fields are kept. A whole transcription in JSON is read as one.
    """

    __slots__ = ("_block", "_chars", "_check", "_format", "_numbers", "_sound", "_started", "_tokens")

    def __init__(
        self, quirks: Mapping[str, Any] = NO_QUIRKS, *, max_event_bytes: int = MAX_EVENT_BYTES
    ) -> None:
        super().__init__(failure_from_response, max_event_bytes)
        self._format = str(quirks.get(ASKED_FORMAT, ""))
        self._numbers = count()
        self._started = False
        self._block = -1  # the transcript's
        self._sound = -1
        self._chars = 0  # of the transcript so far
        self._check = 0  # its CRC-32: what `done` says is compared with it, and the text need not be held
        self._tokens = 0

    def _closed(self, out: list[Chunk]) -> None:
        done = SOUND_DONE if self._sound >= 0 else TEXT_DONE
        said = f"the stream ended after {self._events} events without {done}"
        self._end(Failure.of(Truncated(said)), out)

    def _unframed(self, misfit: Misfit, out: list[Chunk]) -> None:
        out += read_whole(misfit.held)
        self._done = True

    def _event(self, data: bytes, name: bytes, out: list[Chunk]) -> None:
        if data[0] == BRACKET and is_done(data):
            return
        self._events += 1
        try:
            if may_be_deep(data):
                raise msgspec.ValidationError
            body = _read(data)
        except UNREADABLE:
            self._whole_event(data, name.decode("utf-8", "replace"), out)
            return
        if type(body) is SoundDeltaBody:
            self._sounded(body.audio, None, out)
            return
        if not body.logprobs and body.segment_id is None:
            self._heard(body.delta, (), None, out)
            return
        try:
            self._delta(body, {}, out)
        except ValueError as error:
            self._end(broken(data, self._events, str(error)), out)

    def _heard(self, text: str, tokens: tuple[Token, ...], vendor: Opaque | None, out: list[Chunk]) -> None:
        self._chars += len(text)
        self._check = crc32(text.encode("utf-8", "replace"), self._check)
        self._tokens += len(tokens)
        out.append(TranscriptDelta(self._transcript(out), text, vendor=vendor, tokens=tokens))

    def _transcript(self, out: list[Chunk]) -> int:
        if self._block < 0:
            self._begin(out)
            self._block = next(self._numbers)
            out.append(BlockStart(self._block, "transcript"))
        return self._block

    def _begin(self, out: list[Chunk]) -> None:
        if not self._started:
            self._started = True
            out.append(Start())

    def _sounded(self, sound: bytes, vendor: Opaque | None, out: list[Chunk]) -> None:
        if self._sound < 0:
            self._begin(out)
            self._sound = next(self._numbers)
            out.append(BlockStart(self._sound, "audio"))
        rate, channels = (PCM_RATE_HZ, 1) if self._format == "pcm16" else (0, 0)
        out.append(AudioDelta(self._sound, sound, self._format, rate, channels, vendor=vendor))

    def _whole_event(self, data: bytes, name: str, out: list[Chunk]) -> None:
        """An event that is no plain delta: one of the rarer kinds, odd, an error, or broken."""
        try:
            event = read_mended(data)
        except UNREADABLE as error:
            text = data.decode("utf-8", "replace")
            bad = broken(data, self._events, f"not valid JSON ({error})")
            self._end(failure_from_event(text, data) if name == "error" else bad, out)
            return
        if name == "error" or (
            isinstance(event, dict) and (event.get("error") or event.get("type") == "error")
        ):
            self._end(failure_from_event(event, data), out)
            return
        kind = (event.get("type") or name) if isinstance(event, dict) else None
        if not isinstance(kind, str) or not kind:
            self._end(broken(data, self._events, _UNTYPED if kind is not None else "no JSON object"), out)
            return
        reader = _READERS.get(kind)
        if reader is None:
            self._begin(out)
            out.append(VendorPart(Opaque(WIRE_NAME, {"type": kind, **event})))
            return
        try:
            reader(self, event, out)
        except ValueError as error:  # msgspec's are too
            self._end(broken(data, self._events, str(error)), out)

    def _odd_delta(self, event: Fields, out: list[Chunk]) -> None:
        event.setdefault("type", TEXT_DELTA)
        known, extra = sift(event, TextDeltaBody)
        extra.pop("type", None)
        self._delta(msgspec.convert(known, TextDeltaBody), extra, out)

    def _delta(self, body: TextDeltaBody, extra: Fields, out: list[Chunk]) -> None:
        """A delta with more than text."""
        tokens = tokens_in(body.logprobs) if body.logprobs else ()
        if body.segment_id is not None:
            extra["segment_id"] = body.segment_id
        if body.logprobs and token_bodies(tokens, top=False) != body.logprobs:
            extra["logprobs"] = body.logprobs
        self._heard(body.delta, tokens, kept(extra), out)

    def _odd_sound(self, event: Fields, out: list[Chunk]) -> None:
        event.setdefault("type", SOUND_DELTA)
        known, extra = sift(event, SoundDeltaBody)
        extra.pop("type", None)
        self._sounded(msgspec.convert(known, SoundDeltaBody).audio, kept(extra), out)

    def _segment(self, event: Fields, out: list[Chunk]) -> None:
        """When a stretch was said, and by whom; its text came in deltas, or comes in the end."""
        body = msgspec.convert(event, SegmentBody)
        _, extra = sift(event, SegmentBody)
        extra.pop("type", None)
        vendor = Opaque(WIRE_NAME, {"segment": extra})
        out.append(TranscriptDelta(self._transcript(out), "", segments=(stretch(body),), vendor=vendor))

    def _text_done(self, event: Fields, out: list[Chunk]) -> None:
        text = event.get("text")
        if not isinstance(text, str):
            raise ValueError("text is missing")
        rest = {name: value for name, value in event.items() if name not in ("type", "text", "usage")}
        missed = ""
        if crc32(text[: self._chars].encode("utf-8", "replace")) == self._check:
            missed = text[self._chars :]
        else:
            rest["text"] = text
        beside = self._catch_up(missed, rest, out)
        self._ended(self._block, event.get("usage"), {"done": rest, **beside}, out)

    def _catch_up(self, missed: str, rest: Fields, out: list[Chunk]) -> Fields:
        """Say what only the end tells: text, tokens, the language. Returns what to keep beside `rest`."""
        beside: Fields = {}
        tokens: tuple[Token, ...] = ()
        if rest.get("logprobs"):
            all_tokens = tokens_in(rest["logprobs"])
            if not self._tokens:
                tokens = all_tokens
            if (
                self._tokens in (0, len(all_tokens))
                and token_bodies(all_tokens, top=False) == rest["logprobs"]
            ):
                del rest["logprobs"]
                beside[ALL_TOKENS] = True
        languages = msgspec.convert(rest.get("languages") or [], list[LanguageBody])
        language = languages[0].code if languages else ""
        if missed or tokens or language or self._block < 0:
            block = self._transcript(out)
            vendor = Opaque(WIRE_NAME, {SILENT: True})
            out.append(TranscriptDelta(block, missed, language=language, vendor=vendor, tokens=tokens))
        return beside

    def _sound_done(self, event: Fields, out: list[Chunk]) -> None:
        if self._sound < 0:
            self._end(Failure.of(Truncated("the provider sent no sound", code="empty_response")), out)
            return
        rest = {name: value for name, value in event.items() if name not in ("type", "usage")}
        self._ended(self._sound, event.get("usage"), {"done": rest}, out)

    def _ended(self, block: int, usage: Any, vendor: Fields, out: list[Chunk]) -> None:
        if usage is not None and not isinstance(usage, dict):
            raise ValueError("usage is no object")
        report = UsageReport(usage_from(usage)) if usage else None
        out.append(BlockEnd(block))
        if report is not None:
            out.append(report)
        out.append(CandidateEnd("stop", vendor=Opaque(WIRE_NAME, vendor)))
        self._end(Finish(), out)


_READERS: dict[str, Callable[[AudioDecoder, Fields, list[Chunk]], None]] = {
    TEXT_DELTA: AudioDecoder._odd_delta,
    TEXT_SEGMENT: AudioDecoder._segment,
    TEXT_DONE: AudioDecoder._text_done,
    SOUND_DELTA: AudioDecoder._odd_sound,
    SOUND_DONE: AudioDecoder._sound_done,
}
