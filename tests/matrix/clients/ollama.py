"""The `ollama` package, chat."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import ollama

from tests.matrix.clients.base import Client, Headers, Talk, function_tools, settings_of, trouble
from tests.matrix.said import Ask, Call, Said, Token

_ENDS = {"stop": "stop", "length": "length"}


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Talk]:
    """Ask and read."""
    headers = Headers()
    client = ollama.AsyncClient(host=url, event_hooks={"response": [headers]})

    async def talk(model: str, ask: Ask, streamed: bool) -> Said:
        said = Said(turn={"role": "assistant", "content": ""})
        request = _request(model, ask)
        try:
            if streamed:
                async for part in await client.chat(**request, stream=True):
                    _add(part, said)
            else:
                _add(await client.chat(**request), said)
        except ollama.ResponseError as error:
            status = None if error.status_code == -1 else error.status_code
            said.trouble = trouble(error, error.error, status)
        said.warnings = headers.warnings
        said.turn |= {"content": said.text, "thinking": said.reasoning or None}
        return said

    try:
        yield talk
    finally:
        await client._client.aclose()


def _request(model: str, ask: Ask) -> dict[str, Any]:
    user: dict[str, Any] = {"role": "user", "content": ask.text}
    if ask.image:
        user["images"] = [ask.image]
    messages: list[dict[str, Any]] = [{"role": "system", "content": ask.system}] if ask.system else []
    messages.append(user)
    if ask.earlier is not None:
        messages.append(ask.earlier.turn)
        messages += [
            {"role": "tool", "content": result, "tool_name": call.name}
            for call, result in zip(ask.earlier.calls, ask.results, strict=True)
        ]
    request: dict[str, Any] = {"model": model, "messages": messages}
    if ask.tools:
        request["tools"] = function_tools(ask)
    if ask.form:
        request["format"] = dict(ask.form)
    if ask.effort:
        request["think"] = ask.effort
    if ask.logprobs:
        request |= {"logprobs": True, "top_logprobs": ask.logprobs}
    if ask.settings:
        request["options"] = settings_of(ask, "num_predict", "temperature", "top_p", "stop", "seed")
    return request


def _add(part: ollama.ChatResponse, said: Said) -> None:
    message = part.message
    said.text += message.content or ""
    said.reasoning += message.thinking or ""
    for call in message.tool_calls or ():
        said.calls += (Call("", call.function.name, dict(call.function.arguments)),)
        said.turn.setdefault("tool_calls", []).append(call)
    for one in part.logprobs or ():
        tops = tuple((top.token, top.logprob) for top in one.top_logprobs or ())
        said.tokens += (Token(one.token, one.logprob, tops),)
    if part.done:
        said.end = _ENDS[part.done_reason or ""]
        said.usage = {"input": part.prompt_eval_count or 0, "output": part.eval_count or 0}


CLIENT = Client(
    "ollama",
    "ollama",
    connected,
    {
        "key": ("ResponseError", 401),
        "unknown": ("ResponseError", 404),
        "rate": ("ResponseError", 429),
        "context": ("ResponseError", 400),
        "overloaded": ("ResponseError", 503),
    },
    ("ResponseError",),
)
