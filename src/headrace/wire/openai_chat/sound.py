"""Sound asked for: `modalities` and `audio`, both ways.

Source: OpenAI's schema (openai 3.52, `types/chat/chat_completion_audio_param.py`), read 2026-11-25. A
streamed answer gives raw samples only, and text beside them.
"""

from __future__ import annotations

from typing import Any, get_args

import msgspec

from headrace.core.excerpt import excerpt
from headrace.core.request import Modality, Request, Speech
from headrace.wire.kept import warn
from headrace.wire.openai_chat.schema import own

Fields = dict[str, Any]
STREAMED = "pcm16"
DEFAULT_VOICE = "alloy"
_MODALITIES: tuple[str, ...] = get_args(Modality)


class SoundBody(msgspec.Struct):
    """How the answer sounds. voice: a name, or {"id": ...} of one's own."""

    voice: str | dict[str, Any] | None = None
    format: str | None = None


def sound_from(
    modalities: list[str] | None, sound: SoundBody | None, data: Fields
) -> tuple[tuple[Modality, ...], Speech | None, Fields]:
    """(modalities, speech, what of the two says more than those and is kept for this protocol).

    data: the request's fields as they came.
    """
    known = tuple(name for name in modalities or () if name in _MODALITIES)
    given = sound or SoundBody()
    speech = Speech(given.voice if isinstance(given.voice, str) else "", given.format or "")
    kept: Fields = {}
    if modalities is not None and (list(known) != modalities or known != _spoken(known)):
        kept["modalities"] = data["modalities"]
    if sound is not None and (
        "audio" not in known or data["audio"] != {"voice": speech.voice, "format": speech.format}
    ):
        kept["audio"] = data["audio"]
    return known, speech if sound is not None and "audio" in known else None, kept  # type: ignore[return-value]


def sound_fields(request: Request, warnings: list[str]) -> Fields:
    """The two fields of a request, as far as it says more than the ordinary."""
    kept = own(request.vendor)
    fields: Fields = {}
    if request.modalities and "modalities" not in kept:
        fields["modalities"] = list(_spoken(request.modalities))
    if "audio" in request.modalities and "audio" not in kept:
        how = request.speech or Speech()
        if not how.voice:
            warn(warnings, f"voice was set to {DEFAULT_VOICE}: this protocol requires one")
        fields["audio"] = {"voice": how.voice or DEFAULT_VOICE, "format": how.format or STREAMED}
    return fields


def streamed_format(request: Request, warnings: list[str]) -> Request:
    """A request for speech with the one format that a stream gives."""
    how = request.speech or Speech()
    if how.format not in ("", STREAMED, "wav"):  # a WAV file is made of raw samples by who encodes it
        said = f"format {excerpt(how.format)} was asked for as {STREAMED}"
        warn(warnings, f"{said}: a stream of this protocol gives no other")
    return msgspec.structs.replace(request, speech=msgspec.structs.replace(how, format=STREAMED))


def _spoken(modalities: tuple[Any, ...]) -> tuple[Any, ...]:
    """This protocol speaks only what it also writes."""
    return ("text", *modalities) if "audio" in modalities and "text" not in modalities else modalities
