"""Requests of the official client: read, understood, and written again; requests of others."""

from __future__ import annotations

import json
import wave
from io import BytesIO
from typing import Any

import httpx
import openai
import pytest

from headrace.core.message import AudioPart, ImagePart, TextPart, assistant, system, user
from headrace.core.opaque import Opaque
from headrace.core.request import GenerationSettings, Request, Speech, Tool, Transcription
from headrace.errors import RequestError
from headrace.framing.multipart import FormPart, boundary_of, encode_form, read_form
from headrace.wire.base import ParsedRequest, WireRequest
from headrace.wire.openai_audio import TRANSLATION_FRONT, WIRE, parse_speech, parse_transcription

SOUND = b"RIFF\x01\x02\r\n--x"
FILE = ("speech.wav", SOUND, "audio/wav")
PART = FormPart("file", SOUND, "a.wav")


def sent(ask: Any) -> tuple[bytes, str]:
    """(body, content type) of what the official client asks."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        request.read()
        seen.append(request)
        return httpx.Response(200, json={"text": ""})

    transport = httpx.MockTransport(answer)
    with openai.OpenAI(
        api_key="none", base_url="http://localhost/v1", http_client=httpx.Client(transport=transport)
    ) as client:
        ask(client)
    return seen[0].content, seen[0].headers["content-type"]


def transcribed(**fields: Any) -> tuple[bytes, str]:
    fields = {"model": "m", "file": FILE, **fields}
    return sent(lambda client: client.audio.transcriptions.create(**fields))


def parsed(body: bytes, content_type: str) -> ParsedRequest:
    return parse_transcription(body, {"content_type": content_type})


def form(*fields: tuple[str, str], file: FormPart | None = PART) -> ParsedRequest:
    parts = [FormPart(name, value.encode()) for name, value in fields]
    names = [name for name, _ in fields]
    if "model" not in names:
        parts.append(FormPart("model", b"m"))
    return parsed(*encode_form([*parts, *([file] if file else [])]))


def fields_of(built: WireRequest) -> dict[str, Any]:
    """A form's fields: texts (lists of them for names in brackets), and the file whole."""
    read = read_form(built.body, boundary_of(built.content_type))
    assert isinstance(read, list)
    found: dict[str, Any] = {}
    for part in read:
        if part.filename is not None:
            found[part.name] = part
        elif part.name.endswith("[]"):
            found.setdefault(part.name, []).append(part.data.decode())
        else:
            assert part.name not in found
            found[part.name] = part.data.decode()
    return found


def built(request: Request, **quirks: Any) -> WireRequest:
    return WIRE.build(request, quirks)


def test_the_least_there_can_be() -> None:
    made = parsed(*transcribed())
    request = made.request
    assert (request.model, request.task) == ("m", "transcription")
    (message,) = request.messages
    (part,) = message.parts
    assert isinstance(part, AudioPart)
    assert (part.data, part.format) == (SOUND, "wav")
    assert request.transcription == Transcription()
    assert (made.stream, made.warnings, made.wanted) == (False, (), {"response_format": "json"})


ROUND_TRIP: dict[str, dict[str, Any]] = {
    "streamed": {
        "stream": True, "language": "de", "prompt": "Grüße", "temperature": 0.5, "include": ["logprobs"],
    },
    "words": {"response_format": "verbose_json", "timestamp_granularities": ["word", "segment"]},
    "speakers": {
        "stream": True,
        "response_format": "diarized_json",
        "chunking_strategy": {"type": "server_vad", "threshold": 0.5},
        "known_speaker_names": ["agent", "customer"],
        "known_speaker_references": ["data:audio/wav;base64,AAA=", "data:audio/wav;base64,AAE="],
    },
    "auto": {"chunking_strategy": "auto", "stream": True, "keywords": ["Headrace"], "languages": ["en"]},
    "unknown": {"stream": True, "extra_body": {"vad_filter": "true", "hotwords": "a"}},
}  # fmt: skip


