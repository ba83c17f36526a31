"""The `anthropic` package."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anthropic

from tests.matrix.clients.base import Client, Headers, Talk, settings_of, trouble
from tests.matrix.said import Ask, Call, Said, Source

_ENDS = {"end_turn": "stop", "max_tokens": "length", "tool_use": "tool calls", "refusal": "filtered"}


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Talk]:
    """Ask and read."""
    headers = Headers()
    http = anthropic.DefaultAsyncHttpxClient(event_hooks={"response": [headers]})
    async with anthropic.AsyncAnthropic(
        base_url=url, api_key="none", max_retries=0, timeout=20, http_client=http
    ) as client:

        async def talk(model: str, ask: Ask, streamed: bool) -> Said:
            said = Said()
            try:
                answer = await (_streamed if streamed else _whole)(client, _request(model, ask), said)
            except anthropic.APIError as error:
                status = getattr(error, "status_code", None)
                response = getattr(error, "response", None)
                said.trouble = trouble(error, str(error), status, getattr(response, "headers", None))
            else:
                said = _read(answer)
            said.warnings = headers.warnings
            return said

        yield talk


def _request(model: str, ask: Ask) -> dict[str, Any]:
    request: dict[str, Any] = {"model": model, "max_tokens": 4096, "messages": _messages(ask)}
    if ask.system:
        request["system"] = ask.system
    if ask.tools:
        request["tools"] = [
            {"name": one.name, "description": one.description, "input_schema": one.parameters}
            for one in ask.tools
        ]
    config: dict[str, Any] = {"effort": ask.effort} if ask.effort else {}
    if ask.effort:
        request["thinking"] = {"type": "adaptive"}
    if ask.form:
        config["format"] = {"type": "json_schema", "schema": ask.form}
    if config:
        request["output_config"] = config
    return request | settings_of(ask, "max_tokens", "", "", "stop_sequences")


def _messages(ask: Ask) -> list[Any]:
    parts: list[dict[str, Any]] = []
    if ask.image:
        parts.append({"type": "image", "source": _base64("image/png", ask.image)})
    if ask.document:
        source = _base64("application/pdf", ask.document)
        parts.append({"type": "document", "source": source, "title": ask.document_name})
    messages: list[Any] = [{"role": "user", "content": [*parts, {"type": "text", "text": ask.text}]}]
    if ask.earlier is not None:
        messages.append({"role": "assistant", "content": ask.earlier.turn})
        results = [
            {"type": "tool_result", "tool_use_id": call.id, "content": result}
            for call, result in zip(ask.earlier.calls, ask.results, strict=True)
        ]
        if results:
            messages.append({"role": "user", "content": results})
    return messages


def _base64(media_type: str, data: bytes) -> dict[str, str]:
    return {"type": "base64", "media_type": media_type, "data": b64encode(data).decode()}


async def _streamed(client: anthropic.AsyncAnthropic, request: dict[str, Any], said: Said) -> Any:
    async with client.messages.stream(**request) as stream:
        async for piece in stream.text_stream:
            said.text += piece
        return await stream.get_final_message()


async def _whole(client: anthropic.AsyncAnthropic, request: dict[str, Any], said: Said) -> Any:
    return await client.messages.create(**request)


def _read(answer: Any) -> Said:
    said = Said(end=_ENDS[answer.stop_reason], refused=answer.stop_reason == "refusal", turn=answer.content)
    for block in answer.content:
        match block.type:
            case "text":
                begin = len(said.text)
                said.text += block.text
                said.sources += tuple(
                    # what is cited is the block: the protocol has no other place
                    Source(one.url, one.title or "", one.cited_text, (begin, len(said.text)))
                    for one in block.citations or ()
                )
            case "thinking":
                said.reasoning += block.thinking
            case "tool_use":
                said.calls += (Call(block.id, block.name, block.input),)
    usage = answer.usage
    cached, written = usage.cache_read_input_tokens or 0, usage.cache_creation_input_tokens or 0
    said.usage = {
        "input": usage.input_tokens + cached + written,
        "output": usage.output_tokens,
        "cached": cached,
        "cache writes": written,
    }
    if usage.output_tokens_details is not None:
        said.usage["reasoning"] = usage.output_tokens_details.thinking_tokens
    return said


CLIENT = Client(
    "anthropic",
    "anthropic",
    connected,
    {
        "key": ("AuthenticationError", 401),
        "unknown": ("NotFoundError", 404),
        "rate": ("RateLimitError", 429),
        "context": ("BadRequestError", 400),
        "overloaded": ("ServiceUnavailableError", 503),
    },
    ("APIStatusError",),
)
