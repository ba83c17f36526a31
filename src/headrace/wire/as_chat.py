"""A transcription or speech, asked of a model that only chats: with a plain instruction, and said so.

Every wire of chats calls this first in its `build`, and so does an engine that only chats; it also says what
they cannot be asked of sound.
"""

from __future__ import annotations

import msgspec

from headrace.core.message import AudioPart, Message, TextPart
from headrace.core.opaque import Opaque
from headrace.core.request import Request, Speech, Transcription
from headrace.errors import RequestError
from headrace.wire.kept import warn
from headrace.wire.sound import STREAM_FORMAT

_NO_FIELD = "{} was left out: a chat has no field for it"


def as_chat(request: Request, warnings: list[str], *, hears: bool = False, speaks: bool = False) -> Request:
    """The request as a chat; one that is a chat as it is.

    hears, speaks: whether the wire takes sound, and gives it. What a chat cannot be asked is a warning.
    Raises RequestError where the wire has no place for the sound that it is all about.
    """
    match request.task:
        case "transcription":
            return _transcription(request, warnings, hears)
        case "speech":
            return _speech(request, warnings, speaks)
        case "chat":
            _say_unspoken(request, warnings, speaks)
            return request


def _say_unspoken(request: Request, warnings: list[str], speaks: bool) -> None:
    wanted = [] if speaks else [name for name in request.modalities if name != "text"]
    if wanted:
        warn(warnings, f"modalities: {' and '.join(wanted)} left out: it can be asked for text only")
    elif request.speech is not None:
        if "audio" not in request.modalities:
            warn(warnings, "speech has no effect: modalities do not ask for audio")
        for name in ("speed", "instructions"):
            if getattr(request.speech, name):
                warn(warnings, _NO_FIELD.format(name))


def _transcription(request: Request, warnings: list[str], hears: bool) -> Request:
    last = _last(request)
    if not any(isinstance(part, AudioPart) for part in last.parts):
        raise RequestError("messages: the last one must hold the sound to be written down", field="messages")
    if not hears:
        said = "messages: it takes no sound: choose a model that writes sound down, or one that hears"
        raise RequestError(said, field="messages")
    how = request.transcription or Transcription()
    for name in ("times", "speakers"):
        if getattr(how, name):
            warn(warnings, _NO_FIELD.format(name))
    _say_asked("transcription", warnings)
    return _asked(request, last, _instruction(how), None)


def _instruction(how: Transcription) -> str:
    said = "Write down, word for word, what is said in this recording"
    if how.translate_to:
        said = f"Write down what is said in this recording, translated into the language {how.translate_to!r}"
    lines = [f"{said}. Answer with that alone, without any words of your own."]
    if how.language:
        lines.append(f"The language that is spoken is {how.language!r}.")
    if how.hint:
        lines.append(f"This may help to hear names right: {how.hint}")
    return "\n".join(lines)


def _speech(request: Request, warnings: list[str], speaks: bool) -> Request:
    last = _last(request)
    if not last.text:
        raise RequestError("messages: the last one must hold the text to be spoken", field="messages")
    if not speaks:
        said = "modalities: it gives no sound: choose a model that speaks"
        raise RequestError(said, field="modalities", value=list(request.modalities))
    how = request.speech or Speech()
    if how.speed is not None:
        warn(warnings, _NO_FIELD.format("speed"))
    lines = ["Say the text below aloud, word for word, and nothing else."]
    if how.instructions:
        lines.append(f"How to say it: {how.instructions}")
    _say_asked("speech", warnings)
    request = msgspec.structs.replace(request, vendor=_unframed(request.vendor))
    return _asked(request, last, "\n".join(lines) + "\n\n", Speech(voice=how.voice, format=how.format))


def _unframed(vendor: Opaque | None) -> Opaque | None:
    """What a client says of its own protocol, less how its answer is framed."""
    if vendor is None or not isinstance(vendor.data, dict):
        return vendor
    rest = {name: value for name, value in vendor.data.items() if name != STREAM_FORMAT}
    return msgspec.structs.replace(vendor, data=rest)


def _last(request: Request) -> Message:
    return next((one for one in reversed(request.messages) if one.role == "user"), Message("user"))


def _say_asked(task: str, warnings: list[str]) -> None:
    warn(
        warnings,
        f"the {task} is asked for in a chat, with a plain instruction: this protocol has no other way",
    )


def _asked(request: Request, last: Message, instruction: str, speech: Speech | None) -> Request:
    asked = msgspec.structs.replace(last, parts=(TextPart(instruction), *last.parts))
    return msgspec.structs.replace(
        request,
        messages=tuple(asked if one is last else one for one in request.messages),
        task="chat",
        transcription=None,
        speech=speech,
        modalities=("audio",) if speech is not None else (),
    )
