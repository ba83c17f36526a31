from __future__ import annotations

import json
from typing import Any

import pytest
from tests.wire.openai_audio.events import (
    DIARIZED,
    EVERYTHING,
    SECONDS,
    SPEECH,
    STREAMS,
    TEXT,
    USAGE,
    WITH_LOGPROBS,
    decode,
    delta,
    done,
    event,
    failure,
    reply,
    segment,
    sound,
)

from headrace.core.chunk import (
    AudioDelta,
    BlockEnd,
    BlockStart,
    CandidateEnd,
    Finish,
    Start,
    Token,
    TranscriptDelta,
    UsageReport,
    VendorPart,
    Word,
)
from headrace.testing import stages
from headrace.wire.openai_audio import AudioDecoder


@pytest.mark.parametrize("events", STREAMS.values(), ids=STREAMS)
def test_cut_after_any_event_it_is_truncated(events: tuple[bytes, ...]) -> None:
    for count in range(len(events)):
        cut = failure(*events[:count])
        assert (cut.kind, cut.retryable) == ("truncated", True)
        assert f"after {count} events" in cut.message


def test_a_transcription() -> None:
    assert decode(*TEXT)[:-3] == [
        Start(),
        BlockStart(0, "transcript"),
        TranscriptDelta(0, "I see"),
        TranscriptDelta(0, " skies"),
        TranscriptDelta(0, " of blue 🙂"),
        BlockEnd(0),
    ]
    whole = reply(*TEXT)
    assert whole.candidates[0].transcript == "I see skies of blue 🙂"
    assert whole.text == ""
    assert whole.usage is not None
    assert (whole.usage.input_tokens, whole.usage.output_tokens) == (14, 31)
    assert whole.usage.vendor is not None
    assert whole.usage.vendor.data == USAGE
    assert whole.finish_reason == "stop"


def test_seconds_are_kept_where_tokens_are_not_counted() -> None:
    whole = reply(delta("a"), done("a", usage=SECONDS))
    assert whole.usage is not None
    assert whole.usage.total_tokens == 0
    assert whole.usage.vendor is not None
    assert whole.usage.vendor.data == SECONDS


def test_log_probabilities_are_tokens_once() -> None:
    assert reply(*WITH_LOGPROBS).candidates[0].transcript_tokens == (
        Token("I", logprob=-0.5),
        Token(" see", logprob=-0.25),
    )
    assert reply(delta("I see"), WITH_LOGPROBS[-1]).candidates[0].transcript_tokens == (
        Token("I", logprob=-0.5),
        Token(" see", logprob=-0.25),
    )


def test_speakers_are_told_apart() -> None:
    candidate = reply(*DIARIZED).candidates[0]
    assert candidate.transcript == "Hi. Hello."
    assert candidate.segments == (
        Word("Hi.", 0.0, 1.5, speaker="agent"),
        Word("Hello.", 1.5, 2.75, speaker="A"),
    )
    assert candidate.words == ()


def test_the_language_is_told_at_the_end() -> None:
    assert reply(*EVERYTHING).candidates[0].language == "fr"


def test_speech() -> None:
    chunks = decode(*SPEECH, asked_format="mp3")
    assert chunks[:4] == [
        Start(),
        BlockStart(0, "audio"),
        AudioDelta(0, b"\x01\x02\x03", "mp3"),
        AudioDelta(0, b"\x04" * 40, "mp3"),
    ]
    assert [type(one) for one in chunks[4:]] == [BlockEnd, UsageReport, CandidateEnd, Finish]
    whole = reply(*SPEECH)
    assert whole.candidates[0].audio is not None
    assert whole.candidates[0].audio.data == b"\x01\x02\x03" + b"\x04" * 40
    assert whole.usage is not None
    assert (whole.usage.input_tokens, whole.usage.output_tokens) == (13, 101)


def test_raw_samples_tell_their_rate() -> None:
    audio = reply(*SPEECH, asked_format="pcm16").candidates[0].audio
    assert audio is not None
    assert (audio.format, audio.sample_rate_hz, audio.channels) == ("pcm16", 24000, 1)


def test_the_end_says_what_no_delta_brought() -> None:
    assert reply(done("Hello")).candidates[0].transcript == "Hello"
    assert reply(delta("He"), done("Hello")).candidates[0].transcript == "Hello"
    assert reply(done("")).candidates[0].transcript == ""
    assert len(reply(done("")).candidates) == 1


@pytest.mark.parametrize("said", [("Hello ", "Hello"), ("Helo", "Hello"), ("Jello", "Hello")])
def test_an_end_that_contradicts_the_deltas_is_kept_beside_them(said: tuple[str, str]) -> None:
    candidate = reply(delta(said[0]), done(said[1])).candidates[0]
    assert candidate.transcript == said[0]
    assert [one.data for one in candidate.vendor] == [{"done": {"text": "Hello"}}]


