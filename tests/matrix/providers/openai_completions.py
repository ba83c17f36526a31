"""OpenAI's legacy completions: text in, text out."""

from __future__ import annotations

import json
from itertools import accumulate
from typing import Any

from tests.matrix import script
from tests.matrix.providers.base import Provider, Script, settings_in, sse
from tests.matrix.providers.openai_chat import ERRORS, USAGE
from tests.matrix.said import Got, Said

_HEAD = {"id": "cmpl-7", "object": "text_completion", "created": 1700000000, "model": "vendors-own"}


def _chunk(text: str, finish: str | None = None, logprobs: Any = None) -> dict[str, Any]:
    one = {"text": text, "index": 0, "logprobs": logprobs, "finish_reason": finish}
    return {**_HEAD, "choices": [one]}


def _answer(*pieces: str, finish: str = "stop") -> tuple[bytes, ...]:
    last = {**_HEAD, "choices": [], "usage": USAGE}
    return (*sse(*(_chunk(piece) for piece in pieces), _chunk("", finish), last), b"data: [DONE]\n\n")


_OFFSETS = list(accumulate((len(token.text) for token in script.TOKENS[:-1]), initial=0))
_LOGPROBS = [
    {
        "tokens": [token.text],
        "token_logprobs": [token.logprob],
        "top_logprobs": [dict(token.top)],
        "text_offset": [offset],
    }
    for token, offset in zip(script.TOKENS, _OFFSETS, strict=True)
]
SCRIPTS = {
    "text": Script(_answer(*script.PIECES), Said(text=script.TEXT, usage=script.USAGE, end="stop")),
    "length": Script(_answer(script.FIRST, finish="length"), Said(text=script.FIRST, end="length")),
    "filtered": Script(_answer(script.FIRST, finish="content_filter"), Said(end="filtered")),
    "logprobs": Script(
        (
            *sse(
                *(
                    _chunk(token.text, None, logprobs)
                    for token, logprobs in zip(script.TOKENS, _LOGPROBS, strict=True)
                ),
                _chunk("", "stop"),
            ),
            b"data: [DONE]\n\n",
        ),
        Said(text=script.SPOKEN, tokens=tuple(script.without_ids(script.TOKENS)), end="stop"),
    ),
}


def read(path: str, body: bytes) -> Got:
    """A request's fields (openai 3.52, `types/completion_create_params.py`)."""
    assert path == "/completions"
    data = json.loads(body)
    got = Got(model=data["model"], prompt=data["prompt"])
    got.settings = settings_in(data, "max_tokens", "temperature", "top_p", "stop", "seed")
    got.logprobs = data.get("logprobs") or 0
    return got


PROVIDER = Provider(
    wire="openai_completions",
    base="/v1",
    content_type="text/event-stream",
    scripts=SCRIPTS,
    begun=sse(_chunk(script.FIRST)),
    failed=sse({"error": {"message": "The engine is overloaded.", "type": "server_error", "code": None}})[0],
    errors=ERRORS,
    read=read,
)
