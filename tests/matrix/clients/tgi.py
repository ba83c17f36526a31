"""The `huggingface_hub` package, text generation."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import huggingface_hub
from huggingface_hub.errors import HfHubHTTPError, TextGenerationError

from tests.matrix.clients.base import Client, Headers, Talk, settings_of, trouble
from tests.matrix.said import Ask, Said, Token

_ENDS = {"eos_token": "stop", "stop_sequence": "stop", "length": "length"}


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Talk]:
    """Ask and read. The package has no room for a model's name: the server's default one answers."""
    headers = Headers()
    huggingface_hub.set_async_client_factory(
        lambda: httpx2.AsyncClient(event_hooks={"response": [headers]}, timeout=20)
    )
    async with huggingface_hub.AsyncInferenceClient(url) as client:

        async def talk(_model: str, ask: Ask, streamed: bool) -> Said:
            said = Said()
            request = _request(ask)
            try:
                if streamed:
                    async for event in await client.text_generation(**request, details=True, stream=True):
                        _event(event, said)
                else:
                    _whole(await client.text_generation(**request, details=True), said)
            except TextGenerationError as error:
                cause = getattr(error.__cause__, "response", None)
                status, fields = getattr(cause, "status_code", None), getattr(cause, "headers", None)
                said.trouble = trouble(error, str(error), status, fields)
            except HfHubHTTPError as error:
                said.trouble = trouble(error, str(error), error.response.status_code, error.response.headers)
            said.warnings = headers.warnings
            return said

        yield talk


def _request(ask: Ask) -> dict[str, Any]:
    prompt = ask.text
    if ask.image:  # as the vendor's models for pictures read them
        prompt += f"![](data:image/png;base64,{b64encode(ask.image).decode()})"
    request: dict[str, Any] = {"prompt": prompt}
    if ask.form:
        request["grammar"] = {"type": "json", "value": dict(ask.form)}
    if ask.logprobs:
        request["top_n_tokens"] = ask.logprobs
    return request | settings_of(ask, "max_new_tokens", "temperature", "top_p", "stop", "seed")


def _event(event: Any, said: Said) -> None:
    if not event.token.special:
        said.text += event.token.text
        _token(event.token, event.top_tokens, said)
    if event.generated_text is not None:
        assert event.generated_text == said.text
        details = event.details
        said.end = _ENDS[details.finish_reason]
        said.usage = {"input": details.input_length, "output": details.generated_tokens}


def _whole(answer: Any, said: Said) -> None:
    said.text = answer.generated_text
    details = answer.details
    tops = details.top_tokens or [None] * len(details.tokens)
    for token, top in zip(details.tokens, tops, strict=True):
        if not token.special:
            _token(token, top, said)
    said.end = _ENDS[details.finish_reason]
    said.usage = {"input": len(details.prefill), "output": details.generated_tokens}


def _token(token: Any, tops: Any, said: Said) -> None:
    if token.logprob is not None:
        # of a whole answer the package leaves them as plain data
        listed = [one if isinstance(one, dict) else vars(one) for one in tops or ()]
        found = tuple((one["text"], one["logprob"]) for one in listed)
        said.tokens += (Token(token.text, token.logprob, found, token.id),)


CLIENT = Client(
    "tgi",
    "huggingface_hub",
    connected,
    {
        # of a stream's error the package has not read the body yet when it looks into it
        "key": ("HfHubHTTPError", 401),
        "unknown": ("HfHubHTTPError", 404),
        "rate": ("HfHubHTTPError", 429),
        "context": ("BadRequestError", 400),
        "overloaded": ("HfHubHTTPError", 503),
    },
    ("GenerationError", "OverloadedError", "IncompleteGenerationError"),
    {
        "key": ("GenerationError", 401),
        "unknown": ("ValidationError", 404),
        "rate": ("OverloadedError", 429),
        "context": ("ValidationError", 400),
        "overloaded": ("OverloadedError", 503),
    },
    offers=False,
    unnamed=True,
)
