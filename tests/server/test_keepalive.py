"""Silences are bridged so that every official client reads on, between events that carry ids."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import anthropic
import huggingface_hub
import ollama
import openai
import pytest
from google import genai
from google.genai import types
from tests.server.conftest import Carrier
from tests.server.doubles import BEGIN, END, HandModel, Models

from headrace.core.chunk import TextDelta
from headrace.server.limits import Limits

pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")

Said = AsyncIterator[str]
HI: Any = [{"role": "user", "content": "hi"}]


async def openai_chat(url: str) -> Said:
    async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0) as client:
        async for chunk in await client.chat.completions.create(model="m", messages=HI, stream=True):
            if chunk.choices and chunk.choices[0].delta.content:
                yield chunk.choices[0].delta.content


async def openai_completions(url: str) -> Said:
    async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0) as client:
        async for chunk in await client.completions.create(model="m", prompt="hi", stream=True):
            if chunk.choices and chunk.choices[0].text:
                yield chunk.choices[0].text


async def openai_responses(url: str) -> Said:
    async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0) as client:
        async for event in await client.responses.create(model="m", input="hi", stream=True):
            if event.type == "response.output_text.delta":
                yield event.delta


async def anthropic_messages(url: str) -> Said:
    async with (
        anthropic.AsyncAnthropic(base_url=url, api_key="none", max_retries=0) as client,
        client.messages.stream(model="m", max_tokens=9, messages=HI) as stream,
    ):
        async for text in stream.text_stream:
            yield text


async def gemini(url: str) -> Said:
    client = genai.Client(api_key="none", http_options=types.HttpOptions(base_url=url))
    try:
        async for chunk in await client.aio.models.generate_content_stream(model="m", contents="hi"):
            if chunk.text:
                yield chunk.text
    finally:
        await client.aio.aclose()
        client.close()


async def ollama_chat(url: str) -> Said:
    client = ollama.AsyncClient(host=url)
    async for chunk in await client.chat(model="m", messages=HI, stream=True):
        if chunk.message.content:
            yield chunk.message.content
    await client._client.aclose()


async def tgi(url: str) -> Said:
    async with huggingface_hub.AsyncInferenceClient(model=url) as client:
        async for text in await client.text_generation("hi", stream=True):
            if text:
                yield text


CLIENTS: dict[str, Callable[[str], Said]] = {
    client.__name__: client
    for client in (
        openai_chat,
        openai_completions,
        openai_responses,
        anthropic_messages,
        gemini,
        ollama_chat,
        tgi,
    )
}


@pytest.mark.parametrize("client", CLIENTS)
def test_a_client_reads_on_after_silences(direct: Carrier, client: str) -> None:
    """One before the first event, and one between two; each long enough for a sign of life."""

    async def main() -> None:
        model = HandModel()
        async with direct.serving(Models(model), Limits(keepalive_after_s=0.1, drain_s=2)) as served:
            reading = asyncio.create_task(collected(CLIENTS[client](served.url)))
            source = await model.source()
            (exchange,) = served.app.live
            await beats(exchange, client)
            source.push(*BEGIN, TextDelta(0, "one "))
            await beats(exchange, client)
            source.push(TextDelta(0, "two"), *END)
            source.end()
            async with asyncio.timeout(30):
                assert (await reading).strip() == "one two"

    direct.run(main())


async def collected(said: Said) -> str:
    return "".join([text async for text in said])


async def beats(exchange: Any, client: str) -> None:
    """Wait for a keep-alive; Ollama's protocol has none."""
    before = exchange.bytes_out
    async with asyncio.timeout(30):
        while client != "ollama_chat" and exchange.bytes_out == before:
            await asyncio.sleep(0.01)
