"""The `openai` package, legacy completions."""

from __future__ import annotations

from typing import Any

import openai

from tests.matrix.clients.base import Client, settings_of
from tests.matrix.clients.openai_chat import ENDS, ERRORS, connected_by, usage_of
from tests.matrix.said import Ask, Said, Token


async def _answer(client: openai.AsyncOpenAI, model: str, ask: Ask, streamed: bool, said: Said) -> Said:
    request: dict[str, Any] = {"model": model, "prompt": ask.text, "logprobs": ask.logprobs or None}
    request |= settings_of(ask, "max_tokens", "temperature", "top_p", "stop", "seed")
    if streamed:
        options = {"include_usage": True}
        async for chunk in await client.completions.create(**request, stream=True, stream_options=options):
            _add(chunk, said)
    else:
        _add(await client.completions.create(**request), said)
    return said


def _add(chunk: Any, said: Said) -> None:
    for choice in chunk.choices:
        said.text += choice.text
        if choice.finish_reason:
            said.end = ENDS[choice.finish_reason]
            said.refused = choice.finish_reason == "content_filter"
        if choice.logprobs is not None:
            _logprobs(choice.logprobs, said)
    if chunk.usage is not None:
        said.usage = usage_of(chunk.usage)


def _logprobs(logprobs: Any, said: Said) -> None:
    tops = logprobs.top_logprobs or [None] * len(logprobs.tokens)
    for text, logprob, top in zip(logprobs.tokens, logprobs.token_logprobs, tops, strict=True):
        said.tokens += (Token(text, logprob, tuple((top or {}).items())),)
    assert len(logprobs.text_offset) == len(logprobs.tokens)


CLIENT = Client("openai_completions", "openai", connected_by(_answer), ERRORS, ("APIError",), offers=False)