@pytest.mark.parametrize("fields", ROUND_TRIP.values(), ids=ROUND_TRIP)
def test_a_clients_form_reaches_a_provider_of_the_same_protocol_whole(fields: dict[str, Any]) -> None:
    body, content_type = transcribed(**fields)
    made = parsed(body, content_type)
    again = built(made.request)
    assert (again.path, again.warnings, again.asked) == ("/audio/transcriptions", (), {})
    original = WireRequest("", body, content_type=content_type)
    assert fields_of(again) == {"response_format": "json", **fields_of(original)}


def test_what_only_this_protocol_understands_is_said() -> None:
    made = parsed(*transcribed(**ROUND_TRIP["speakers"]))
    assert {one.partition(" ")[0] for one in made.warnings} == {
        "chunking_strategy", "known_speaker_names", "known_speaker_references",
    }  # fmt: skip
    assert made.request.transcription == Transcription(speakers=True)
    assert parsed(*transcribed(**ROUND_TRIP["unknown"])).warnings == ()


def test_what_is_asked_for_has_its_places() -> None:
    request = parsed(*transcribed(**ROUND_TRIP["streamed"])).request
    assert request.transcription == Transcription(language="de", hint="Grüße")
    assert request.settings == GenerationSettings(temperature=0.5, logprobs=True)
    assert parsed(*transcribed(**ROUND_TRIP["words"])).request.transcription == Transcription(
        times=("word", "segment")
    )


@pytest.mark.parametrize(
    ("wanted", "times"),
    [
        ("verbose_json", ("segment",)),
        ("srt", ("segment",)),
        ("vtt", ("segment",)),
        ("text", ()),
        ("json", ()),
    ],
)
def test_the_form_of_the_answer_tells_which_times_it_needs(wanted: str, times: Any) -> None:
    made = form(("response_format", wanted))
    assert made.request.transcription == Transcription(times=times)
    asked = fields_of(built(made.request))
    assert asked["response_format"] == ("verbose_json" if times else "json")
    assert ("stream" in asked) == (not times)


def test_what_has_no_effect_is_said() -> None:
    assert "verbose_json" in form(("timestamp_granularities[]", "word")).warnings[0]
    assert "stream" in form(("stream", "true"), ("response_format", "srt")).warnings[0]


@pytest.mark.parametrize(
    ("filename", "content_type", "data", "format"),
    [
        ("a.MP3", "", b"x", "mp3"),
        ("a.mpga", "", b"x", "mp3"),
        ("a.m4a", "", b"x", "m4a"),
        ("blob", "audio/webm;codecs=opus", b"x", "webm"),
        ("blob", "application/octet-stream", b"OggS", "ogg"),
        ("blob", "", b"x", ""),
    ],
)
def test_the_format_of_the_file(filename: str, content_type: str, data: bytes, format: str) -> None:
    request = form(file=FormPart("file", data, filename, content_type)).request
    (part,) = request.messages[0].parts
    assert isinstance(part, AudioPart)
    assert part.format == format
    file = fields_of(built(request))["file"]
    assert (file.filename, file.content_type, file.data) == (filename, content_type, data)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ([("model", "")], "model"),
        ([("model", "m"), ("model", "n")], "model"),
        ([("response_format", "xml")], "response_format"),
        ([("temperature", "warm")], "temperature"),
        ([("temperature", "3")], "temperature"),
        ([("temperature", "nan")], "temperature"),
        ([("stream", "maybe")], "stream"),
        ([("include[]", "usage")], "include"),
        ([("timestamp_granularities[]", "char")], "timestamp_granularities"),
    ],
)  # fmt: skip
def test_a_wrong_field_is_named(fields: list[tuple[str, str]], field: str) -> None:
    with pytest.raises(RequestError) as raised:
        form(*fields)
    assert raised.value.field == field


@pytest.mark.parametrize(
    ("parts", "field"),
    [
        ([FormPart("model", b"m")], "file"),
        ([FormPart("model", b"m"), FormPart("file", b"", "a.wav")], "file"),
        ([FormPart("model", b"\xff"), FormPart("file", b"a", "a.wav")], "model"),
        ([FormPart("model", b"m", "m.txt"), FormPart("file", b"a", "a.wav")], "model"),
    ],
)
def test_parts_that_are_not_what_they_should_be(parts: list[FormPart], field: str) -> None:
    with pytest.raises(RequestError) as raised:
        parsed(*encode_form(parts))
    assert raised.value.field == field


