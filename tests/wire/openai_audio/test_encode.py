"""What goes out to a client, judged by the official one."""

from __future__ import annotations

import io
import json
import wave
from base64 import b64decode
from typing import Any

import openai
import pytest
from tests.wire import scripted
from tests.wire.openai_audio.events import EVERYTHING, STREAMS, VERBOSE, decode, delta, done

from headrace.core.chunk import (
    AudioDelta,
    BlockEnd,
    BlockStart,
    Cancelled,
    CandidateEnd,
    Chunk,
    Failure,
    Finish,
    RefusalDelta,
    Start,
    Token,
    TranscriptDelta,
    UsageReport,
    Word,
)
from headrace.core.fold import fold
from headrace.core.request import GenerationSettings, Request, Speech, Transcription
from headrace.errors import KINDS, RateLimited
from headrace.testing import stages
from headrace.wire.base import ParsedRequest, Says
from headrace.wire.openai_audio import (
    SOUND_FRONT,
    SPEECH_FRONT,
    TRANSCRIPTION_FRONT,
    AudioDecoder,
    SoundEncoder,
    TranscriptEncoder,
    body_decoder,
)

FILE = ("a.wav", b"RIFF")
SAYS = Says("", "m", 0)


def encode(encoder: Any, chunks: Any) -> bytes:
    return b"".join(stages.run(encoder, [list(chunks)]))


def events_of(body: bytes) -> list[Any]:
    return [json.loads(line[6:]) for line in body.split(b"\n\n") if line]


def spoken(*pieces: bytes, format: str = "mp3", **more: Any) -> list[Chunk]:
    """A reply of sound, as another wire's decoder gives it."""
    sound: list[Chunk] = [AudioDelta(1, piece, format, **more) for piece in pieces]
    heard = [BlockStart(0, "transcript"), TranscriptDelta(0, "hello")]
    end = [BlockEnd(0), BlockEnd(1), CandidateEnd("stop"), UsageReport(scripted.USAGE), Finish()]
    return [Start("c", "m"), *heard, BlockStart(1, "audio"), *sound, *end]


@pytest.mark.parametrize("events", STREAMS.values(), ids=STREAMS)
def test_an_answer_of_this_wire_goes_out_as_the_same_events(events: tuple[bytes, ...]) -> None:
    encoder = SoundEncoder(events=True) if b"speech" in events[0] else TranscriptEncoder()
    encoded = encode(encoder, decode(*events))
    assert events_of(encoded) == events_of(b"".join(events))
    assert fold(decode(encoded)) == fold(decode(*events))


@pytest.mark.parametrize(
    "events",
    [(done("all at once"),), (delta("He"), done("Hello")), (delta("Hello "), done("Hello")), (done(""),)],
)
def test_so_it_does_where_the_end_and_the_deltas_differ(events: tuple[bytes, ...]) -> None:
    assert events_of(encode(TranscriptEncoder(), decode(*events))) == events_of(b"".join(events))


def test_a_chat_models_text_is_a_transcript_for_the_official_client(answering: Any) -> None:
    body = encode(TranscriptEncoder(), scripted.EVERYTHING)
    client = answering(body)
    events = list(client.audio.transcriptions.create(model="m", file=FILE, stream=True))
    assert [one.type for one in events] == ["transcript.text.delta"] * 2 + ["transcript.text.done"]
    assert "".join(one.delta for one in events[:-1]) == events[-1].text == "Hello é🙂"
    usage = events[-1].usage
    assert (usage.input_tokens, usage.output_tokens, usage.total_tokens) == (11, 7, 18)
    assert usage.type == "tokens"


def test_any_grouping_of_chunks_gives_the_same_bytes() -> None:
    for chunks in (list(scripted.EVERYTHING), decode(*EVERYTHING)):
        stages.check(TranscriptEncoder, chunks, normal=stages.joined)


@pytest.mark.parametrize("events", [True, False])
def test_any_grouping_of_sound_gives_the_same_bytes(events: bool) -> None:
    chunks = spoken(b"ab", b"cd", format="pcm16")
    stages.check(lambda: SoundEncoder("wav", events=events), chunks, normal=stages.joined)


