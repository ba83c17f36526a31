"""Hugging Face Text Generation Inference: one text in, tokens out."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from typing import Any

from tests.matrix import script
from tests.matrix.providers.base import Provider, Script, refused, settings_in, sse
from tests.matrix.said import Got, Said, Token

_IMAGE = re.compile(r"!\[\]\(data:image/png;base64,([^)]*)\)")
_TOLD = {"input": 120, "output": 60}


def _token(token: Token, index: int) -> dict[str, Any]:
    said = {"id": token.id or 7, "text": token.text, "logprob": token.logprob, "special": False}
    tops = [
        {
            "id": token.id if text == token.text else 900 + index,
            "text": text,
            "logprob": value,
            "special": False,
        }
        for text, value in token.top
    ]
    beside = {"top_tokens": tops} if tops else {}
    return {"index": index, "token": said, **beside, "generated_text": None, "details": None}


def _tokens(*tokens: Token, why: str = "eos_token") -> tuple[bytes, ...]:
    events = [_token(token, at) for at, token in enumerate(tokens, 1)]
    end = {
        "index": len(tokens) + 1,
        "token": {"id": 2, "text": "</s>", "logprob": -0.1, "special": True},
        "generated_text": "".join(token.text for token in tokens),
        "details": {"finish_reason": why, "generated_tokens": 60, "input_length": 120, "seed": None},
    }
    return sse(*events, end)


def _texts(*pieces: str, why: str = "eos_token") -> tuple[bytes, ...]:
    return _tokens(*(Token(piece, -0.5) for piece in pieces), why=why)


SCRIPTS = {
    "text": Script(_texts(*script.PIECES), Said(text=script.TEXT, usage=_TOLD, end="stop")),
    "length": Script(_texts(script.FIRST, why="length"), Said(text=script.FIRST, end="length")),
    "form": Script(_texts(*script.JSON_PIECES), Said(text="".join(script.JSON_PIECES), end="stop")),
    "logprobs": Script(_tokens(*script.TOKENS), Said(text=script.SPOKEN, tokens=script.TOKENS, end="stop")),
}


def _error(type: str, message: str) -> dict[str, Any]:
    return {"error": message, "error_type": type}


ERRORS = {
    "key": refused(401, _error("authentication", "Unauthorized")),
    "unknown": refused(404, _error("validation", "no such model")),
    "rate": refused(429, _error("overloaded", "Model is overloaded"), retry_after="7"),
    "context": refused(
        422,
        _error("validation", "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096"),
    ),
    "overloaded": refused(503, _error("overloaded", "Model is overloaded")),
}


def read(path: str, body: bytes) -> Got:
    """A request's fields (huggingface_hub 2.4, `inference/_generated/types/text_generation.py`)."""
    assert path == "/generate_stream"
    data = json.loads(body)
    prompt = data["inputs"]
    got = Got(prompt=_IMAGE.sub("", prompt), images=[b64decode(one) for one in _IMAGE.findall(prompt)])
    parameters = data["parameters"]
    grammar = parameters.get("grammar") or {}
    got.form = grammar.get("value") if grammar.get("type") == "json" else None
    got.settings = settings_in(parameters, "max_new_tokens", "temperature", "top_p", "stop", "seed")
    got.logprobs = parameters.get("top_n_tokens", 0)
    return got


PROVIDER = Provider(
    wire="tgi",
    base="",
    content_type="text/event-stream",
    scripts=SCRIPTS,
    begun=sse(_token(Token(script.FIRST, -0.5), 1)),
    failed=sse(_error("generation", "Request failed during generation: CUDA out of memory"))[0],
    errors=ERRORS,
    read=read,
)
