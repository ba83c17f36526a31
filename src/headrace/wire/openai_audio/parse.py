"""The vendor's request bodies -> Request, with errors that name the field."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from headrace.core.chunk import Failure
from headrace.core.message import AudioPart, user
from headrace.core.opaque import Opaque
from headrace.core.request import RANGES, GenerationSettings, Request, Speech, Transcription
from headrace.errors import RequestError
from headrace.framing.multipart import FormPart, boundary_of, read_form
from headrace.wire.base import ParsedRequest
from headrace.wire.kept import only_here, warn
from headrace.wire.openai_audio.schema import (
    SOUND_FORMATS,
    TRANSCRIPT_FORMATS,
    WIRE_NAME,
    Fields,
    SpeechBody,
    VoiceBody,
    kept,
)
from headrace.wire.reading import in_range, quoted, read_body
from headrace.wire.sound import STREAM_FORMAT, container_of, format_of

ENGLISH = "en"
SPEEDS = (0.25, 4.0)
# Standard fields with no place in `Request`: they reach a provider that speaks this protocol, no other.
_PASSED_ON = (
    "chunking_strategy",
    "keywords",
    "known_speaker_names",
    "known_speaker_references",
    "languages",
)
_KNOWN = frozenset(
    {
        "file",
        "url",
        "model",
        "language",
        "prompt",
        "response_format",
        "temperature",
        "timestamp_granularities",
        "include",
        "stream",
    }
)
_TIMES: dict[str, tuple[Literal["word", "segment"], ...]] = {
    "verbose_json": ("segment",),
    "srt": ("segment",),
    "vtt": ("segment",),
}
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False, "": False}


class _Form:
    """A form's texts by name, `[]` behind a name left out; and its file."""

    def __init__(self, parts: Iterable[FormPart]) -> None:
        self.file: FormPart | None = None
        self.texts: dict[str, list[str]] = {}
        self.spelled: dict[str, list[str]] = {}  # by the names as they came
        for part in parts:
            if part.name == "file":
                self.file = part
                continue
            if part.filename is not None:
                raise RequestError(f"{part.name}: must be text, not a file", field=part.name)
            try:
                text = part.data.decode()
            except UnicodeDecodeError:
                raise RequestError(f"{part.name}: must be text in UTF-8", field=part.name) from None
            self.texts.setdefault(part.name.removesuffix("[]"), []).append(text)
            self.spelled.setdefault(part.name, []).append(text)

    def one(self, name: str) -> str:
        """The text of a field, empty where it is missing. Raises RequestError where it came twice."""
        values = self.texts.get(name, [""])
        if len(values) > 1:
            raise RequestError(f"{name}: came {len(values)} times", field=name, value=values[:8])
        return values[0]

    def choice(self, name: str, choices: Iterable[str], default: str) -> str:
        """The same for a field that takes one of `choices`."""
        value = self.one(name) or default
        _among(name, value, choices)
        return value


def parse_transcription(body: bytes, head: Mapping[str, str], *, translate: bool = False) -> ParsedRequest:
    """Read a client's form. Raises RequestError that names the field.

    head: "content_type", which tells the form's boundary. translate: write it down in English.
    """
    form = _read(body, head.get("content_type", ""))
    wanted = form.choice("response_format", TRANSCRIPT_FORMATS, "json")
    model = form.one("model")
    if not model:
        raise RequestError("model: is missing", field="model")
    warnings: list[str] = []
    stream = _boolean(form, "stream")
    if stream and wanted not in ("json", "diarized_json"):
        warnings.append(f"response_format {wanted} has no effect on a stream: its events are the same")
    request = Request(
        model=model,
        messages=(user([_sound(form)]),),
        settings=GenerationSettings(temperature=_temperature(form), logprobs=_logprobs(form)),
        vendor=_vendor(form, warnings),
        task="transcription",
        transcription=Transcription(
            language=form.one("language"),
            hint=form.one("prompt"),
            times=_times(form, wanted, warnings),
            speakers=wanted == "diarized_json",
            translate_to=ENGLISH if translate else "",
        ),
    )
    return ParsedRequest(
        request, stream, include_usage=True, warnings=tuple(warnings), wanted={"response_format": wanted}
    )