TIMED = [
    Start(),
    BlockStart(0, "transcript"),
    TranscriptDelta(0, "Hi the", committed=False),
    TranscriptDelta(
        0,
        "Hi there.",
        words=(Word("Hi", 0.0, 0.25), Word("there.", 0.25, 0.75)),
        language="en",
        segments=(Word("Hi there.", 0.0, 0.75, speaker="A"),),
        tokens=(Token("Hi", logprob=-0.5), Token(" there.", logprob=float("-inf"))),
    ),
    TranscriptDelta(0, " Bye --> now.\n", segments=(Word("Bye --> now.\n", 3661.5, 3662.0, speaker="B"),)),
    BlockEnd(0),
    CandidateEnd("stop"),
    Finish(),
]


def test_what_was_not_asked_for_stays_out(answering: Any) -> None:
    plain = events_of(encode(TranscriptEncoder(logprobs=False, segments=False), TIMED))
    assert [one["type"] for one in plain] == ["transcript.text.delta"] * 2 + ["transcript.text.done"]
    assert not any("logprobs" in one for one in plain)
    client = answering(encode(TranscriptEncoder(), TIMED))
    events = list(client.audio.transcriptions.create(model="m", file=FILE, stream=True))
    turns = [one for one in events if one.type == "transcript.text.segment"]
    assert [(one.speaker, one.start, one.end, one.text) for one in turns] == [
        ("A", 0.0, 0.75, "Hi there."), ("B", 3661.5, 3662.0, "Bye --> now.\n"),
    ]  # fmt: skip
    assert [one.logprob for one in events[0].logprobs] == [-0.5, -9999.0]
    assert [one.token for one in events[-1].logprobs] == ["Hi", " there."]
    assert events[-1].languages[0].code == "en"
    assert events[-1].text == "Hi there. Bye --> now.\n"


def asked(response_format: str, *times: Any, logprobs: bool = False, translate_to: str = "") -> ParsedRequest:
    how = Transcription(times=times, translate_to=translate_to)
    request = Request("m", settings=GenerationSettings(logprobs=logprobs), transcription=how)
    return ParsedRequest(request, wanted={"response_format": response_format})


def whole(answering: Any, chunks: Any, parsed: ParsedRequest) -> Any:
    """What the official client makes of the whole answer."""
    body = TRANSCRIPTION_FRONT.body(fold(chunks), SAYS, parsed)
    assert isinstance(body, bytes)
    client = answering(body, content_type=TRANSCRIPTION_FRONT.body_type(parsed))
    wanted = parsed.wanted["response_format"]
    return client.audio.transcriptions.create(model="m", file=FILE, response_format=wanted)


def test_whole_transcriptions_in_every_form(answering: Any) -> None:
    text = "Hi there. Bye --> now.\n"
    assert whole(answering, TIMED, asked("text")) == text
    plain = whole(answering, [*TIMED[:-1], UsageReport(scripted.USAGE), Finish()], asked("json"))
    assert (plain.text, plain.usage.total_tokens, plain.languages[0].code) == (text, 18, "en")
    assert plain.logprobs is None
    assert whole(answering, TIMED, asked("json", logprobs=True)).logprobs[0].token == "Hi"
    verbose = whole(answering, TIMED, asked("verbose_json", "word", "segment"))
    assert (verbose.text, verbose.language, verbose.duration) == (text, "en", 3662.0)
    assert [(one.word, one.start, one.end) for one in verbose.words] == [
        ("Hi", 0.0, 0.25),
        ("there.", 0.25, 0.75),
    ]
    assert [(one.id, one.start, one.text) for one in verbose.segments] == [
        (0, 0.0, "Hi there."), (1, 3661.5, "Bye --> now.\n"),
    ]  # fmt: skip
    assert whole(answering, TIMED, asked("verbose_json", "word")).segments is None
    assert whole(answering, TIMED, asked("verbose_json", translate_to="en")).task == "translate"
    diarized = whole(answering, TIMED, asked("diarized_json"))
    assert [(one.speaker, one.id, one.type) for one in diarized.segments] == [
        ("A", "seg_0", "transcript.text.segment"), ("B", "seg_1", "transcript.text.segment"),
    ]  # fmt: skip


