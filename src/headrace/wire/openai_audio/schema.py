"""The vendor's JSON for transcription and speech, as Structs.

Source: OpenAI's published schema as the official Python client (openai 3.52, `types/audio/`) carries it, and
its reference page "Transcription streaming events"; speech events as the reference and speaches' server write
them; all read 2026-11-25. The Structs of deltas forbid unknown fields on purpose: such an event is read again
as plain data, so that nothing of it is lost.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec

from headrace.core.opaque import Opaque
from headrace.wire.kept import own_of
from headrace.wire.logprobs import LogProb

WIRE_NAME = "openai_audio"
Fields = dict[str, Any]

TEXT_DELTA = "transcript.text.delta"
TEXT_SEGMENT = "transcript.text.segment"
TEXT_DONE = "transcript.text.done"
SOUND_DELTA = "speech.audio.delta"
SOUND_DONE = "speech.audio.done"

# The vendor's names of formats that a speech client can ask for, and ours.
SOUND_FORMATS = {"mp3": "mp3", "opus": "opus", "aac": "aac", "flac": "flac", "wav": "wav", "pcm": "pcm16"}
TRANSCRIPT_FORMATS = ("json", "text", "srt", "verbose_json", "vtt", "diarized_json")
# What a speech provider sends where no format was asked for.
DEFAULT_SOUND = "mp3"


def own(vendor: Opaque | None) -> Fields:
    """The data of what came over this wire; empty for any other's."""
    return own_of(vendor, WIRE_NAME)


def kept(fields: Fields) -> Opaque | None:
    """`fields` for the same wire, None where there is nothing to keep."""
    return Opaque(WIRE_NAME, fields) if fields else None


class TextDeltaBody(msgspec.Struct, gc=False, forbid_unknown_fields=True, tag_field="type", tag=TEXT_DELTA):
    """A piece of a transcript. obfuscation is random padding against traffic analysis: not kept."""

    delta: str
    logprobs: list[Any] | None = None
    segment_id: str | None = None
    obfuscation: Any = None


class SoundDeltaBody(msgspec.Struct, gc=False, forbid_unknown_fields=True, tag_field="type", tag=SOUND_DELTA):
    """A piece of sound, base64 in JSON."""

    audio: bytes
    obfuscation: Any = None


AnyDelta: TypeAlias = TextDeltaBody | SoundDeltaBody


class SegmentBody(msgspec.Struct, gc=False):
    """A stretch of the sound; times in seconds. speaker: told by models that tell speakers apart."""

    text: str = ""
    start: float | None = None
    end: float | None = None
    speaker: str | None = None


class WordBody(msgspec.Struct, gc=False):
    """A word; times in seconds."""

    word: str = ""
    start: float | None = None
    end: float | None = None


class LanguageBody(msgspec.Struct, gc=False):
    """A language that was heard."""

    code: str = ""


class UsageBody(msgspec.Struct, gc=False):
    """What it cost: tokens, or (type "duration") seconds of sound."""

    type: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None


class WholeBody(msgspec.Struct, gc=False):
    """A whole transcription: json, verbose_json and diarized_json are told apart by what they have."""

    text: str
    language: str | None = None
    languages: list[LanguageBody] | None = None
    segments: list[SegmentBody] | None = None
    words: list[WordBody] | None = None
    logprobs: list[LogProb] | None = None
    usage: Fields | None = None


class VoiceBody(msgspec.Struct):
    """A voice of one's own."""

    id: str


class SpeechBody(msgspec.Struct):
    """The fields of a speech request."""

    model: str
    input: str
    voice: str | VoiceBody | None = None
    instructions: str | None = None
    response_format: str | None = None
    speed: float | None = None
    stream_format: str | None = None