@pytest.mark.parametrize("content_type", ["", "application/json", "multipart/form-data"])
def test_a_body_that_is_no_form_is_said_to_be(content_type: str) -> None:
    with pytest.raises(RequestError, match="multipart/form-data"):
        parsed(b"{}", content_type)


def test_a_form_that_is_cut_is_said_to_be() -> None:
    body, content_type = transcribed()
    with pytest.raises(RequestError, match="closing boundary") as raised:
        parsed(body[:-10], content_type)
    assert (raised.value.code, raised.value.http_status) == ("invalid_form", 400)


def test_a_translation() -> None:
    with pytest.warns(DeprecationWarning, match="deprecated"):  # the official client's own, for its method
        body, content_type = sent(
            lambda client: client.audio.translations.create(
                model="m", file=FILE, prompt="p", temperature=0.25
            )
        )
    made = TRANSLATION_FRONT.parse(body, {"content_type": content_type})
    assert made.request.transcription == Transcription(hint="p", translate_to="en")
    again = built(made.request)
    assert (again.path, again.warnings) == ("/audio/translations", ())
    original = WireRequest("", body, content_type=content_type)
    assert fields_of(again) == {"response_format": "json", **fields_of(original)}
    timed = Transcription("de", times=("word", "segment"), speakers=True, translate_to="english")
    asked = built(Request("m", (user([AudioPart(b"a")]),), task="transcription", transcription=timed))
    assert fields_of(asked)["response_format"] == "verbose_json"
    assert [one.partition(" was")[0] for one in asked.warnings] == ["language", "speakers", "times of words"]


def test_another_language_cannot_be_asked_for() -> None:
    how = Transcription(translate_to="fr")
    with pytest.raises(RequestError) as raised:
        built(Request("m", (user([AudioPart(b"a")]),), task="transcription", transcription=how))
    assert (raised.value.field, raised.value.value) == ("translate_to", "fr")


SAID = {
    "plain": {"voice": "alloy"},
    "everything": {
        "voice": "coral", "response_format": "pcm", "speed": 1.5, "instructions": "Calmly.",
        "stream_format": "sse", "extra_body": {"sample_rate": 8000},
    },
    "own voice": {"voice": {"id": "voice_1"}},
}  # fmt: skip


@pytest.mark.parametrize("fields", SAID.values(), ids=SAID)
def test_a_speech_clients_body_reaches_a_provider_of_the_same_protocol_whole(fields: dict[str, Any]) -> None:
    body, _ = sent(lambda client: client.audio.speech.create(model="m", input="Hello", **fields))
    again = built(parse_speech(body).request)
    assert (again.path, again.content_type, again.warnings) == ("/audio/speech", "application/json", ())
    assert json.loads(again.body) == json.loads(body)


