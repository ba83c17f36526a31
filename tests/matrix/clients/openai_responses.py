"""The `openai` package, responses."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from typing import Any

import openai

from tests.matrix.clients.base import Client, settings_of
from tests.matrix.clients.openai_chat import ERRORS, connected_by
from tests.matrix.said import Ask, Call, Said, Source, Token

_WHY = {"max_output_tokens": "length", "content_filter": "filtered"}


async def _answer(client: openai.AsyncOpenAI, model: str, ask: Ask, streamed: bool, said: Said) -> Said:
    request = _request(model, ask)
    answer = await (_streamed(client, request, said) if streamed else client.responses.create(**request))
    said.text = ""  # the whole of it says it again
    _read(answer, said)
    return said


def _request(model: str, ask: Ask) -> dict[str, Any]:
    request: dict[str, Any] = {"model": model, "input": _input(ask), "store": False}
    include = ["reasoning.encrypted_content"] if ask.effort else []
    if ask.system:
        request["instructions"] = ask.system
    tools: list[dict[str, Any]] = [
        {
            "type": "function",
            "name": one.name,
            "description": one.description,
            "parameters": one.parameters,
            "strict": False,
        }
        for one in ask.tools
    ]
    if ask.wants == "image":
        tools.append({"type": "image_generation"})
    if tools:
        request["tools"] = tools
    if ask.form:
        form = {"type": "json_schema", "name": "place", "schema": ask.form, "strict": True}
        request["text"] = {"format": form}
    if ask.effort:
        request["reasoning"] = {"effort": ask.effort, "summary": "auto"}
    if ask.logprobs:
        include.append("message.output_text.logprobs")
        request["top_logprobs"] = ask.logprobs
    if include:
        request["include"] = include
    return request | settings_of(ask, "max_output_tokens", "temperature", "top_p")


def _input(ask: Ask) -> list[Any]:
    parts: list[dict[str, Any]] = [{"type": "input_text", "text": ask.text}]
    if ask.image:
        url = f"data:image/png;base64,{b64encode(ask.image).decode()}"
        parts.append({"type": "input_image", "detail": "auto", "image_url": url})
    if ask.document:
        url = f"data:application/pdf;base64,{b64encode(ask.document).decode()}"
        parts.append({"type": "input_file", "filename": ask.document_name, "file_data": url})
    items: list[Any] = [{"role": "user", "content": parts}]
    if ask.earlier is not None:
        items += ask.earlier.turn
        items += [
            {"type": "function_call_output", "call_id": call.id, "output": result}
            for call, result in zip(ask.earlier.calls, ask.results, strict=True)
        ]
    return items


async def _streamed(client: openai.AsyncOpenAI, request: dict[str, Any], said: Said) -> Any:
    sound: list[bytes] = []
    final: Any = None
    async with client.responses.stream(**request) as stream:
        async for event in stream:
            if event.type == "response.output_text.delta":
                said.text += event.delta
            elif event.type == "response.audio.delta":
                sound.append(b64decode(event.delta, validate=True))
            elif event.type == "response.audio.transcript.delta":
                said.transcript += event.delta
            elif event.type in ("response.completed", "response.incomplete"):
                final = event.response
    said.sound = b"".join(sound)
    return final


def _read(answer: Any, said: Said) -> None:
    why = answer.incomplete_details.reason if answer.incomplete_details is not None else ""
    said.end = {"completed": "stop"}.get(answer.status) or _WHY[why]
    said.refused = said.end == "filtered"
    said.turn = answer.output
    for item in answer.output:
        match item.type:
            case "message":
                for part in item.content:
                    _part(part, said)
            case "reasoning":
                parts = [*item.summary, *(item.content or ())]
                said.reasoning += "".join(part.text for part in parts)
            case "function_call":
                said.calls += (Call(item.call_id, item.name, json.loads(item.arguments)),)
            case "image_generation_call":
                said.images += (b64decode(item.result, validate=True),)
    if answer.usage is not None:
        usage = answer.usage
        assert usage.total_tokens == usage.input_tokens + usage.output_tokens
        said.usage = {
            "input": usage.input_tokens,
            "output": usage.output_tokens,
            "cached": usage.input_tokens_details.cached_tokens,
            "cache writes": usage.input_tokens_details.cache_write_tokens,
            "reasoning": usage.output_tokens_details.reasoning_tokens,
        }


def _part(part: Any, said: Said) -> None:
    if part.type == "refusal":
        said.refusal += part.refusal
        said.refused = True
        return
    begin = len(said.text)  # places count from the part's own beginning
    said.text += part.text
    said.sources += tuple(
        Source(one.url, one.title, "", (begin + one.start_index, begin + one.end_index))
        for one in part.annotations
    )
    said.tokens += tuple(
        Token(one.token, one.logprob, tuple((top.token, top.logprob) for top in one.top_logprobs))
        for one in part.logprobs or ()
    )


CLIENT = Client("openai_responses", "openai", connected_by(_answer), ERRORS, ("APIError",))