def test_subtitles(answering: Any) -> None:
    assert whole(answering, TIMED, asked("srt")) == (
        "1\n00:00:00,000 --> 00:00:00,750\nHi there.\n\n2\n01:01:01,500 --> 01:01:02,000\nBye -> now.\n\n"
    )
    assert whole(answering, TIMED, asked("vtt")) == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:00.750\nHi there.\n\n01:01:01.500 --> 01:01:02.000\nBye -> now.\n\n"
    )


@pytest.mark.parametrize("wanted", ["srt", "vtt"])
def test_subtitles_of_a_model_that_tells_no_times_are_refused(wanted: str) -> None:
    body = TRANSCRIPTION_FRONT.body(fold(scripted.text_reply("Hi")), SAYS, asked(wanted))
    assert isinstance(body, Failure)
    assert (body.kind, body.code, body.http_status) == ("request", "no_times", 400)
    assert body.detail["field"] == "response_format"


def test_silence_needs_no_times() -> None:
    assert TRANSCRIPTION_FRONT.body(fold(scripted.text_reply("")), SAYS, asked("srt")) == b""


def test_a_whole_answer_of_this_wire_goes_out_as_it_came() -> None:
    decoder = body_decoder("application/json", {})
    chunks = stages.run(decoder, [[json.dumps(VERBOSE).encode()]])  # type: ignore[arg-type]
    body = TRANSCRIPTION_FRONT.body(fold(chunks), SAYS, asked("verbose_json", "segment"))
    assert isinstance(body, bytes)
    assert json.loads(body) == VERBOSE


def test_of_a_contradicting_stream_the_whole_is_what_its_end_said(answering: Any) -> None:
    chunks = decode(delta("Helo"), done("Hello"))
    assert whole(answering, chunks, asked("json")).text == "Hello"
    assert whole(answering, chunks, asked("text")) == "Hello"


NO = [Start(), BlockStart(0, "refusal"), RefusalDelta(0, "I will "), RefusalDelta(0, "not."), BlockEnd(0)]


def test_a_refusal_is_no_transcript_and_no_sound() -> None:
    chunks: list[Chunk] = [*NO, CandidateEnd("stop"), Finish()]
    for encoder in (TranscriptEncoder(), SoundEncoder(), SoundEncoder(events=True)):
        (failure,) = stages.run(encoder, [chunks])
        assert (failure.kind, failure.code) == ("content_blocked", "refusal")
        assert failure.message.endswith("I will not.")
    for front in (TRANSCRIPTION_FRONT, SOUND_FRONT):
        body = front.body(fold(chunks), SAYS, asked("json"))
        assert isinstance(body, Failure)
        assert body.kind == "content_blocked"


@pytest.mark.parametrize(
    "terminal",
    [Failure.of(RateLimited("slow down")), Cancelled("stopped"), None],
    ids=["failure", "cancelled", "no terminal"],
)
def test_a_bad_end_makes_the_official_client_raise(answering: Any, terminal: Any) -> None:
    chunks = [*scripted.text_reply("Hel")[:3], *([terminal] if terminal is not None else [])]
    body = encode(TranscriptEncoder(), chunks)
    with pytest.raises(openai.APIError):
        list(answering(body).audio.transcriptions.create(model="m", file=FILE, stream=True))


@pytest.mark.parametrize(
    "kind", ["rate_limited", "auth", "bad_request", "content_blocked", "context_overflow"]
)
def test_a_failure_is_read_as_the_same_kind(kind: str) -> None:
    failure = Failure.of(KINDS[kind]("no"))
    for encoder in (TranscriptEncoder(), SoundEncoder(events=True)):
        last = stages.run(AudioDecoder(), [[encode(encoder, [failure])]])[-1]
        assert (last.kind, last.retryable) == (kind, failure.retryable)


def test_a_failure_given_as_a_value_can_come_back_to_be_written() -> None:
    for encoder in (TranscriptEncoder(), SoundEncoder(events=True)):
        (failure,) = encoder.feed([*NO, Finish()])
        assert isinstance(failure, Failure)
        (event,) = encoder.feed([failure])
        assert isinstance(event, bytes)
        assert events_of(event)[0]["error"]["code"] == "refusal"
        assert encoder.close() == []


def test_sound_of_any_model_as_events() -> None:
    *deltas, last = events_of(encode(SoundEncoder("mp3", events=True), spoken(b"ab", b"cd")))
    assert [b64decode(one["audio"]) for one in deltas] == [b"ab", b"cd"]
    assert last == {
        "type": "speech.audio.done",
        "usage": {"input_tokens": 11, "output_tokens": 7, "total_tokens": 18},
    }


