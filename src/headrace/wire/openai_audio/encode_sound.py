"""Chunks -> sound in the format that a client asked for, as events or as the bytes themselves.

The transcript of the sound, and any text, have no place in this protocol and are left out.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence

from headrace.core.chunk import (
    AudioDelta,
    Cancelled,
    CandidateEnd,
    Chunk,
    Failure,
    Finish,
    RefusalDelta,
    UsageReport,
    VendorPart,
)
from headrace.core.usage import Usage
from headrace.errors import RequestError, Truncated
from headrace.wire.openai_audio.events import as_failure, error_event, event_bytes, more_refusal, refused
from headrace.wire.openai_audio.schema import SOUND_DELTA, SOUND_DONE, SOUND_FORMATS, Fields, own
from headrace.wire.openai_audio.usage import usage_body
from headrace.wire.sound import PCM_RATE_HZ, container_of, media_type_of, wav_head

_NAMES = {ours: name for name, ours in SOUND_FORMATS.items()}


class Shape:
    """Brings sound into the format that was asked for, where that needs no new encoding.

    asked: our name of it, empty: whatever comes, raw samples as a WAV file so that they can be played.
    content_type: of what goes out; known once the first sound was taken.
    """

    __slots__ = ("_asked", "_begun", "content_type")

    def __init__(self, asked: str) -> None:
        self._asked = asked
        self._begun = False
        self.content_type = "application/octet-stream"

    def take(self, delta: AudioDelta) -> bytes | Failure:
        """The bytes for `delta`, or why they cannot be given."""
        if self._begun:
            return delta.data
        self._begun = True
        given = delta.format or container_of(delta.data)
        rate_hz, channels = delta.sample_rate_hz or PCM_RATE_HZ, delta.channels or 1
        if given == "pcm16" and self._asked in ("wav", ""):
            self.content_type = media_type_of("wav")
            return wav_head(rate_hz, channels) + delta.data
        if self._asked not in (given, ""):
            return _other_format(self._asked, given)
        if given == "pcm16":
            self.content_type = media_type_of(given, rate_hz, channels)
        elif given:
            self.content_type = media_type_of(given)
        return delta.data


def _other_format(asked: str, given: str) -> Failure:
    way = "leave it out to take what comes"
    if given in _NAMES:
        way = "ask for wav or pcm" if given == "pcm16" else f"ask for {_NAMES[given]}"
    speaks = f"speaks {_NAMES.get(given, given)}" if given else "does not say in which format it speaks"
    said = (
        f"response_format: the model {speaks}, and nothing here makes {_NAMES.get(asked, asked)} of it: {way}"
    )
    return Failure.of(RequestError(said, field="response_format", value=asked, code="unsupported_format"))


def no_sound() -> Failure:
    """The failure for a model that gave no sound."""
    said = "model: it gave no sound; choose one that speaks"
    return Failure.of(RequestError(said, field="model", code="no_sound"))


class SoundEncoder:
    """A stage: chunks -> the bytes of a sound file as they come; or (`events`) SSE bytes of speech events.

    asked: our name of the format. That a model gives no sound, or not in the format that was asked for, is a
    Failure as a value. So is every failure where sound goes out as it is: its bytes have no word for one.
    """

    __slots__ = ("_done", "_events", "_given", "_refusal", "_said", "_shape", "_spoke", "_usage", "_wrote")

    def __init__(self, asked: str = "", *, events: bool = False) -> None:
        self._shape = Shape(asked)
        self._events = events
        self._refusal = ""
        self._usage: Usage | None = None
        self._given: Fields = {}  # the last event's own fields as they came over this wire
        self._spoke = False
        self._wrote = False
        self._said = False  # the end, or a failure in its place: only a failure can follow
        self._done = False

    @property
    def content_type(self) -> str:
        """Of sound as it is; known with the first of it."""
        return self._shape.content_type

    def feed(self, batch: Sequence[Chunk]) -> list[bytes | Failure]:
        """The sound in `batch`."""
        out: list[bytes | Failure] = []
        for chunk in batch:
            if self._done:
                break
            if type(chunk) is AudioDelta:
                self._sound(chunk, out)
            else:
                self._other(chunk, out)
        return out

    def close(self) -> list[bytes | Failure]:
        """An input without a terminal was cut."""
        out: list[bytes | Failure] = []
        if not self._done and not self._said:
            out = self.feed([Failure.of(Truncated("the source ended without a terminal"))])
        self._done = True
        return out

    def _sound(self, chunk: AudioDelta, out: list[bytes | Failure]) -> None:
        if not chunk.data or chunk.candidate or self._said:
            return
        sound = self._shape.take(chunk)
        if isinstance(sound, Failure):
            self._stop(sound, out)
            return
        self._spoke = self._wrote = True
        if not self._events:
            out.append(sound)
            return
        fields = {"type": SOUND_DELTA, "audio": b64encode(sound).decode()}
        out.append(event_bytes({**fields, **own(chunk.vendor)}))

    def _other(self, chunk: Chunk, out: list[bytes | Failure]) -> None:
        match chunk:
            case UsageReport():
                self._usage = chunk.usage
            case RefusalDelta():
                self._refusal = more_refusal(self._refusal, chunk.refusal)
            case CandidateEnd():
                self._given = own(chunk.vendor).get("done", {})
            case VendorPart() if self._events and own(chunk.part) and not self._said:
                self._wrote = True
                out.append(event_bytes(own(chunk.part)))
            case Finish() if not self._said:
                self._finish(out)
            case Failure() | Cancelled():
                self._done = True
                failure = as_failure(chunk)
                out.append(error_event(failure) if self._events else failure)
            case _:
                pass

    def _finish(self, out: list[bytes | Failure]) -> None:
        if not self._spoke:
            self._stop(refused(self._refusal) if self._refusal else no_sound(), out)
            return
        self._said = self._done = True
        if self._events:
            body: Fields = {"type": SOUND_DONE}
            if self._usage is not None:
                body["usage"] = usage_body(self._usage, typed=False)
            out.append(event_bytes({**body, **self._given}))

    def _stop(self, failure: Failure, out: list[bytes | Failure]) -> None:
        """End with a failure of our own. As a value it may come back, to be written."""
        self._said = True
        self._done = self._wrote or not self._events
        out.append(error_event(failure) if self._events and self._wrote else failure)
