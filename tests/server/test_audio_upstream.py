"""Audio endpoints with remote places behind them: of the same protocol, and of those that chat."""

from __future__ import annotations

import asyncio
import json
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import openai
import pytest
from tests.server.doubles import Models
from tests.server.hearing import samples

from headrace import Runtime, Settings
from headrace.config import ProviderSettings
from headrace.server.serve import running_server
from headrace.simulate.echo import EchoModel, EchoScript
from headrace.testing.loopback import Peer, Script, loopback

SAID = "Grüße 👩‍🚀, two\n\nparagraphs."
FILE = ("greeting.wav", b"RIFF" + bytes(500))
TONE = b"\x01\x00\x02\x00" * 50


@asynccontextmanager
async def serving(wire: str, url: str, **quirks: Any) -> AsyncIterator[Any]:
    """The official client of a server whose provider `up` is there."""
    settings = Settings(
        providers={"up": ProviderSettings(wire=wire, base_url=url, auth="none", quirks=quirks)}
    )
    async with AsyncExitStack() as stack:
        runtime = await stack.enter_async_context(Runtime(settings))
        server = await stack.enter_async_context(running_server(runtime))
        client = openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0, timeout=10)
        yield await stack.enter_async_context(client)


def answering(*events: dict[str, Any], end: bytes = b"") -> Script:
    """A place that answers each request with these events."""
    body = b"".join(b"data: %b\n\n" % json.dumps(event).encode() for event in events) + end

    async def script(peer: Peer) -> None:
        while True:
            await peer.request()
            head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: %d\r\n\r\n"
            peer.write(head % len(body) + body)

    return script


@pytest.mark.parametrize("quirks", [{}, {"no_stream": True}], ids=["streamed", "whole"])
def test_the_same_protocol_behind_and_before(quirks: dict[str, Any]) -> None:
    """Our own server is the place: what it serves is what this wire asks."""

    async def main() -> None:
        model = EchoModel(EchoScript(reply=SAID))
        async with (
            running_server(Models(model)) as place,
            serving("openai_audio", f"{place.url}/v1", **quirks) as client,
        ):
            create = client.audio.transcriptions.create
            stream = await create(model="up/sim/echo", file=FILE, stream=True)
            *deltas, done = [event async for event in stream]
            assert "".join(one.delta for one in deltas) == done.text == SAID
            assert (len(deltas) > 1) is not bool(quirks)
            whole = await create(model="up/sim/echo", file=FILE)
            assert (whole.text, whole.usage.total_tokens) == (SAID, done.usage.total_tokens)
            speech = client.audio.speech.with_streaming_response.create
            sounds = []
            for kind in ("audio", "sse"):
                async with speech(
                    model="up/sim/echo", input=SAID, voice="a", response_format="pcm", stream_format=kind
                ) as response:
                    sounds.append(await response.read())
            events = [json.loads(line[6:]) for line in sounds[1].decode().splitlines() if line]
            assert b"".join(b64decode(one["audio"]) for one in events[:-1]) == sounds[0]
            assert len(sounds[0]) > 1000

    asyncio.run(main())


def test_an_error_of_the_place_is_the_clients() -> None:
    async def main() -> None:
        async with (
            running_server(Models(EchoModel())) as place,
            serving("openai_audio", f"{place.url}/v1") as client,
        ):
            with pytest.raises(openai.BadRequestError, match="ask for wav or pcm"):
                await client.audio.speech.create(
                    model="up/sim/echo", input="a", voice="b", response_format="mp3"
                )
            with pytest.raises(openai.NotFoundError, match="nobody"):
                await client.audio.transcriptions.create(model="up/nobody", file=FILE)

    asyncio.run(main())


def chat_event(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}