@pytest.mark.parametrize(
    "stream",
    [
        b"".join(
            one.replace(b"data: ", b"event: " + json.loads(one[6:])["type"].encode() + b"\ndata: ")
            for one in TEXT
        ),
        b"".join(TEXT).replace(b"\n", b"\r\n"),
        b": ping\n" + b"".join(TEXT) + b"data: [DONE]\n\n",
        b"event: transcript.text.done\ndata: " + b'{"text":"I see skies of blue \\ud83d\\ude42"}\n\n',
        b"".join(TEXT).replace(b'"delta":', b'"obfuscation":"xyz","delta":'),
    ],
    ids=["named", "crlf", "done marker", "named only", "padded"],
)
def test_the_same_in_other_framings(stream: bytes) -> None:
    assert reply(stream).candidates[0].transcript == "I see skies of blue 🙂"
    stages.every_split(stages.reads(AudioDecoder), stream, examples=5)


def test_done_alone_is_no_end() -> None:
    assert failure(TEXT[0], b"data: [DONE]\n\n").kind == "truncated"


def test_speech_without_sound_is_no_answer() -> None:
    assert failure(SPEECH[-1]).code == "empty_response"


@pytest.mark.parametrize(
    ("bad", "kind"),
    [
        (b"data: {oops\n\n", "wire"),
        (b"data: [1]\n\n", "wire"),
        (b"data: 5\n\n", "wire"),
        (b'data: {"text":"speaches of old"}\n\n', "wire"),
        (b'data: {"object":"transcription.chunk","choices":[]}\n\n', "wire"),
        (b'data: {"type":7}\n\n', "wire"),
        (event("transcript.text.delta"), "wire"),
        (event("transcript.text.delta", delta=5), "wire"),
        (delta("a", logprobs=[{"token": 5}]), "wire"),
        (event("transcript.text.segment", start="soon"), "wire"),
        (event("transcript.text.done"), "wire"),
        (done("a", usage="much"), "wire"),
        (done("a", usage={"input_tokens": "many"}), "wire"),
        (done("a", languages=[5]), "wire"),
        (event("speech.audio.delta", audio="not base64!"), "wire"),
        (b'data: {"error":{"message":"slow down","type":"rate_limit_error"}}\n\n', "rate_limited"),
        (b'data: {"error":{"message":"boom","type":"server_error"}}\n\n', "unavailable"),
        (b'data: {"type":"error","message":"boom"}\n\n', "unavailable"),
        (b"event: error\ndata: gone\n\n", "unavailable"),
    ],
)
def test_a_bad_event_ends_the_reply_with_a_typed_failure(bad: bytes, kind: str) -> None:
    found = stages.inert_after_failure(stages.reads(AudioDecoder), b"".join([TEXT[0], bad, *TEXT[1:]]))
    assert found.kind == kind


def test_a_stream_in_another_protocol_is_told_the_way_out() -> None:
    assert "no_stream" in failure(b'data: {"text":"a"}\n\n').message


def test_what_is_not_modelled_is_kept() -> None:
    chunks: list[Any] = decode(*EVERYTHING)
    assert VendorPart in map(type, chunks)
    kept = [one.vendor.data for one in chunks if isinstance(one, TranscriptDelta) and one.vendor]
    assert {"novel": {"a": 1}} in kept
    assert {"segment_id": "seg_1", "logprobs": [{"token": "llo", "logprob": -1.5, "bytes": None}]} in kept
    end = next(one for one in chunks if isinstance(one, CandidateEnd))
    assert end.vendor is not None
    assert end.vendor.data == {"done": {"languages": [{"code": "fr"}], "model": "whisper"}}


def test_fields_that_are_null_are_absent() -> None:
    whole = reply(
        delta("a", logprobs=None, segment_id=None),
        event("transcript.text.segment", text="a", start=None, end=None, speaker=None, id="s"),
        done("a", usage=None, languages=None, logprobs=None),
    )
    assert whole.candidates[0].segments == (Word("a"),)
    assert whole.usage is None


def test_a_sound_event_with_more_fields() -> None:
    chunk = decode(sound(b"ab", seq=3), *SPEECH)[2]
    assert chunk.data == b"ab"
    assert chunk.vendor.data == {"seq": 3}


def test_segments_without_deltas_come_with_the_whole_text_at_the_end() -> None:
    candidate = reply(segment(1, 0, 1, "A", "Hi."), done("Hi.")).candidates[0]
    assert candidate.transcript == "Hi."
    assert len(candidate.segments) == 1