def test_raw_samples_become_a_wav_file_where_one_was_asked_for_or_nothing_was() -> None:
    for asked_format in ("wav", ""):
        encoder = SoundEncoder(asked_format)
        data = encode(
            encoder, spoken(b"\x01\x00", b"\x02\x00", format="pcm16", sample_rate_hz=16000, channels=1)
        )
        assert encoder.content_type == "audio/wav"
        with wave.open(io.BytesIO(data)) as read:
            assert (read.getframerate(), read.getnchannels(), read.getsampwidth()) == (16000, 1, 2)
            assert read.readframes(2) == b"\x01\x00\x02\x00"


@pytest.mark.parametrize(
    ("asked_format", "given", "content_type"),
    [
        ("mp3", "mp3", "audio/mpeg"),
        ("pcm16", "pcm16", "audio/pcm;rate=24000;channels=1"),
        ("", "opus", "audio/opus"),
        ("", "", "application/octet-stream"),
    ],
)
def test_sound_passes_as_it_is(asked_format: str, given: str, content_type: str) -> None:
    encoder = SoundEncoder(asked_format)
    assert encode(encoder, spoken(b"ab", b"cd", format=given)) == b"abcd"
    assert SOUND_FRONT.type_of is not None
    assert SOUND_FRONT.type_of(encoder) == content_type


def test_sound_that_does_not_say_what_it_is_is_looked_at() -> None:
    encoder = SoundEncoder("wav")
    assert encode(encoder, spoken(b"RIFF....WAVE", format="")) == b"RIFF....WAVE"
    assert encoder.content_type == "audio/wav"


@pytest.mark.parametrize("events", [True, False])
@pytest.mark.parametrize(
    ("asked_format", "given", "way"),
    [
        ("mp3", "pcm16", "ask for wav or pcm"),
        ("pcm16", "mp3", "ask for mp3"),
        ("mp3", "ogg", "leave it out"),
        ("mp3", "", "leave it out"),
    ],
)
def test_another_format_than_was_asked_for_is_never_claimed(
    asked_format: str, given: str, way: str, events: bool
) -> None:
    (failure,) = stages.run(SoundEncoder(asked_format, events=events), [spoken(b"ab", b"cd", format=given)])
    assert (failure.kind, failure.code, failure.http_status) == ("request", "unsupported_format", 400)
    assert failure.detail["field"] == "response_format"
    assert way in failure.message


@pytest.mark.parametrize("events", [True, False])
def test_a_model_that_only_writes_gives_a_clear_failure(events: bool) -> None:
    (failure,) = stages.run(SoundEncoder(events=events), [list(scripted.EVERYTHING)])
    assert (failure.kind, failure.code) == ("request", "no_sound")


def test_sound_that_breaks_off_ends_in_the_failure_as_a_value() -> None:
    failure = Failure.of(RateLimited("slow down"))
    out = stages.run(SoundEncoder(), [[*spoken(b"ab")[:-5], failure]])
    assert out == [b"ab", failure]
    assert stages.run(SoundEncoder(), [spoken(b"ab")[:-1]])[-1].kind == "truncated"


def test_the_sound_of_a_whole_reply() -> None:
    parsed = ParsedRequest(Request("m", speech=Speech(format="mp3")))
    assert SPEECH_FRONT.body(fold(spoken(b"ab", b"cd")), SAYS, parsed) == b"abcd"
    wrong = SOUND_FRONT.body(fold(spoken(b"ab", format="pcm16")), SAYS, parsed)
    assert isinstance(wrong, Failure)
    assert wrong.code == "unsupported_format"
    silent = SOUND_FRONT.body(fold(scripted.text_reply("a")), SAYS, parsed)
    assert isinstance(silent, Failure)
    assert silent.code == "no_sound"


def test_other_candidates_are_left_out() -> None:
    chunks = [TranscriptDelta(0, "a"), TranscriptDelta(1, "b", candidate=1), Finish()]
    assert events_of(encode(TranscriptEncoder(), chunks))[-1]["text"] == "a"
    assert encode(SoundEncoder(), [AudioDelta(0, b"a"), AudioDelta(1, b"b", candidate=1), Finish()]) == b"a"