def _read(body: bytes, content_type: str) -> _Form:
    boundary = boundary_of(content_type)
    if not boundary:
        said = "content-type: must be multipart/form-data with its boundary"
        raise RequestError(said, field="content-type", value=content_type)
    read = read_form(body, boundary)
    if isinstance(read, Failure):
        raise RequestError(f"the body is no valid form: {read.message}", code="invalid_form")
    return _Form(read)


def _sound(form: _Form) -> AudioPart:
    file = form.file
    if file is None:
        url = form.one("url")  # Groq's
        if not url:
            raise RequestError("file: is missing", field="file")
        return AudioPart(url=url)
    if not file.data:
        raise RequestError("file: is empty", field="file")
    filename = file.filename or ""
    suffix = filename.rpartition(".")[2].lower() if "." in filename else ""
    told = format_of(f"audio/{suffix}") or format_of(file.content_type) or container_of(file.data)
    given = {"filename": file.filename, "content_type": file.content_type}
    return AudioPart(file.data, format=told, vendor=Opaque(WIRE_NAME, given))


def _among(field: str, value: str, choices: Iterable[str]) -> None:
    if value not in choices:
        said = f"{field}: must be one of {', '.join(choices)} (it is {quoted(value)})"
        raise RequestError(said, field=field, value=value)


def _boolean(form: _Form, name: str) -> bool:
    text = form.one(name).lower()
    if text not in _BOOLEANS:
        raise RequestError(f"{name}: must be true or false (it is {quoted(text)})", field=name, value=text)
    return _BOOLEANS[text]


def _temperature(form: _Form) -> float | None:
    text = form.one("temperature")
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        said = f"temperature: must be a number (it is {quoted(text)})"
        raise RequestError(said, field="temperature", value=text) from None
    in_range("temperature", value, *RANGES["temperature"])
    return value


def _logprobs(form: _Form) -> bool:
    for value in form.texts.get("include", ()):
        _among("include", value, ("logprobs",))
    return "include" in form.texts


def _times(form: _Form, wanted: str, warnings: list[str]) -> tuple[Literal["word", "segment"], ...]:
    asked = form.texts.get("timestamp_granularities", [])
    for value in asked:
        _among("timestamp_granularities", value, ("word", "segment"))
    if asked and wanted != "verbose_json":
        warnings.append("timestamp_granularities has an effect only with response_format verbose_json")
    elif asked:
        return tuple(name for name in ("word", "segment") if name in asked)
    return _TIMES.get(wanted, ())


def _vendor(form: _Form, warnings: list[str]) -> Opaque | None:
    """Fields without a place of their own, by the names they came under: a text each, or a list of them."""
    extra: Fields = {}
    for name, values in form.spelled.items():
        plain = name.partition("[")[0]
        if plain in _KNOWN:
            continue
        extra[name] = values if name.endswith("[]") or len(values) > 1 else values[0]
        if plain in _PASSED_ON:
            warn(warnings, only_here(plain))
    return kept(extra)


def parse_speech(body: bytes) -> ParsedRequest:
    """Read a client's JSON. Raises RequestError that names the field.

    Sound always goes out as it comes, so every answer is a stream: `wanted` says whether of events.
    """
    parsed, data = read_body(body, SpeechBody)
    for name in ("model", "input"):
        if not getattr(parsed, name):
            raise RequestError(f"{name}: must not be empty", field=name, value="")
    if parsed.response_format is not None:
        _among("response_format", parsed.response_format, SOUND_FORMATS)
    in_range("speed", parsed.speed, *SPEEDS)
    events = parsed.stream_format or "audio"
    _among("stream_format", events, ("audio", "sse"))
    extra: Fields = {
        name: value
        for name, value in data.items()
        if name not in SpeechBody.__struct_fields__ and value is not None
    }
    if isinstance(parsed.voice, VoiceBody):
        extra["voice"] = data["voice"]
    if events == "sse":  # more bytes for the same sound: asked of a provider only where a client wants it
        extra[STREAM_FORMAT] = events
    voice = parsed.voice.id if isinstance(parsed.voice, VoiceBody) else parsed.voice or ""
    request = Request(
        model=parsed.model,
        messages=(user(parsed.input),),
        vendor=kept(extra),
        task="speech",
        modalities=("audio",),
        speech=Speech(
            voice=voice,
            format=SOUND_FORMATS.get(parsed.response_format or "", ""),
            speed=parsed.speed,
            instructions=parsed.instructions or "",
        ),
    )
    return ParsedRequest(request, stream=True, include_usage=True, wanted={"events": events == "sse"})
