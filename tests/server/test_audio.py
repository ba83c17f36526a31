"""OpenAI's audio endpoints: the official client on every carrier, any model behind them."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import openai
import pytest
from tests.server.conftest import Carrier
from tests.server.doubles import BEGIN, END, HandModel, Models
from tests.server.hearing import ECHO, FILE, HEARD, SAID, SOUND, SPOKEN, answered, asking, samples
from tests.server.raw import connected, request

from headrace.core.chunk import AudioDelta, Finish, TextDelta
from headrace.core.message import AudioPart
from headrace.core.request import Speech, Transcription
from headrace.server.serve import running_server
from headrace.simulate.echo import EchoModel, EchoScript

# The client says so of its translations, which servers go on serving.
deprecated = pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")


def test_a_transcription_streamed_and_whole(carrier: Carrier) -> None:
    async def main() -> None:
        async with (
            carrier.serving(Models(EchoModel(EchoScript(reply=SAID)))) as served,
            asking(served) as audio,
        ):
            create = audio.transcriptions.create
            stream = await create(model=ECHO, file=FILE, stream=True, include=["logprobs"])
            *deltas, done = [event async for event in stream]
            assert "".join(one.delta for one in deltas) == done.text == SAID
            assert len(deltas) > 3
            assert "".join(one.token for one in done.logprobs) == SAID
            assert done.usage.output_tokens == len(deltas)
            whole = await create(model=ECHO, file=FILE)
            assert (whole.text, whole.usage.output_tokens) == (SAID, len(deltas))
            assert await create(model=ECHO, file=FILE, response_format="text") == SAID

    carrier.run(main())


def test_the_synchronous_client(carrier: Carrier) -> None:
    def ask(url: str) -> tuple[Any, ...]:
        with openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0, timeout=10) as client:
            with client.audio.transcriptions.create(model=ECHO, file=FILE, stream=True) as stream:
                events = list(stream)
            whole = client.audio.transcriptions.create(model=ECHO, file=FILE)
            create = client.audio.speech.with_streaming_response.create
            with create(model=ECHO, voice="a", input="hello", response_format="wav") as response:
                pieces = list(response.iter_bytes())
            said = client.audio.speech.create(model=ECHO, voice="a", input="hello", response_format="wav")
            return events[-1].text, whole.text, b"".join(pieces), said.content

    async def main() -> None:
        async with carrier.serving(Models(EchoModel())) as served:
            text, whole, streamed, said = await asyncio.to_thread(ask, served.url)
            assert text == whole == f"{len(SOUND)} bytes of sound"
            assert streamed == said
            assert samples(said)[0] == 24_000
        await asyncio.get_running_loop().shutdown_default_executor()

    carrier.run(main())


@deprecated
def test_what_a_client_says_reaches_the_model(carrier: Carrier) -> None:
    async def main() -> None:
        model = HandModel()
        async with carrier.serving(Models(model)) as served, asking(served) as audio:
            asked = audio.transcriptions.create(
                model="m",
                file=FILE,
                language="de",
                prompt="Headrace",
                temperature=0.5,
                response_format="verbose_json",
                timestamp_granularities=["word", "segment"],
            )
            verbose = await answered(model, asked, *HEARD)
            assert (verbose.text, verbose.language, verbose.duration) == ("Hi there.", "en", 0.75)
            assert [one.word for one in verbose.words] == ["Hi", "there."]
            assert [one.text for one in verbose.segments] == ["Hi there."]
            await answered(model, audio.translations.create(model="m", file=FILE), *HEARD)
            spoken = audio.speech.create(
                model="m",
                voice="coral",
                input=SAID,
                instructions="Calmly.",
                speed=1.5,
                response_format="opus",
            )
            await answered(model, spoken, *SPOKEN, AudioDelta(0, b"OggS", "opus"), *END)
        heard, translated, said = model.requests
        (sound,) = heard.messages[0].parts
        assert isinstance(sound, AudioPart)
        assert (sound.data, sound.format) == (SOUND, "wav")
        assert heard.transcription == Transcription("de", "Headrace", ("word", "segment"))
        assert (heard.task, heard.settings.temperature) == ("transcription", 0.5)
        assert translated.transcription == Transcription(translate_to="en")
        assert (said.task, said.modalities, said.messages[0].text) == ("speech", ("audio",), SAID)
        assert said.speech == Speech("coral", "opus", 1.5, "Calmly.")

    carrier.run(main())


@deprecated
def test_other_forms_of_a_transcription(carrier: Carrier) -> None:
    async def main() -> None:
        model = HandModel()
        async with carrier.serving(Models(model)) as served, asking(served) as audio:

            async def whole(form: str) -> Any:
                asked = audio.transcriptions.with_raw_response.create(
                    model="m", file=FILE, response_format=form
                )
                return await answered(model, asked, *HEARD)

            srt, vtt, diarized = await whole("srt"), await whole("vtt"), await whole("diarized_json")
            assert srt.headers["content-type"] == "text/plain; charset=utf-8"
            assert srt.text == "1\n00:00:00,000 --> 00:00:00,750\nHi there.\n\n"
            assert vtt.headers["content-type"] == "text/vtt; charset=utf-8"
            assert vtt.text.startswith("WEBVTT\n")
            assert diarized.parse().segments[0].speaker == "A"
            translated = audio.translations.create(model="m", file=FILE, response_format="verbose_json")
            assert (await answered(model, translated, *HEARD)).text == "Hi there."

    carrier.run(main())


def test_a_model_that_chats_writes_sound_down(carrier: Carrier) -> None:
    async def main() -> None:
        model = HandModel(warnings=["the transcription is asked for in a chat"])
        async with carrier.serving(Models(model)) as served, asking(served) as audio:
            create = audio.transcriptions.create
            said = [*BEGIN, TextDelta(0, "Hi "), TextDelta(0, "you")]
            stream = await answered(model, create(model="m", file=FILE, stream=True), *said, *END)
            *deltas, done = [event async for event in stream]
            assert [one.delta for one in deltas] == ["Hi ", "you"]
            assert (done.text, done.usage.total_tokens) == ("Hi you", 5)
            raw = audio.transcriptions.with_raw_response.create(model="m", file=FILE)
            response = await answered(model, raw, *said, *END)
            assert response.parse().text == "Hi you"
            assert "in a chat" in response.headers["x-headrace-warnings"]
            subtitles = create(model="m", file=FILE, response_format="srt")
            with pytest.raises(openai.BadRequestError, match="needs times") as raised:
                await answered(model, subtitles, *said, *END)
            assert (raised.value.param, raised.value.code) == ("response_format", "no_times")

    carrier.run(main())


def test_speech_as_it_is_and_as_events(carrier: Carrier) -> None:
    async def main() -> None:
        async with carrier.serving(Models(EchoModel())) as served, asking(served) as audio:
            create = audio.speech.with_streaming_response.create
            async with create(model=ECHO, voice="a", input="hello you", response_format="wav") as response:
                assert response.headers["content-type"] == "audio/wav"
                rate_hz, tone = samples(await response.read())
            assert (rate_hz, len(tone)) == (24_000, 9 * 24_000 * 2 // 20)
            async with create(model=ECHO, voice="a", input="hello you", response_format="pcm") as response:
                assert response.headers["content-type"] == "audio/pcm;rate=24000;channels=1"
                assert await response.read() == tone
            async with create(
                model=ECHO, voice="a", input="hello you", response_format="pcm", stream_format="sse"
            ) as response:
                assert response.headers["content-type"].startswith("text/event-stream")
                lines = [line async for line in response.iter_lines() if line]
            events = [json.loads(line.removeprefix("data: ")) for line in lines]
            kinds = [one["type"] for one in events]
            assert kinds == ["speech.audio.delta"] * (len(events) - 1) + ["speech.audio.done"]
            assert events[-1]["usage"]["input_tokens"] == 2

    carrier.run(main())


def test_sound_goes_out_as_it_comes(direct: Carrier) -> None:
    async def main() -> None:
        model = HandModel()
        async with direct.serving(Models(model)) as served, connected(served.url) as client:
            await client.send(request("POST", "/v1/audio/speech", b'{"model":"m","input":"a","voice":"b"}'))
            source = await model.source()
            for piece in (b"ID3one", b"two"):
                source.push(AudioDelta(0, piece, "mp3"))
                if piece == b"ID3one":
                    status, headers = await client.head()
                    assert (status, headers["content-type"]) == (200, "audio/mpeg")
                assert await client.chunk() == piece
            source.end(Finish())
            assert await client.chunk() == b""

    direct.run(main())


def test_what_was_said_is_heard_again() -> None:
    """The sound that one endpoint gives is what the other takes."""

    async def main() -> None:
        async with running_server(Models(EchoModel())) as server:
            client = openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0)
            async with client:
                sound = await client.audio.speech.create(
                    model=ECHO, voice="a", input="hello", response_format="wav"
                )
                heard = await client.audio.transcriptions.create(
                    model=ECHO, file=("a.wav", sound.content), response_format="text"
                )
                assert heard == f"{len(sound.content)} bytes of sound"

    asyncio.run(main())
