"""Request -> the vendor's request: a form with sound for a transcription, JSON for speech.

A chat is one of the two where it says so: sound in its last message is to be written down, and modalities
that hold audio are to be spoken. A provider row's quirks, all optional:

no_stream   true where the provider refuses `stream`, or streams in a protocol of its own: it is asked for
            whole answers.
voice       the voice to ask for where the request names none ("alloy").
drop        names of fields that it refuses.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from headrace.core.excerpt import excerpt
from headrace.core.message import AudioPart, Message, TextPart
from headrace.core.request import GenerationSettings, Request, Speech, Transcription
from headrace.errors import RequestError
from headrace.framing.multipart import FormPart, encode_form
from headrace.wire.base import WireRequest
from headrace.wire.kept import own_fields, warn
from headrace.wire.openai_audio.as_text import AS_TEXT
from headrace.wire.openai_audio.parse import ENGLISH
from headrace.wire.openai_audio.schema import DEFAULT_SOUND, SOUND_FORMATS, WIRE_NAME, Fields, own
from headrace.wire.sound import ASKED_FORMAT, PCM_RATE_HZ, STREAM_FORMAT, media_type_of, wav_head

TRANSCRIPTIONS = "/audio/transcriptions"
TRANSLATIONS = "/audio/translations"
SPEECH = "/audio/speech"
DEFAULT_VOICE = "alloy"
_ANY_TYPE = "*/*"  # the answer's own tells what came: events, a transcription, sound
_NO_FIELD = "{} was left out: this protocol has no field for it"
_REFUSED = "{} was left out: this provider does not take it"
_NAMES = {ours: name for name, ours in SOUND_FORMATS.items()}
_UNSET = GenerationSettings()


def build(request: Request, quirks: Mapping[str, Any]) -> WireRequest:
    """What asks a provider for a transcription or for speech; what it cannot take is a warning.

    Raises RequestError where the request is neither.
    """
    warnings: list[str] = []
    last = next((one for one in reversed(request.messages) if one.role == "user"), None)
    sounds = [part for part in last.parts if isinstance(part, AudioPart)] if last else []
    if request.task == "transcription" or (request.task == "chat" and sounds):
        return _transcription(request, last, sounds, quirks, warnings)
    if request.task == "speech" or "audio" in request.modalities:
        return _speech(request, last, quirks, warnings)
    said = (
        "messages: this protocol writes sound down or speaks a text: put sound into the last message, "
        'or ask for modalities ["audio"]'
    )
    raise RequestError(said, field="messages")


def _transcription(
    request: Request,
    last: Message | None,
    sounds: list[AudioPart],
    quirks: Mapping[str, Any],
    warnings: list[str],
) -> WireRequest:
    if last is None or len(sounds) != 1:
        said = f"messages: the last one must hold one sound to be written down (it holds {len(sounds)})"
        raise RequestError(said, field="messages", value=len(sounds))
    _say_left_out(request, ("temperature", "logprobs"), warnings)
    if any(part is not sounds[0] for part in last.parts):
        warn(warnings, "what stands beside the sound was left out: this protocol takes no instructions")
    how = request.transcription or Transcription()
    english = how.translate_to.lower() in (ENGLISH, "english")
    fields: Fields = {"model": request.model}
    if english:
        fields |= _translated(request.settings, how, warnings)
    else:
        fields |= _transcribed(request.settings, how, quirks, warnings)
    if how.hint:
        fields["prompt"] = how.hint
    if request.settings.temperature is not None:
        fields["temperature"] = str(request.settings.temperature)
    for name, value in own_fields(request.vendor, WIRE_NAME, warnings).items():
        fields.setdefault(name, value)
    _drop(fields, quirks, warnings)
    texts = [FormPart(name, text.encode()) for name, value in fields.items() for text in _texts(value)]
    body, content_type = encode_form([_file(sounds[0], warnings), *texts])
    path = TRANSLATIONS if english else TRANSCRIPTIONS
    asked = {AS_TEXT: True} if request.task == "chat" else {}
    return WireRequest(path, body, tuple(warnings), content_type, accept=_ANY_TYPE, asked=asked)


def _transcribed(
    settings: GenerationSettings, how: Transcription, quirks: Mapping[str, Any], warnings: list[str]
) -> Fields:
    """How to write it down."""
    if how.translate_to:
        told = excerpt(how.translate_to)
        said = f"translate_to: this protocol translates into {ENGLISH} only (it is {told!r})"
        raise RequestError(said, field="translate_to", value=how.translate_to)
    wanted = "diarized_json" if how.speakers else "verbose_json" if how.times else "json"
    fields: Fields = {"response_format": wanted}
    if how.language:
        fields["language"] = how.language
    if how.times and wanted == "verbose_json":
        fields["timestamp_granularities[]"] = list(how.times)
    elif how.times:
        warn(warnings, "times was left out: who tells speakers apart gives the times of their turns")
    if settings.logprobs and wanted == "json":
        fields["include[]"] = ["logprobs"]
    elif settings.logprobs:
        warn(warnings, f"logprobs was left out: {wanted} has none")
    if wanted != "verbose_json" and not quirks.get("no_stream"):
        fields["stream"] = "true"
    return fields


def _translated(settings: GenerationSettings, how: Transcription, warnings: list[str]) -> Fields:
    """How to write it down in English."""
    for name, given in (
        ("language", how.language),
        ("speakers", how.speakers),
        ("times of words", "word" in how.times),
        ("logprobs", settings.logprobs),
    ):
        if given:
            warn(warnings, f"{name} was left out: this protocol's translations have no field for it")
    return {"response_format": "verbose_json" if how.times else "json"}


def _file(sound: AudioPart, warnings: list[str]) -> FormPart:
    if not sound.data:
        if sound.url:  # Groq takes it; who does not says that file is missing
            return FormPart("url", sound.url.encode())
        raise RequestError("messages: the sound is empty", field="messages")
    given = own(sound.vendor)
    if "filename" in given:
        return FormPart("file", sound.data, given["filename"], given.get("content_type") or "")
    if sound.format == "pcm16":
        warn(warnings, f"raw samples were sent as a WAV file of {PCM_RATE_HZ} Hz: this protocol takes files")
        data = wav_head(PCM_RATE_HZ, 1, len(sound.data)) + sound.data
        return FormPart("file", data, "audio.wav", media_type_of("wav"))
    format = sound.format or "wav"
    return FormPart("file", sound.data, f"audio.{format}", media_type_of(format))


def _texts(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [one if isinstance(one, str) else msgspec.json.encode(one).decode() for one in values]


def _speech(
    request: Request, last: Message | None, quirks: Mapping[str, Any], warnings: list[str]
) -> WireRequest:
    text = last.text if last is not None else ""
    if last is None or not text:
        raise RequestError("messages: the last one must hold the text to be spoken", field="messages")
    _say_left_out(request, (), warnings)
    if any(not isinstance(part, TextPart) for part in last.parts):
        warn(warnings, "what is no text was left out: this protocol speaks text")
    how = request.speech or Speech()
    voice = how.voice or str(quirks.get("voice", DEFAULT_VOICE))
    if not how.voice:
        warn(warnings, f"voice was set to {voice}: this protocol requires one")
    body: Fields = {"model": request.model, "input": text, "voice": voice}
    if how.format:
        body["response_format"] = _NAMES.get(how.format, how.format)
    if how.speed is not None:
        body["speed"] = how.speed
    if how.instructions:
        body["instructions"] = how.instructions
    given = own_fields(request.vendor, WIRE_NAME, warnings)
    body.update({name: value for name, value in given.items() if name not in body or name == "voice"})
    if quirks.get("no_stream"):
        body.pop(STREAM_FORMAT, None)
    _drop(body, quirks, warnings)
    asked = {ASKED_FORMAT: how.format or DEFAULT_SOUND}
    return WireRequest(SPEECH, msgspec.json.encode(body), tuple(warnings), accept=_ANY_TYPE, asked=asked)


def _drop(fields: Fields, quirks: Mapping[str, Any], warnings: list[str]) -> None:
    refused = set(quirks.get("drop", ()))
    for name in [name for name in fields if name.removesuffix("[]") in refused]:
        del fields[name]
        warn(warnings, _REFUSED.format(name.removesuffix("[]")))


def _say_left_out(request: Request, taken: Iterable[str], warnings: list[str]) -> None:
    """What a chat says and this protocol has no field for."""
    settings = request.settings
    names = [
        name
        for name in GenerationSettings.__struct_fields__
        if name not in taken and getattr(settings, name) != getattr(_UNSET, name)
    ]
    names += [name for name in ("tools", "tool_choice", "response_format", "user") if getattr(request, name)]
    if sum(bool(one.parts) for one in request.messages) > 1:
        names.append("messages before the last")
    for name in names:
        warn(warnings, _NO_FIELD.format(name))
