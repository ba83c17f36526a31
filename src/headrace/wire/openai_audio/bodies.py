"""Whole replies -> the bodies of answers that are not streamed."""

from __future__ import annotations

import msgspec

from headrace.core.chunk import AudioDelta, Failure, Word
from headrace.core.reply import Candidate, Reply
from headrace.core.request import Transcription
from headrace.errors import RequestError
from headrace.wire.base import ParsedRequest, Says
from headrace.wire.logprobs import token_bodies
from headrace.wire.openai_audio.encode_sound import Shape, no_sound
from headrace.wire.openai_audio.events import refused, segment_body
from headrace.wire.openai_audio.schema import TEXT_SEGMENT, Fields, own
from headrace.wire.openai_audio.subtitles import srt, vtt
from headrace.wire.openai_audio.usage import usage_body

_TYPES = {
    "text": "text/plain; charset=utf-8",
    "srt": "text/plain; charset=utf-8",
    "vtt": "text/vtt; charset=utf-8",
}


def transcription_type(parsed: ParsedRequest) -> str:
    """The content type of a whole transcription."""
    return _TYPES.get(parsed.wanted.get("response_format", "json"), "application/json")


def transcription_body(reply: Reply, _says: Says, parsed: ParsedRequest) -> bytes | Failure:
    """A transcription that ended well, in the form that was asked for; or why it cannot have it."""
    candidate = reply.candidates[0] if reply.candidates else Candidate()
    given: Fields = {}
    for vendor in candidate.vendor:
        given |= own(vendor).get("body", {}) | own(vendor).get("done", {})
    text = given.get("text") or candidate.transcript or candidate.text  # the end of a stream knows best
    if candidate.refusal and not text:
        return refused(candidate.refusal)
    wanted = parsed.wanted.get("response_format", "json")
    if wanted == "text":
        return text.encode("utf-8", "replace")
    if wanted in ("srt", "vtt"):
        return _subtitles(wanted, text, candidate)
    return msgspec.json.encode(_json_fields(wanted, text, given, candidate, reply, parsed))


def _json_fields(
    wanted: str, text: str, given: Fields, candidate: Candidate, reply: Reply, parsed: ParsedRequest
) -> Fields:
    """given: the provider's own fields, where it speaks this protocol; they win."""
    body: Fields = {"text": text}
    if wanted == "verbose_json":
        body |= _verbose(candidate, parsed)
    elif wanted == "diarized_json":
        body |= _diarized(candidate)
    elif candidate.language:
        body["languages"] = [{"code": candidate.language}]
    tokens = candidate.transcript_tokens or candidate.tokens
    if tokens:
        body["logprobs"] = token_bodies(tokens, top=False)
    body |= given
    if not parsed.request.settings.logprobs:
        body.pop("logprobs", None)
    if reply.usage is not None:
        body["usage"] = usage_body(reply.usage, typed=True)
    return body


def _subtitles(wanted: str, text: str, candidate: Candidate) -> bytes | Failure:
    if text and not candidate.segments:
        said = f"response_format: {wanted} needs times, and the model tells none: ask for json or text"
        return Failure.of(RequestError(said, field="response_format", value=wanted, code="no_times"))
    return (srt if wanted == "srt" else vtt)(candidate.segments).encode("utf-8", "replace")


def _verbose(candidate: Candidate, parsed: ParsedRequest) -> Fields:
    """What is known of the words and segments; the model's own figures are told only where it told them."""
    how = parsed.request.transcription or Transcription()
    body: Fields = {"task": "translate" if how.translate_to else "transcribe"}
    if candidate.language:
        body["language"] = candidate.language
    body |= _duration(candidate)
    if "segment" in how.times:
        body["segments"] = [
            {"id": place, "start": one.start_s, "end": one.end_s, "text": one.text}
            for place, one in enumerate(candidate.segments)
        ]
    if "word" in how.times:
        body["words"] = [_word(one) for one in candidate.words]
    return body


def _diarized(candidate: Candidate) -> Fields:
    segments = [
        {"type": TEXT_SEGMENT, **segment_body(one, f"seg_{place}")}
        for place, one in enumerate(candidate.segments)
    ]
    return {"task": "transcribe", **_duration(candidate), "segments": segments}


def _duration(candidate: Candidate) -> Fields:
    """Of the sound, as far as the last time tells; left out where none does."""
    end_s = max((one.end_s for one in (*candidate.segments, *candidate.words)), default=0.0)
    return {"duration": end_s} if end_s else {}


def _word(word: Word) -> Fields:
    return {"word": word.text, "start": word.start_s, "end": word.end_s}


def sound_body(reply: Reply, _says: Says, parsed: ParsedRequest) -> bytes | Failure:
    """The sound of a reply that ended well, as one file; or why it cannot be given."""
    candidate = reply.candidates[0] if reply.candidates else Candidate()
    sound = candidate.audio
    if sound is None or not sound.data:
        return refused(candidate.refusal) if candidate.refusal else no_sound()
    asked = parsed.request.speech.format if parsed.request.speech else ""
    delta = AudioDelta(0, sound.data, sound.format, sound.sample_rate_hz, sound.channels)
    return Shape(asked).take(delta)