def test_how_it_is_to_be_said_has_its_places() -> None:
    body, _ = sent(lambda client: client.audio.speech.create(model="m", input="Hello", **SAID["everything"]))
    made = parse_speech(body)
    assert made.request.messages == (user("Hello"),)
    assert made.request.speech == Speech("coral", "pcm16", 1.5, "Calmly.")
    assert (made.request.task, made.request.modalities) == ("speech", ("audio",))
    assert (made.stream, made.wanted) == (True, {"events": True})
    own = parse_speech(b'{"model":"m","input":"a","voice":{"id":"v"}}').request
    assert own.speech == Speech("v")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"model": ""}, "model"),
        ({"model": None}, "model"),
        ({"input": ""}, "input"),
        ({"input": ["a"]}, "input"),
        ({"response_format": "midi"}, "response_format"),
        ({"speed": 9}, "speed"),
        ({"stream_format": "ndjson"}, "stream_format"),
        ({"voice": 5}, "voice"),
        ({"voice": {}}, "voice.id"),
    ],
)
def test_a_wrong_field_of_speech_is_named(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(RequestError) as raised:
        parse_speech(json.dumps({"model": "m", "input": "a", **fields}).encode())
    assert raised.value.field == field


def test_a_chat_with_sound_is_a_transcription() -> None:
    request = Request(
        "m",
        (
            system("Be brief."),
            user("Hi"),
            assistant("Hello"),
            user([TextPart("Listen:"), AudioPart(b"a", format="mp3")]),
        ),
        GenerationSettings(temperature=0.1, top_p=0.5, max_tokens=9, logprobs=True),
        tools=(Tool("f"),),
        user="u",
        vendor=Opaque("openai_chat", {"store": True}),
    )
    made = built(request)
    asked = fields_of(made)
    assert made.path == "/audio/transcriptions"
    assert made.asked == {"as_text": True}
    assert asked["file"] == FormPart("file", b"a", "audio.mp3", "audio/mpeg")
    assert (asked["temperature"], asked["include[]"]) == ("0.1", ["logprobs"])
    for word in ("top_p", "max_tokens", "tools", "user", "messages before", "beside the sound", "store"):
        assert any(word in said for said in made.warnings), word


def test_a_chat_that_asks_for_sound_is_speech() -> None:
    made = built(Request("m", (user([TextPart("Hi"), ImagePart(data=b"x")]),), modalities=("text", "audio")))
    assert json.loads(made.body) == {"model": "m", "input": "Hi", "voice": "alloy"}
    assert made.asked == {"asked_format": "mp3"}
    assert len(made.warnings) == 2
    named = built(Request("m", (user("Hi"),), task="speech"), voice="af_heart", drop=("voice",))
    assert "voice" not in json.loads(named.body)
    other = built(Request("m", (user("Hi"),), task="speech", speech=Speech(format="pcm16")), voice="af_heart")
    assert json.loads(other.body)["voice"] == "af_heart"
    assert (json.loads(other.body)["response_format"], other.asked) == ("pcm", {"asked_format": "pcm16"})


@pytest.mark.parametrize(
    "request_",
    [
        Request("m", (user("Hi"),)),
        Request("m"),
        Request("m", (user("Hi"),), task="transcription"),
        Request("m", (user([AudioPart(b"a"), AudioPart(b"b")]),)),
        Request("m", (user([AudioPart()]),)),
        Request("m", (user([ImagePart(data=b"x")]),), task="speech"),
        Request("m", task="speech"),
    ],
)
def test_what_is_neither_is_an_error_that_names_the_field(request_: Request) -> None:
    with pytest.raises(RequestError) as raised:
        built(request_)
    assert raised.value.field == "messages"


def test_raw_samples_are_sent_as_a_file() -> None:
    made = built(Request("m", (user([AudioPart(b"\x01\x00", format="pcm16")]),)))
    file = fields_of(made)["file"]
    assert (file.filename, file.content_type) == ("audio.wav", "audio/wav")
    with wave.open(BytesIO(file.data)) as read:
        assert (read.getframerate(), read.readframes(9)) == (24000, b"\x01\x00")
    assert "24000 Hz" in made.warnings[0]


def test_sound_by_url() -> None:
    made = form(("url", "https://a.example/b.mp3"), file=None)
    assert fields_of(built(made.request))["url"] == "https://a.example/b.mp3"


def test_quirks() -> None:
    request = form(("stream", "true"), ("include[]", "logprobs"), ("language", "de")).request
    assert "stream" not in fields_of(built(request, no_stream=True))
    made = built(request, drop=("include", "language"))
    assert fields_of(made).keys() == {"file", "model", "response_format", "stream"}
    assert [one.partition(" ")[0] for one in made.warnings] == ["language", "include"]
    events = parse_speech(b'{"model":"m","input":"a","voice":"v","stream_format":"sse"}').request
    assert "stream_format" not in json.loads(built(events, no_stream=True).body)


def test_what_speakers_and_times_exclude() -> None:
    how = Transcription(times=("word",), speakers=True)
    settings = GenerationSettings(logprobs=True)
    made = built(Request("m", (user([AudioPart(b"a")]),), settings, task="transcription", transcription=how))
    assert fields_of(made)["response_format"] == "diarized_json"
    assert [one.partition(" ")[0] for one in made.warnings] == ["times", "logprobs"]