def gemini_event(part: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    candidate = {"content": {"role": "model", "parts": [part]}, "index": 0}
    return {"candidates": [{**candidate, "finishReason": finish} if finish else candidate]}


def _sound(data: bytes) -> str:
    return b64encode(data).decode()


SPEAKS: dict[str, Script] = {
    "openai_chat": answering(
        chat_event({"role": "assistant", "audio": {"id": "a", "data": _sound(TONE[:100])}}),
        chat_event({"audio": {"transcript": "hello"}}),
        chat_event({"audio": {"data": _sound(TONE[100:])}}),
        chat_event({}, "stop"),
        end=b"data: [DONE]\n\n",
    ),
    "gemini": answering(
        gemini_event(
            {"inlineData": {"mimeType": "audio/L16;codec=pcm;rate=24000", "data": _sound(TONE[:100])}}
        ),
        gemini_event(
            {"inlineData": {"mimeType": "audio/L16;codec=pcm;rate=24000", "data": _sound(TONE[100:])}}, "STOP"
        ),
    ),
}
WRITES: dict[str, Script] = {
    "openai_chat": answering(
        chat_event({"role": "assistant", "content": "Hi "}),
        chat_event({"content": "you"}),
        chat_event({}, "stop"),
        end=b"data: [DONE]\n\n",
    ),
    "gemini": answering(gemini_event({"text": "Hi "}), gemini_event({"text": "you"}, "STOP")),
}


@pytest.mark.parametrize("wire", SPEAKS)
def test_a_place_that_chats_and_speaks_is_heard(wire: str) -> None:
    async def main() -> None:
        async with loopback(SPEAKS[wire]) as place, serving(wire, place.url) as client:
            create = client.audio.speech.with_streaming_response.create
            async with create(model="up/m", input=SAID, voice="coral", response_format="wav") as response:
                assert response.headers["content-type"] == "audio/wav"
                assert "asked for in a chat" in response.headers["x-headrace-warnings"]
                assert samples(await response.read()) == (24_000, TONE)
            sent = place.requests[0][1].decode()
            assert "coral" in sent
            assert json.dumps(SAID, ensure_ascii=False)[1:-1] in sent
            with pytest.raises(openai.BadRequestError, match="ask for wav or pcm"):
                await client.audio.speech.create(
                    model="up/m", input=SAID, voice="coral", response_format="mp3"
                )
            with pytest.raises(openai.BadRequestError, match="gave no sound"):
                async with loopback(WRITES[wire]) as other, serving(wire, other.url) as written:
                    await written.audio.speech.create(model="up/m", input=SAID, voice="coral")

    asyncio.run(main())


@pytest.mark.parametrize("wire", WRITES)
def test_a_place_that_chats_and_hears_writes_it_down(wire: str) -> None:
    async def main() -> None:
        async with loopback(WRITES[wire]) as place, serving(wire, place.url) as client:
            stream = await client.audio.transcriptions.create(
                model="up/m", file=FILE, stream=True, language="de"
            )
            *deltas, done = [event async for event in stream]
            assert [one.delta for one in deltas] == ["Hi ", "you"]
            assert done.text == "Hi you"
            whole = await client.audio.transcriptions.create(model="up/m", file=FILE, response_format="text")
            assert whole == "Hi you"
            sent = place.requests[0][1].decode()
            assert _sound(FILE[1]) in sent
            assert "word for word" in sent

    asyncio.run(main())


@pytest.mark.parametrize("wire", ["anthropic", "ollama", "tgi", "openai_completions"])
def test_a_place_that_neither_hears_nor_speaks_is_not_asked(wire: str) -> None:
    async def unasked(peer: Peer) -> None:
        raise AssertionError("it was asked")

    async def main() -> None:
        async with loopback(unasked) as place, serving(wire, place.url) as client:
            with pytest.raises(openai.BadRequestError, match="takes no sound"):
                await client.audio.transcriptions.create(model="up/m", file=FILE)
            with pytest.raises(openai.BadRequestError, match="gives no sound"):
                await client.audio.speech.create(model="up/m", input="a", voice="b")

    asyncio.run(main())


def test_a_chat_client_hears_and_reads_a_place_that_only_speaks_and_writes_down() -> None:
    async def main() -> None:
        model = EchoModel(EchoScript(reply=SAID))
        async with (
            running_server(Models(model)) as place,
            serving("openai_audio", f"{place.url}/v1") as client,
        ):
            create = client.chat.completions.create
            sound: Any = {"type": "input_audio", "input_audio": {"data": _sound(b"RIFF"), "format": "wav"}}
            written = await create(model="up/sim/echo", messages=[{"role": "user", "content": [sound]}])
            assert written.choices[0].message.content == SAID
            hello = [{"role": "user", "content": "hello"}]
            spoken = await create(
                model="up/sim/echo",
                messages=hello,
                modalities=["text", "audio"],
                audio={"voice": "alloy", "format": "pcm16"},
            )
            assert len(b64decode(spoken.choices[0].message.audio.data)) > 1000
            with pytest.raises(openai.BadRequestError, match="put sound into the last message"):
                await create(model="up/sim/echo", messages=hello)

    asyncio.run(main())
