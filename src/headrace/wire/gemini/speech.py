"""Sound asked for: `responseModalities` and `speechConfig`, both ways. Source and date: as in `schema.py`."""

from __future__ import annotations

from typing import Any, get_args

from headrace.core.excerpt import excerpt
from headrace.core.request import Modality, Request, Speech
from headrace.wire.gemini.body import ConfigBody
from headrace.wire.gemini.schema import Fields
from headrace.wire.kept import warn

_MODALITIES: tuple[str, ...] = get_args(Modality)
RAW = ("pcm16", "wav", "")  # a WAV file is made of the raw samples that come, by who encodes it


def modalities_from(config: ConfigBody) -> tuple[Modality, ...]:
    """What the answer may hold; a word that is not known rides with the vendor's own."""
    names = (name.lower() for name in config.response_modalities or ())
    return tuple(name for name in names if name in _MODALITIES)  # type: ignore[misc]


def speech_from(config: ConfigBody) -> Speech | None:
    """How sound that was asked for is to sound: one voice; several and a language are the vendor's own."""
    wanted = config.speech_config
    if wanted is None or "audio" not in modalities_from(config):
        return None
    voice = wanted.voice_config.prebuilt_voice_config if wanted.voice_config is not None else None
    return Speech(voice=(voice.voice_name or "") if voice is not None else "")


def says_more(speech: Any) -> bool:
    """Whether a `speechConfig` holds more than the name of a voice."""
    if not speech:
        return False
    voice = speech.get("voiceConfig")
    return (
        set(speech) != {"voiceConfig"} or not isinstance(voice, dict) or set(voice) != {"prebuiltVoiceConfig"}
    )


def speech_fields(request: Request, given: Fields, warnings: list[str]) -> Fields:
    """The settings that ask for sound. given: those that came over this wire; they stay as they are."""
    fields: Fields = {}
    if request.modalities and "responseModalities" not in given:
        fields["responseModalities"] = [name.upper() for name in request.modalities]
    how = request.speech or Speech()
    if how.voice and "speechConfig" not in given:
        fields["speechConfig"] = {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": how.voice}}}
    if how.format not in RAW:
        warn(warnings, f"format {excerpt(how.format)} was left out: this protocol gives raw samples")
    return fields
