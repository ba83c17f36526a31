"""Every protocol's official client, unmodified, against any model: text, whole and streamed, and errors."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import anthropic
import huggingface_hub
import ollama
import openai
import pytest
from google import genai
from tests.server.doubles import BEGIN, HandModel, Models
from tests.server.raw import connected, request

from headrace.core.chunk import Failure, TextDelta
from headrace.errors import Unavailable
from headrace.server.serve import running_server
from headrace.simulate.echo import EchoModel

# google-genai does this to aiohttp; it is not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")

SAID = "Grüße 👩‍🚀, two\n\nparagraphs and  spaces."
Speak = Callable[[str, bool, str], Awaitable[str]]


async def anthropic_(url: str, streamed: bool, model: str) -> str:
    messages: Any = [{"role": "user", "content": SAID}]
    async with anthropic.AsyncAnthropic(base_url=url, api_key="none", max_retries=0) as client:
        if not streamed:
            whole = await client.messages.create(model=model, max_tokens=500, messages=messages)
            assert whole.stop_reason == "end_turn"
            assert whole.usage.output_tokens > 0
            return "".join(block.text for block in whole.content if block.type == "text")
        async with client.messages.stream(model=model, max_tokens=500, messages=messages) as stream:
            text = "".join([piece async for piece in stream.text_stream])
            final = await stream.get_final_message()
            assert final.stop_reason == "end_turn"
            return text


async def completions(url: str, streamed: bool, model: str) -> str:
    async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0) as client:
        if not streamed:
            whole = await client.completions.create(model=model, prompt=SAID, max_tokens=500)
            assert whole.choices[0].finish_reason == "stop"
            return whole.choices[0].text
        stream = await client.completions.create(model=model, prompt=SAID, max_tokens=500, stream=True)
        return "".join([choice.text async for chunk in stream for choice in chunk.choices])


async def ollama_chat(url: str, streamed: bool, model: str) -> str:
    client = ollama.AsyncClient(host=url)
    messages = [{"role": "user", "content": SAID}]
    try:
        if not streamed:
            whole = await client.chat(model=model, messages=messages)
            assert whole.done
            return whole.message.content or ""
        parts = [part async for part in await client.chat(model=model, messages=messages, stream=True)]
        assert parts[-1].done_reason == "stop"
        return "".join(part.message.content or "" for part in parts)
    finally:
        await client._client.aclose()


async def ollama_generate(url: str, streamed: bool, model: str) -> str:
    client = ollama.AsyncClient(host=url)
    try:
        if not streamed:
            return (await client.generate(model=model, prompt=SAID)).response
        return "".join(
            [p.response async for p in await client.generate(model=model, prompt=SAID, stream=True)]
        )
    finally:
        await client._client.aclose()


async def tgi(url: str, streamed: bool, model: str) -> str:
    async with huggingface_hub.AsyncInferenceClient(url) as client:
        if not streamed:
            return await client.text_generation(SAID, max_new_tokens=500)
        stream = await client.text_generation(SAID, max_new_tokens=500, stream=True)
        return "".join([piece async for piece in stream])


async def responses(url: str, streamed: bool, model: str) -> str:
    async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0) as client:
        if not streamed:
            whole = await client.responses.create(model=model, input=SAID)
            assert whole.status == "completed"
            return whole.output_text
        async with client.responses.stream(model=model, input=SAID) as stream:
            text = "".join([e.delta async for e in stream if e.type == "response.output_text.delta"])
            assert (await stream.get_final_response()).output_text == text
            return text


async def gemini(url: str, streamed: bool, model: str) -> str:
    client = genai.Client(api_key="none", http_options=genai.types.HttpOptions(base_url=url))
    try:
        if not streamed:
            whole = await client.aio.models.generate_content(model=model, contents=SAID)
            return whole.text or ""
        stream = await client.aio.models.generate_content_stream(model=model, contents=SAID)
        return "".join([part.text or "" async for part in stream])
    finally:
        await client.aio.aclose()
        client.close()


CLIENTS: dict[str, Speak] = {
    "openai responses": responses,
    "google-genai": gemini,
    "anthropic": anthropic_,
    "openai completions": completions,
    "ollama chat": ollama_chat,
    "ollama generate": ollama_generate,
    "huggingface_hub": tgi,
}


@pytest.mark.parametrize("streamed", [True, False], ids=["streamed", "whole"])
@pytest.mark.parametrize("client", CLIENTS)
def test_the_official_client_reads_the_text_byte_for_byte(client: str, streamed: bool) -> None:
    async def main() -> str:
        async with running_server(Models(EchoModel())) as server:
            return await CLIENTS[client](server.url, streamed, "sim/echo")

    assert asyncio.run(main()) == SAID


REFUSED = {
    "anthropic": (anthropic.NotFoundError, "nobody/x"),
    "openai completions": (openai.NotFoundError, "nobody/x"),
    "openai responses": (openai.NotFoundError, "nobody/x"),
    "google-genai": (genai.errors.ClientError, "nobody/x"),
    "ollama chat": (ollama.ResponseError, "nobody/x"),
}


@pytest.mark.parametrize("streamed", [True, False], ids=["streamed", "whole"])
@pytest.mark.parametrize("client", REFUSED)
def test_an_unknown_model_is_the_clients_own_error(client: str, streamed: bool) -> None:
    kind, model = REFUSED[client]

    async def main() -> None:
        async with running_server(Models(EchoModel())) as server:
            with pytest.raises(kind, match=model):
                await CLIENTS[client](server.url, streamed, model)

    asyncio.run(main())


def test_a_responses_stream_that_breaks_off_is_numbered_to_its_end() -> None:
    async def main() -> bytes:
        model = HandModel()
        async with running_server(Models(model)) as server, connected(server.url) as client:
            body = json.dumps({"model": "m", "input": SAID, "stream": True}).encode()
            await client.send(request("POST", "/v1/responses", body))
            source = await model.source()
            source.push(*BEGIN, TextDelta(0, "hi"))
            source.end(Failure.of(Unavailable("gone")))
            return (await client.response()).body

    lines = [line for line in asyncio.run(main()).splitlines() if line.startswith(b"data: ")]
    events = [json.loads(line[6:]) for line in lines]
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert [event["type"] for event in events[-2:]] == ["error", "response.failed"]
