"""Transcriptions and speech of remote places: forms out; events, whole bodies and sound itself in."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import msgspec
import pytest
from tests.wire.openai_audio.events import SECONDS, SPEECH, TEXT, VERBOSE

from headrace.config import Clocks, Secret
from headrace.core.chunk import AudioDelta, Cancelled, Failure, Finish
from headrace.core.fold import fold
from headrace.core.message import AudioPart, user
from headrace.core.reply import Reply
from headrace.core.request import GenerationSettings, Request, Speech, Transcription
from headrace.errors import ConfigError
from headrace.framing.multipart import FormPart, boundary_of, read_form
from headrace.providers.model import provider_model
from headrace.providers.row import ProviderRow
from headrace.testing.loopback import Peer, loopback
from headrace.testing.recorder import turns
from headrace.transport.fake import EVENT_STREAM, End, FakeSender, Play
from headrace.transport.pool import HttpPool

ROW = ProviderRow(
    "up",
    "openai_audio",
    "https://up.example/v1",
    api_key=Secret("sk-geheim"),
    clocks=Clocks(connect_s=5, first_token_s=5, idle_s=5, total_s=5),
)
SOUND = AudioPart(b"RIFF....WAVE", format="wav")
HEAR = Request(
    "up/hears", (user([SOUND]),), task="transcription", transcription=Transcription("de", "Headrace")
)
SAY = Request("up/says", (user("Grüße"),), task="speech", speech=Speech("coral", "mp3", 1.5))
HELD = "I see skies of blue 🙂"
JSON = {"content-type": "application/json"}


def kind(content_type: str) -> dict[str, str]:
    return {"content-type": content_type}


def asked(basin: Any, request: Request, play: Play, row: ProviderRow = ROW) -> tuple[FakeSender, Any]:
    """One answer, to its end."""

    async def main() -> tuple[FakeSender, Any]:
        fake, sink = FakeSender(play), basin()
        provider_model(row, request.model.partition("/")[2], fake).open(request).source.start(sink)
        await sink.terminal()
        await asyncio.sleep(0)
        assert all(call.ended for call in fake.calls)
        assert len(fake.wheel) == (
            1 if isinstance(sink.terminals[0], Finish) and play.end == "silence" else 0
        )
        return fake, sink

    return asyncio.run(main())


def whole(basin: Any, request: Request, play: Play, row: ProviderRow = ROW) -> Reply:
    _, sink = asked(basin, request, play, row)
    assert isinstance(sink.terminals[0], Finish), sink.terminals
    return fold([*sink.items, sink.terminals[0]])


def failed(basin: Any, request: Request, play: Play, row: ProviderRow = ROW) -> Failure:
    _, sink = asked(basin, request, play, row)
    assert isinstance(sink.terminals[0], Failure)
    return sink.terminals[0]


def form_in(content_type: str, body: bytes) -> dict[str, list[bytes]]:
    parts = read_form(body, boundary_of(content_type))
    assert not isinstance(parts, Failure)
    found: dict[str, list[bytes]] = {}
    for part in parts:
        found.setdefault(part.name, []).append(part.data)
    return found


@pytest.mark.parametrize("cut_bytes", [0, 1, 7])
def test_a_form_goes_out_and_a_stream_of_events_comes_back(basin: Any, cut_bytes: int) -> None:
    fake, sink = asked(basin, HEAR, Play(body=b"".join(TEXT), cut_bytes=cut_bytes))
    reply = fold([*sink.items, sink.terminals[0]])
    assert (reply.candidates[0].transcript, reply.failure) == (HELD, None)
    assert not fake.calls[0].cancelled
    (sent,) = fake.requests
    assert sent.url == "https://up.example/v1/audio/transcriptions"
    assert sent.headers["authorization"] == "Bearer sk-geheim"
    assert sent.headers["accept"] == "*/*"
    assert form_in(sent.headers["content-type"], sent.body) == {
        "file": [SOUND.data],
        "model": [b"hears"],
        "language": [b"de"],
        "prompt": [b"Headrace"],
        "response_format": [b"json"],
        "stream": [b"true"],
    }


WHOLE: dict[str, tuple[str, bytes]] = {
    "json": ("application/json; charset=utf-8", json.dumps({"text": HELD, "usage": SECONDS}).encode()),
    "text": ("text/plain", HELD.encode() + b"\n"),
    "json said to be events": ("text/event-stream", json.dumps({"text": HELD}).encode()),
    "json said to be nothing": ("", json.dumps({"text": HELD}).encode()),
}


@pytest.mark.parametrize("cut_bytes", [0, 1])
@pytest.mark.parametrize("name", WHOLE)
def test_a_place_that_does_not_stream_is_read(basin: Any, name: str, cut_bytes: int) -> None:
    content_type, body = WHOLE[name]
    reply = whole(basin, HEAR, Play(headers=kind(content_type), body=body, cut_bytes=cut_bytes))
    assert reply.candidates[0].transcript == HELD
    if name == "json":
        assert reply.usage is not None
        assert reply.usage.vendor is not None
        assert reply.usage.vendor.data == SECONDS


def test_a_chat_with_sound_reads_text(basin: Any) -> None:
    chat = Request("up/hears", (user([SOUND]),))
    for play in (Play(body=b"".join(TEXT)), Play(headers=JSON, body=json.dumps(VERBOSE).encode())):
        fake, sink = asked(basin, chat, play)
        reply = fold([*sink.items, sink.terminals[0]])
        assert reply.text in (HELD, VERBOSE["text"])
        assert reply.candidates[0].transcript == ""
        assert fake.requests[0].url.endswith("/audio/transcriptions")


def test_words_are_asked_for_whole(basin: Any) -> None:
    timed = msgspec.structs.replace(HEAR, transcription=Transcription(times=("word",)))
    fake, sink = asked(basin, timed, Play(headers=JSON, body=json.dumps(VERBOSE).encode()))
    assert [one.text for one in fold(sink.items).candidates[0].words] == ["The", "beach"]
    sent = fake.requests[0]
    form = form_in(sent.headers["content-type"], sent.body)
    assert form["timestamp_granularities[]"] == [b"word"]
    assert "stream" not in form


@pytest.mark.parametrize("end", ["cut", "reset"])
@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "audio/mpeg"])
def test_a_body_that_ends_early_is_never_a_whole_answer(basin: Any, content_type: str, end: End) -> None:
    body = json.dumps({"text": HELD}).encode()  # even one that could be read
    failure = failed(basin, HEAR, Play(headers=kind(content_type), body=body, end=end))
    assert (failure.kind, failure.retryable) == ("truncated", True)
    assert failure.detail["provider"] == "up"


def test_a_stream_needs_no_proper_end_of_its_body(basin: Any) -> None:
    assert whole(basin, HEAR, Play(body=b"".join(TEXT), end="reset")).candidates[0].transcript == HELD


@pytest.mark.parametrize("cut_bytes", [0, 1, 7])
@pytest.mark.parametrize(
    ("content_type", "format", "rate_hz"),
    [
        ("audio/mpeg", "mp3", 0),
        ("application/octet-stream", "mp3", 0),
        ("audio/pcm;rate=8000", "pcm16", 8000),
    ],
)
def test_sound_is_given_as_it_comes(
    basin: Any, content_type: str, format: str, rate_hz: int, cut_bytes: int
) -> None:
    fake, sink = asked(basin, SAY, Play(headers=kind(content_type), body=bytes(100), cut_bytes=cut_bytes))
    deltas = [one for one in sink.items if isinstance(one, AudioDelta)]
    assert len(deltas) == (-(-100 // cut_bytes) if cut_bytes else 1)
    assert b"".join(one.data for one in deltas) == bytes(100)
    assert {(one.format, one.sample_rate_hz) for one in deltas} == {(format, rate_hz)}
    assert sink.terminals == [Finish()]
    assert not fake.calls[0].cancelled
    (sent,) = fake.requests
    assert sent.url == "https://up.example/v1/audio/speech"
    assert sent.headers["content-type"] == "application/json"
    assert json.loads(sent.body) == {
        "model": "says", "input": "Grüße", "voice": "coral", "response_format": "mp3", "speed": 1.5,
    }  # fmt: skip


def test_speech_events(basin: Any) -> None:
    reply = whole(basin, SAY, Play(body=b"".join(SPEECH), headers=EVENT_STREAM))
    assert reply.candidates[0].audio is not None
    assert (reply.candidates[0].audio.format, len(reply.candidates[0].audio.data)) == ("mp3", 43)
    assert reply.usage is not None
    assert reply.usage.output_tokens == 101


@pytest.mark.parametrize("content_type", ["text/html", "text/vtt", "image/png", "application/xml"])
def test_another_content_type_with_200_is_a_wire_failure(basin: Any, content_type: str) -> None:
    failure = failed(basin, SAY, Play(headers=kind(content_type), body=b"<html>", end="cut"))
    assert failure.kind == "wire"
    assert "200" in failure.message


@pytest.mark.parametrize(
    ("status", "name"), [(401, "auth"), (400, "bad_request"), (429, "rate_limited"), (503, "unavailable")]
)
def test_an_error_status_is_typed_whatever_it_says_it_is(basin: Any, status: int, name: str) -> None:
    body = json.dumps({"error": {"message": "no: sk-geheim", "param": "file"}}).encode()
    for content_type in ("application/json", "audio/mpeg", "text/plain"):
        failure = failed(basin, HEAR, Play(status, kind(content_type), body))
        assert (failure.kind, failure.detail["status"]) == (name, status)
        assert "geheim" not in repr(failure)


def test_no_sound_is_no_answer(basin: Any) -> None:
    assert failed(basin, SAY, Play(headers=kind("audio/mpeg"))).code == "empty_response"


CLOCKS = {
    "nothing of a whole answer yet": (
        Play(headers=JSON, end="silence"),
        {"first_token_s": 0.05},
        "first_token",
    ),
    "half of a whole answer": (
        Play(headers=JSON, body=b'{"text"', end="silence"),
        {"first_token_s": 0.05},
        "first_token",
    ),
    "sound that stalls": (
        Play(headers=kind("audio/mpeg"), body=b"ID3", end="silence"),
        {"idle_s": 0.05},
        "idle",
    ),
}


@pytest.mark.parametrize("name", CLOCKS)
def test_each_clock_runs(basin: Any, name: str) -> None:
    play, clocks, code = CLOCKS[name]
    row = msgspec.structs.replace(ROW, clocks=Clocks(**{"connect_s": 5, **clocks}))  # type: ignore[arg-type]
    failure = failed(basin, HEAR, play, row)
    assert (failure.kind, failure.code) == ("timeout", code)


@pytest.mark.parametrize("turns_before", range(8))
def test_cancel_at_every_turn_ends_once(basin: Any, turns_before: int) -> None:
    async def main() -> None:
        play = Play(headers=kind("audio/mpeg"), body=[b"ID3", b"x"], end="silence")
        fake, sink = FakeSender(play), basin()
        source = provider_model(ROW, "says", fake).open(SAY).source
        source.start(sink)
        for _ in range(turns_before):
            await asyncio.sleep(0)
        source.cancel()
        assert [type(one) for one in sink.terminals] == [Cancelled]
        assert fake.calls[0].cancelled
        assert len(fake.wheel) == 0

    asyncio.run(main())


def test_what_the_place_refuses_is_a_warning_of_the_call() -> None:
    row = msgspec.structs.replace(ROW, quirks={"drop": ["include"], "no_stream": True, "voice": "tara"})

    async def main() -> None:
        model = provider_model(row, "m", FakeSender())
        asked = msgspec.structs.replace(HEAR, settings=GenerationSettings(logprobs=True))
        assert any("include" in one for one in model.open(asked).warnings)
        (warning,) = model.open(Request("m", (user("Hi"),), task="speech")).warnings
        assert "voice was set to tara" in warning
        assert model.card.capabilities == ("asr", "tts")
        assert model.open_relay("openai_audio", b"", True) is None

    asyncio.run(main())
    with pytest.raises(ConfigError, match="no_stream"):
        provider_model(msgspec.structs.replace(ROW, quirks={"no_streem": True}), "m", FakeSender())


def test_over_a_real_socket_the_connection_is_used_again(basin: Any) -> None:
    """The content length of the form is right, and the end of a whole answer gives the connection back."""
    heard: list[dict[str, list[bytes]]] = []

    async def script(peer: Peer) -> None:
        for number in range(2):
            head, body = await peer.request()
            lines = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:-2])
            heard.append(form_in(lines[b"content-type"].decode(), body))
            text = json.dumps({"text": f"take {number}"}).encode()
            peer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
            await peer.drip(b"Content-Length: %d\r\n\r\n" % len(text) + text, 7)
        await peer.gone()

    async def main() -> None:
        large = AudioPart(bytes(range(256)) * 2000, format="wav")
        async with loopback(script) as server, HttpPool() as pool:
            row = msgspec.structs.replace(ROW, base_url=f"{server.url}/v1")
            model = provider_model(row, "hears", pool)
            for number in range(2):
                sink = basin()
                model.open(Request("m", (user([large]),), task="transcription")).source.start(sink)
                assert await sink.terminal() == Finish()
                assert fold(sink.items).candidates[0].transcript == f"take {number}"
                await turns()
            assert len(server.peers) == 1
        assert [one["file"] for one in heard] == [[large.data]] * 2

    asyncio.run(main())


def test_a_form_may_hold_anything(basin: Any) -> None:
    given = AudioPart(b"\r\n--headrace\r\n" * 50, format="wav")
    fake, _ = asked(basin, Request("up/m", (user([given]),), task="transcription"), Play(body=b"".join(TEXT)))
    sent = fake.requests[0]
    parts = read_form(sent.body, boundary_of(sent.headers["content-type"]))
    assert FormPart("file", given.data, "audio.wav", "audio/wav") in list(parts)  # type: ignore[arg-type]
