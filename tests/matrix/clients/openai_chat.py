"""The `openai` package, chat completions."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, TypeAlias

import openai

from tests.matrix.clients.base import Client, Headers, Talk, function_tools, settings_of, trouble
from tests.matrix.providers.base import data_url
from tests.matrix.said import Ask, Call, Said, Source, Token

ENDS = {"stop": "stop", "length": "length", "tool_calls": "tool calls", "content_filter": "filtered"}
ERRORS: dict[str, tuple[str, int | None]] = {
    "key": ("AuthenticationError", 401),
    "unknown": ("NotFoundError", 404),
    "rate": ("RateLimitError", 429),
    "context": ("BadRequestError", 400),
    "overloaded": ("InternalServerError", 503),
}


# (client, model, what is asked, whether streamed, what has been said so far) -> what is shown.
Answer: TypeAlias = Callable[[openai.AsyncOpenAI, str, Ask, bool, Said], Awaitable[Said]]


def connected_by(answer: Answer) -> Callable[[str], AbstractAsyncContextManager[Talk]]:
    """How the package's client is connected, for each of its protocols; answer: asks and reads."""

    @asynccontextmanager
    async def connected(url: str) -> AsyncIterator[Talk]:
        headers = Headers()
        http = openai.DefaultAsyncHttpxClient(event_hooks={"response": [headers]})
        async with openai.AsyncOpenAI(
            base_url=f"{url}/v1", api_key="none", max_retries=0, timeout=20, http_client=http
        ) as client:

            async def talk(model: str, ask: Ask, streamed: bool) -> Said:
                said = Said()
                try:
                    said = await answer(client, model, ask, streamed, said)
                except openai.APIError as error:
                    status = getattr(error, "status_code", None)
                    response = getattr(error, "response", None)
                    fields = getattr(response, "headers", None)
                    said.trouble = trouble(error, error.message, status, fields)
                said.warnings = headers.warnings
                return said

            yield talk

    return connected


async def _answer(client: openai.AsyncOpenAI, model: str, ask: Ask, streamed: bool, said: Said) -> Said:
    request = _request(model, ask)
    if not streamed:
        return _read(await client.chat.completions.create(**request))
    return _read(await _streamed(client, request, said))


def _request(model: str, ask: Ask) -> dict[str, Any]:
    request: dict[str, Any] = {"model": model, "messages": _messages(ask)}
    if ask.tools:
        request["tools"] = function_tools(ask)
    if ask.form:
        schema = {"name": "place", "schema": ask.form, "strict": True}
        request["response_format"] = {"type": "json_schema", "json_schema": schema}
    if ask.effort:
        request["reasoning_effort"] = ask.effort
    if ask.logprobs:
        request |= {"logprobs": True, "top_logprobs": ask.logprobs}
    if ask.wants == "sound":
        request |= {"modalities": ["text", "audio"], "audio": {"voice": "alloy", "format": "pcm16"}}
    return request | settings_of(ask, "max_completion_tokens", "temperature", "top_p", "stop", "seed")


def _messages(ask: Ask) -> list[Any]:
    parts: list[dict[str, Any]] = [{"type": "text", "text": ask.text}]
    if ask.image:
        url = f"data:image/png;base64,{b64encode(ask.image).decode()}"
        parts.append({"type": "image_url", "image_url": {"url": url}})
    if ask.sound:
        sound = {"data": b64encode(ask.sound).decode(), "format": "wav"}
        parts.append({"type": "input_audio", "input_audio": sound})
    if ask.document:
        url = f"data:application/pdf;base64,{b64encode(ask.document).decode()}"
        parts.append({"type": "file", "file": {"filename": ask.document_name, "file_data": url}})
    messages: list[Any] = [{"role": "system", "content": ask.system}] if ask.system else []
    messages.append({"role": "user", "content": parts if len(parts) > 1 else ask.text})
    if ask.earlier is not None:
        messages.append(ask.earlier.turn)
        messages += [
            {"role": "tool", "tool_call_id": call.id, "content": result}
            for call, result in zip(ask.earlier.calls, ask.results, strict=True)
        ]
    return messages


async def _streamed(client: openai.AsyncOpenAI, request: dict[str, Any], said: Said) -> Any:
    """The package's own accumulation; `said` has the text as far as it came."""
    usage = {"include_usage": True}
    async with client.chat.completions.stream(**request, stream_options=usage) as stream:
        async for event in stream:
            if event.type == "content.delta":
                said.text += event.delta
        return stream.current_completion_snapshot  # the final one raises where the answer was cut short


def _read(answer: Any) -> Said:
    choice = answer.choices[0]
    message = choice.message
    more = message.model_extra or {}
    said = Said(
        text=message.content or "",
        reasoning=more.get("reasoning_content") or "",
        refusal=message.refusal or "",
        refused=bool(message.refusal) or choice.finish_reason == "content_filter",
        end=ENDS[choice.finish_reason],
        turn=message,
    )
    said.calls = tuple(
        Call(call.id, call.function.name, json.loads(call.function.arguments))
        for call in message.tool_calls or ()
    )
    said.images = tuple(data_url(image["image_url"]["url"]) for image in more.get("images") or ())
    _sound(message.audio, said)
    said.sources = tuple(_source(one) for one in message.annotations or ())
    if answer.usage is not None:
        said.usage = usage_of(answer.usage)
    if choice.logprobs is not None:
        said.tokens = tuple(_token(one) for one in choice.logprobs.content or ())
    return said


def _sound(audio: Any, said: Said) -> None:
    if audio is not None:
        read = audio if isinstance(audio, dict) else audio.model_dump()
        said.sound = b64decode(read.get("data") or "", validate=True)
        said.transcript = read.get("transcript") or ""


def _source(annotation: Any) -> Source:
    data = annotation if isinstance(annotation, dict) else annotation.model_dump()
    cited = data["url_citation"]
    return Source(cited["url"], cited["title"], "", (cited["start_index"], cited["end_index"]))


def _token(one: Any) -> Token:
    tops = tuple((top.token, top.logprob) for top in one.top_logprobs)
    assert bytes(one.bytes) == one.token.encode()
    return Token(one.token, one.logprob, tops)


def usage_of(usage: Any) -> dict[str, int]:
    """OpenAI's counts: input with what was cached, output with reasoning."""
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
    said = {"input": usage.prompt_tokens, "output": usage.completion_tokens}
    given, made = usage.prompt_tokens_details, usage.completion_tokens_details
    if given is not None:
        said |= {"cached": given.cached_tokens or 0, "cache writes": given.cache_write_tokens or 0}
    if made is not None:
        said["reasoning"] = made.reasoning_tokens or 0
    return said


CLIENT = Client("openai_chat", "openai", connected_by(_answer), ERRORS, ("APIError",))
