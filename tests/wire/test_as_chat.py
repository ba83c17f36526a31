"""Transcriptions and speech asked of wires that only chat."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import msgspec
import pytest

from headrace.core.message import AudioPart, TextPart, user
from headrace.core.opaque import Opaque
from headrace.core.request import GenerationSettings, Request, Speech, Transcription
from headrace.errors import RequestError
from headrace.wire import WIRES, wire_named
from headrace.wire.as_chat import as_chat

HEARS: dict[str, dict[str, Any]] = {
    "openai_chat": {},
    "gemini": {},
    "ui_messages": {},
    "bedrock": {},
    "openai_responses": {"audio_input": True},
}
SPEAKS = ("openai_chat", "gemini")
CHATS = [name for name in WIRES if "llm" in wire_named(name).capabilities]
SOUND = AudioPart(b"\x00\x01", format="wav")
HEAR = Request(
    "m",
    (user([SOUND]),),
    GenerationSettings(temperature=0.25),
    task="transcription",
    transcription=Transcription("de", "Headrace"),
)
SAY = Request(
    "m",
    (user("Grüße"),),
    task="speech",
    modalities=("audio",),
    speech=Speech("coral", "wav", instructions="Calmly."),
)
ASKED = "asked for in a chat"


@pytest.mark.parametrize("name", HEARS)
def test_a_transcription_is_asked_with_an_instruction_and_the_sound(name: str) -> None:
    built = wire_named(name).build(HEAR, HEARS[name])
    sent = built.body.decode()
    assert b64encode(SOUND.data).decode() in sent
    for word in ("Write down, word for word", "'de'", "Headrace", "0.25"):
        assert word in sent
    assert [one for one in built.warnings if ASKED in one] == list(built.warnings)


def test_what_an_instruction_cannot_ask_for_is_said() -> None:
    how = Transcription(times=("word",), speakers=True, translate_to="fr")
    warnings: list[str] = []
    asked = as_chat(
        Request("m", (user([SOUND]),), task="transcription", transcription=how), warnings, hears=True
    )
    assert "'fr'" in asked.messages[0].text
    assert [one.split()[0] for one in warnings] == ["times", "speakers", "the"]
    assert (asked.task, asked.transcription, asked.modalities) == ("chat", None, ())
    assert asked.messages[0].parts[1] == SOUND


@pytest.mark.parametrize("name", [*sorted(set(CHATS) - set(HEARS)), "openai_responses"])
def test_a_wire_without_sound_refuses_what_is_all_about_it(name: str) -> None:
    with pytest.raises(RequestError, match="takes no sound") as raised:
        wire_named(name).build(HEAR, {})
    assert raised.value.field == "messages"


@pytest.mark.parametrize("name", sorted(set(CHATS) - set(SPEAKS)))
def test_a_wire_that_only_writes_refuses_to_speak(name: str) -> None:
    with pytest.raises(RequestError, match="gives no sound") as raised:
        wire_named(name).build(SAY, {})
    assert raised.value.field == "modalities"


@pytest.mark.parametrize("name", SPEAKS)
def test_speech_is_asked_with_an_instruction(name: str) -> None:
    built = wire_named(name).build(SAY, {})
    sent = built.body.decode()
    for word in ("word for word", "Calmly.", "Grüße", "coral"):
        assert word in sent
    assert [one for one in built.warnings if ASKED in one] == list(built.warnings)


def test_what_each_protocol_says_of_sound() -> None:
    chat = wire_named("openai_chat").build(SAY, {})
    body = json.loads(chat.body)
    assert (body["modalities"], body["audio"]) == (["text", "audio"], {"voice": "coral", "format": "pcm16"})
    assert chat.asked == {"asked_format": "pcm16"}
    config = json.loads(wire_named("gemini").build(SAY, {}).body)["generationConfig"]
    assert config == {
        "responseModalities": ["AUDIO"],
        "speechConfig": {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": "coral"}}},
    }


@pytest.mark.parametrize("name", SPEAKS)
def test_a_format_that_does_not_come_is_said(name: str) -> None:
    asked = Request("m", SAY.messages, task="speech", speech=Speech("v", "mp3", 1.5))
    warnings = " ".join(wire_named(name).build(asked, {}).warnings)
    assert "mp3" in warnings
    assert "speed" in warnings


def test_a_voice_is_made_up_only_where_one_is_required() -> None:
    asked = Request("m", SAY.messages, modalities=("text", "audio"))
    chat = wire_named("openai_chat").build(asked, {})
    assert json.loads(chat.body)["audio"] == {"voice": "alloy", "format": "pcm16"}
    assert "voice" in chat.warnings[0]
    gemini = wire_named("gemini").build(asked, {})
    assert json.loads(gemini.body)["generationConfig"] == {"responseModalities": ["TEXT", "AUDIO"]}
    assert gemini.warnings == ()


@pytest.mark.parametrize("name", CHATS)
def test_a_chat_stays_one_and_sound_that_has_no_place_is_said(name: str) -> None:
    asked = Request("m", (user("Hi"),), modalities=("text", "audio"), speech=Speech("v", speed=2.0))
    warnings = " ".join(wire_named(name).build(asked, {"max_tokens": 9}).warnings)
    if name in SPEAKS:
        assert "speed" in warnings
        assert "audio" not in warnings
    else:
        assert "modalities: audio left out" in warnings
    quiet = wire_named(name).build(Request("m", (user("Hi"),), modalities=("text",), speech=Speech("v")), {})
    assert any("speech has no effect" in one for one in quiet.warnings)


@pytest.mark.parametrize(
    "request_",
    [
        Request("m", (user("no sound"),), task="transcription"),
        Request("m", task="transcription"),
        Request("m", task="speech"),
        Request("m", (user([SOUND]),), task="speech"),
    ],
)
def test_what_holds_nothing_to_work_on_is_an_error(request_: Request) -> None:
    with pytest.raises(RequestError) as raised:
        as_chat(request_, [], hears=True, speaks=True)
    assert raised.value.field == "messages"


def test_earlier_messages_and_other_protocols_fields_stay_for_the_wire_to_judge() -> None:
    first = user("Hello")
    own = Opaque("openai_audio", {"chunking_strategy": "auto"})
    asked = as_chat(Request("m", (first, user([SOUND])), task="transcription", vendor=own), [], hears=True)
    assert asked.messages[0] is first
    assert isinstance(asked.messages[1].parts[0], TextPart)
    assert asked.vendor == own


@pytest.mark.parametrize("name", SPEAKS)
def test_how_the_answer_is_framed_is_no_affair_of_the_model(name: str) -> None:
    own = Opaque("openai_audio", {"stream_format": "sse", "novel": 1})
    warnings = wire_named(name).build(msgspec.structs.replace(SAY, vendor=own), {}).warnings
    assert not any("stream_format" in one for one in warnings)
    assert any("novel" in one for one in warnings)
