"""OpenAI's audio endpoints where no whole answer comes of it: errors, cuts, silence, clients that leave."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import openai
import pytest
from tests.server.conftest import Carrier
from tests.server.doubles import BEGIN, END, HandModel, Models
from tests.server.hearing import ECHO, FILE, HEARD, SPOKEN, answered, asking
from tests.server.raw import connected, request

from headrace.core.chunk import AudioDelta, Failure, TextDelta
from headrace.errors import RateLimited, Unavailable
from headrace.framing.multipart import FormPart, encode_form
from headrace.server.limits import Limits
from headrace.simulate.echo import EchoModel

WRONG_FORM: dict[str, tuple[dict[str, Any], str]] = {
    "no such model": ({"model": "nobody"}, "model"),
    "no file": ({"file": ("a.wav", b"")}, "file"),
    "a form that is none": ({"response_format": "html"}, "response_format"),
    "a wish that is none": ({"temperature": 9}, "temperature"),
}


@pytest.mark.parametrize("name", WRONG_FORM)
def test_a_wrong_field_is_named(carrier: Carrier, name: str) -> None:
    fields, param = WRONG_FORM[name]

    async def main() -> None:
        async with carrier.serving(Models(EchoModel())) as served, asking(served) as audio:
            with pytest.raises(openai.APIStatusError, match=param) as raised:
                await audio.transcriptions.create(**{"model": ECHO, "file": FILE, **fields})
            assert raised.value.status_code == (404 if param == "model" else 400)
            assert raised.value.param == param
            with pytest.raises(openai.BadRequestError) as refused:
                await audio.speech.create(model=ECHO, input="", voice="a")
            assert refused.value.param == "input"

    carrier.run(main())


def test_a_body_that_is_no_form_or_too_large(carrier: Carrier) -> None:
    async def main() -> None:
        path = "/v1/audio/transcriptions"
        async with carrier.serving(Models(EchoModel()), Limits(max_body_bytes=4096)) as served:
            async with connected(served.url) as client:
                await client.send(request("POST", path, b'{"model": "sim/echo"}'))
                response = await client.response()
                assert (response.status, response.error["param"]) == (400, "content-type")
            async with connected(served.url) as client:
                body, kind = encode_form([FormPart("model", b"sim/echo"), FormPart("file", b"a", "a.wav")])
                sent = request("POST", path, body[:-9]).replace(b"application/json", kind.encode())
                await client.send(sent)
                response = await client.response()
                assert (response.status, response.error["code"]) == (400, "invalid_form")
                assert "closing boundary" in response.error["message"]
            async with asking(served) as audio:
                with pytest.raises(openai.APIStatusError) as raised:
                    await audio.transcriptions.create(model=ECHO, file=("a.wav", bytes(5000)))
                assert raised.value.status_code == 413
                assert (await audio.transcriptions.create(model=ECHO, file=FILE)).text

    carrier.run(main())


@pytest.mark.parametrize("events", [False, True])
def test_a_model_that_cannot_give_what_was_asked_for(carrier: Carrier, events: bool) -> None:
    async def main() -> None:
        model = HandModel()
        async with carrier.serving(Models(model)) as served, asking(served) as audio:

            def speak(format: str) -> Any:
                kind = "sse" if events else "audio"
                return audio.speech.create(
                    model="m", voice="a", input="b", response_format=format, stream_format=kind
                )

            with pytest.raises(openai.BadRequestError, match="gave no sound") as raised:
                await answered(model, speak("wav"), *BEGIN, TextDelta(0, "I only write"), *END)
            assert (raised.value.param, raised.value.code) == ("model", "no_sound")
            tone = AudioDelta(0, b"\x01\x00", "pcm16", 24_000, 1)
            with pytest.raises(openai.BadRequestError, match="ask for wav or pcm") as other:
                await answered(model, speak("mp3"), *SPOKEN, tone, *END)
            assert (other.value.param, other.value.code) == ("response_format", "unsupported_format")
            with pytest.raises(openai.RateLimitError):
                await answered(model, speak("wav"), terminal=Failure.of(RateLimited("slow down")))

    carrier.run(main())


def test_a_model_that_speaks_another_format_is_stopped(carrier: Carrier) -> None:
    async def main() -> None:
        model = HandModel()
        async with carrier.serving(Models(model)) as served, asking(served) as audio:
            asked = asyncio.create_task(
                audio.speech.create(model="m", voice="a", input="b", response_format="mp3")
            )
            source = await model.source()
            source.push(*SPOKEN, AudioDelta(0, b"\x01\x00", "pcm16"))
            with pytest.raises(openai.BadRequestError):
                await asked
            async with asyncio.timeout(30):
                await source.was_cancelled.wait()

    carrier.run(main())


def test_a_transcription_that_breaks_off_ends_in_an_error_event(carrier: Carrier) -> None:
    async def main() -> None:
        model = HandModel()
        async with carrier.serving(Models(model)) as served, asking(served) as audio:
            asked = audio.transcriptions.create(model="m", file=FILE, stream=True)
            broken = Failure.of(Unavailable("the engine fell over"))
            stream = await answered(model, asked, *HEARD[:3], terminal=broken)
            assert (await anext(stream)).delta == "Hi there."
            with pytest.raises(openai.APIError, match="the engine fell over"):
                await anext(stream)

    carrier.run(main())


def test_sound_that_breaks_off_is_cut_and_never_looks_whole(carrier: Carrier) -> None:
    async def main() -> None:
        model = HandModel()
        async with carrier.serving(Models(model)) as served, asking(served) as audio:
            asked = audio.speech.create(model="m", voice="a", input="b")
            broken = Failure.of(Unavailable("the engine fell over"))
            with pytest.raises(openai.APIConnectionError):
                await answered(model, asked, *SPOKEN, AudioDelta(0, b"ID3", "mp3"), terminal=broken)
            events = audio.speech.with_streaming_response.create(
                model="m", voice="a", input="b", stream_format="sse"
            )

            async def read() -> str:
                async with events as response:
                    return await response.text()

            text = await answered(model, read(), *SPOKEN, AudioDelta(0, b"ID3", "mp3"), terminal=broken)
            *_, last = [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: ")]
            assert last["error"]["message"] == "the engine fell over"

    carrier.run(main())


def test_only_events_are_kept_alive(direct: Carrier) -> None:
    async def main() -> None:
        model = HandModel()
        limits = Limits(keepalive_after_s=0.1)
        body, kind = encode_form(
            [FormPart("model", b"m"), FormPart("stream", b"true"), FormPart("file", b"a", "a.wav")]
        )
        heard = request("POST", "/v1/audio/transcriptions", body).replace(b"application/json", kind.encode())
        said = request("POST", "/v1/audio/speech", b'{"model":"m","input":"a","voice":"b"}')
        async with (
            direct.serving(Models(model), limits) as served,
            connected(served.url) as one,
            connected(served.url) as other,
        ):
            await other.send(said)
            speaking = await model.source()
            await one.send(heard)
            source = await model.source()
            assert (await one.head())[1]["content-type"] == "text/event-stream; charset=utf-8"
            assert await one.chunk() == b": ping\n"
            assert await one.chunk() == b": ping\n"  # more time than the silence of the other took
            speaking.end(Failure.of(Unavailable("gone")))
            assert (await other.response()).status == 502
            source.push(*HEARD)
            source.end()
            assert b"transcript.text.done" in await one.response_body()

    direct.run(main())


@pytest.mark.parametrize("path", ["transcriptions", "speech"])
def test_closing_the_stream_cancels_the_source(carrier: Carrier, path: str) -> None:
    async def main() -> None:
        model = HandModel()
        async with carrier.serving(Models(model)) as served, asking(served) as audio:
            if path == "speech":
                asked = asyncio.create_task(audio.speech.create(model="m", voice="a", input="b"))
            else:
                asked = asyncio.create_task(audio.transcriptions.create(model="m", file=FILE, stream=True))
            source = await model.source()
            source.push(*SPOKEN, AudioDelta(0, b"ID3", "mp3"))
            asked.cancel()
            await asyncio.wait({asked})
            async with asyncio.timeout(30):
                await source.was_cancelled.wait()
            assert served.app.counters.lost == 1

    carrier.run(main())
