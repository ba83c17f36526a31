"""Answers that are no event stream."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.wire.openai_audio.events import (
    SECONDS,
    TEXT,
    VERBOSE,
    WITH_LOGPROBS,
    decode,
    delta,
    failure,
    logprob,
)

from headrace.core.chunk import AudioDelta, Failure, Finish, Token, TranscriptDelta, Word
from headrace.core.fold import fold
from headrace.core.reply import Reply
from headrace.testing import stages, work
from headrace.wire.openai_audio import WIRE, body_decoder


def decoder(content_type: str, **quirks: Any) -> Any:
    made = body_decoder(content_type, quirks)
    assert made is not None
    return made


def read(body: Any, content_type: str = "application/json", **quirks: Any) -> Reply:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return fold(stages.run(decoder(content_type, **quirks), [[data]]))


def test_a_verbose_transcription() -> None:
    whole = read(VERBOSE, "application/json; charset=utf-8")
    candidate = whole.candidates[0]
    assert candidate.transcript == "The beach was popular."
    assert candidate.language == "english"
    assert candidate.words == (Word("The", 0.0, 0.24), Word("beach", 0.24, 0.6))
    assert candidate.segments == (Word(" The beach was popular.", 0.0, 3.32),)
    assert whole.usage is not None
    assert whole.usage.vendor is not None
    assert whole.usage.vendor.data == SECONDS
    kept = candidate.vendor[0].data["body"]
    assert kept == {name: value for name, value in VERBOSE.items() if name not in ("text", "usage")}
    assert whole.terminal == Finish()


def test_a_plain_and_a_diarized_one() -> None:
    whole = read({"text": "Hi", "logprobs": [logprob("Hi", -0.5)], "languages": [{"code": "en"}]})
    assert whole.candidates[0].transcript_tokens == (Token("Hi", logprob=-0.5),)
    assert whole.candidates[0].language == "en"
    turn = {"type": "transcript.text.segment", "id": "s", "start": 0, "end": 1, "speaker": "A", "text": "Hi"}
    assert read({"text": "Hi", "segments": [turn]}).candidates[0].segments == (
        Word("Hi", 0.0, 1.0, speaker="A"),
    )


def test_who_asked_in_a_chat_reads_text() -> None:
    as_text = {"as_text": True}
    spoken = [
        stages.run(WIRE.decoder(as_text), [[b"".join(TEXT)]]),
        stages.run(WIRE.decoder(as_text), [[one] for one in TEXT]),
        stages.run(decoder("application/json", **as_text), [['{"text":"I see skies of blue 🙂"}'.encode()]]),
    ]
    for chunks in spoken:
        assert fold(chunks).text == "I see skies of blue 🙂"
        assert not any(isinstance(one, TranscriptDelta) for one in chunks)
    logprobs = fold(stages.run(WIRE.decoder(as_text), [[b"".join(WITH_LOGPROBS)]]))
    assert logprobs.tokens[1] == Token(" see", logprob=-0.25)
    assert logprobs.candidates[0].transcript == ""
    late = fold(stages.run(WIRE.decoder(as_text), [[delta("I see"), WITH_LOGPROBS[-1]]]))
    assert (late.text, len(late.tokens)) == ("I see", 2)


def test_silence_is_an_answer() -> None:
    assert len(read({"text": ""}).candidates) == 1
    assert len(read(b"", "text/plain").candidates) == 1


def test_plain_text_loses_only_its_closing_line_end() -> None:
    assert read("Grüße\n\n".encode(), "text/plain; charset=utf-8").candidates[0].transcript == "Grüße\n"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "wire"),
        (b"{", "wire"),
        (b"[]", "wire"),
        (b'{"object":"list"}', "wire"),
        (b'{"text":5}', "wire"),
        (b'{"text":"a","segments":5}', "wire"),
        (b'{"text":"a","usage":{"input_tokens":"x"}}', "wire"),
        (b'{"error":{"message":"slow","type":"rate_limit_error"}}', "rate_limited"),
        (b'{"error":{"message":"no","type":"invalid_request_error"}}', "bad_request"),
    ],
)
def test_json_that_is_no_transcription_is_a_typed_failure(body: bytes, kind: str) -> None:
    found = stages.inert_after_failure(stages.reads(lambda: decoder("application/json")), body)
    assert found.kind == kind


def test_sound_is_given_as_it_comes() -> None:
    stage = decoder("audio/mpeg")
    first = stage.feed([b"ID3"])
    assert first[-1] == AudioDelta(0, b"ID3", "mp3")
    assert stage.feed([b"", b"x"]) == [AudioDelta(0, b"x", "mp3")]
    assert isinstance(stage.close()[-1], Finish)


def test_an_answer_without_sound_is_a_failure() -> None:
    assert read(b"", "audio/wav").failure == Failure(
        "truncated", "the provider sent no sound", "empty_response", True, 502
    )


@pytest.mark.parametrize(
    ("content_type", "asked", "format", "rate_hz", "channels"),
    [
        ("audio/mpeg", "mp3", "mp3", 0, 0),
        ("audio/wav", "mp3", "wav", 0, 0),
        ("Audio/X-WAV", "", "wav", 0, 0),
        ("audio/pcm;rate=16000;channels=2", "pcm16", "pcm16", 16000, 2),
        ("audio/pcm", "pcm16", "pcm16", 24000, 1),
        ("audio/L16; rate=8000", "pcm16", "pcm16", 8000, 1),
        ("application/octet-stream", "flac", "flac", 0, 0),
        ("application/octet-stream", "pcm16", "pcm16", 24000, 1),
        ("audio/ogg", "opus", "opus", 0, 0),
        ("audio/ogg", "mp3", "ogg", 0, 0),
    ],
)
def test_the_format_is_what_the_answer_says_else_what_was_asked(
    content_type: str, asked: str, format: str, rate_hz: int, channels: int
) -> None:
    audio = read(b"ab", content_type, asked_format=asked).candidates[0].audio
    assert audio is not None
    assert (audio.format, audio.sample_rate_hz, audio.channels) == (format, rate_hz, channels)


@pytest.mark.parametrize("content_type", ["text/html", "text/vtt", "application/xml", "image/png", "x"])
def test_other_types_are_no_answer(content_type: str) -> None:
    assert body_decoder(content_type, {}) is None


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "audio/mpeg"])
def test_any_cut_any_truncation_any_garbage(content_type: str) -> None:
    data = json.dumps(VERBOSE).encode()
    stages.check(stages.reads(lambda: decoder(content_type)), data, chunks=True, normal=heard)


def heard(outputs: list[Any]) -> Any:
    """The reply, and how many chunks there are that are no sound: sound is cut as the reads are."""
    return fold(outputs), [one for one in outputs if not isinstance(one, AudioDelta)]


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "audio/mpeg"])
def test_work_is_linear(content_type: str) -> None:
    work.linear(stages.reads(lambda: decoder(content_type)), b'{"text": "abc"} ')


def test_a_body_is_bounded() -> None:
    stage = decoder("application/json")
    out = [one for _ in range(18) for one in stage.feed([b"x" * 2**20])]
    assert [one.code for one in out] == ["answer_too_long"]
    assert stage.close() == []


def test_a_whole_transcription_where_a_stream_was_expected_is_read() -> None:
    chunks = decode(json.dumps(VERBOSE).encode())
    assert fold(chunks).candidates[0].transcript == "The beach was popular."
    assert failure(b"<html><title>502 Bad</title>").code == "unexpected_answer"
    assert failure(b'{"error":{"message":"no","type":"rate_limit_error"}}').kind == "rate_limited"
