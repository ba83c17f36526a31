"""Ollama's /api/chat."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from typing import Any

from tests.matrix import script
from tests.matrix.providers.base import Provider, Script, functions_in, refused, settings_in
from tests.matrix.said import Call, Got, Said

IDS = ("call_wea0", "call_clo1")
_HEAD = {"model": "vendors-own", "created_at": "2026-11-25T10:00:00Z"}
_METRICS = {"total_duration": 5, "load_duration": 1, "prompt_eval_count": 120, "eval_count": 60}
_TOLD = {"input": 120, "output": 60}


def _line(content: str = "", **message: Any) -> dict[str, Any]:
    return {**_HEAD, "message": {"role": "assistant", "content": content, **message}, "done": False}


def _lines(*lines: dict[str, Any]) -> tuple[bytes, ...]:
    return tuple(json.dumps(line).encode() + b"\n" for line in lines)


def _answer(*lines: dict[str, Any], why: str = "stop") -> tuple[bytes, ...]:
    return _lines(*lines, {**_line(), "done": True, "done_reason": why, **_METRICS})


def _call(place: int) -> dict[str, Any]:
    function = {"index": place, "name": script.TOOLS[place].name, "arguments": script.ARGUMENTS[place]}
    return {"id": IDS[place], "function": function}


def _logprob(text: str, logprob: float) -> dict[str, Any]:
    return {"token": text, "logprob": logprob, "bytes": list(text.encode())}


SCRIPTS = {
    "calls": Script(
        _answer(
            *(_line(thinking=piece) for piece in script.THOUGHTS),
            _line(tool_calls=[_call(0)]),
            _line(tool_calls=[_call(1)]),
        ),
        Said(
            reasoning=script.REASONING,
            calls=script.calls(IDS),
            usage=_TOLD,
        ),
    ),
    "reasoning": Script(
        _answer(
            *(_line(thinking=piece) for piece in script.THOUGHTS),
            *(_line(piece) for piece in script.PIECES),
        ),
        Said(reasoning=script.REASONING, text=script.TEXT),
    ),
    "text": Script(
        _answer(*(_line(piece) for piece in script.PIECES)), Said(text=script.TEXT, usage=_TOLD, end="stop")
    ),
    "length": Script(_answer(_line(script.FIRST), why="length"), Said(text=script.FIRST, end="length")),
    "form": Script(
        _answer(*(_line(piece) for piece in script.JSON_PIECES)),
        Said(text="".join(script.JSON_PIECES), end="stop"),
    ),
    "logprobs": Script(
        _answer(
            *(
                {
                    **_line(token.text),
                    "logprobs": [
                        {
                            **_logprob(token.text, token.logprob),
                            "top_logprobs": [_logprob(*one) for one in token.top],
                        }
                    ],
                }
                for token in script.TOKENS
            )
        ),
        Said(text=script.SPOKEN, tokens=tuple(script.without_ids(script.TOKENS)), end="stop"),
    ),
    "image": Script(
        _answer(_line(script.FIRST), _line(images=[b64encode(script.DRAWN_IMAGE).decode()])),
        Said(text=script.FIRST, images=(script.DRAWN_IMAGE,), end="stop"),
    ),
}
ERRORS = {
    "key": refused(401, {"error": "unauthorized"}),
    "unknown": refused(404, {"error": "model 'x' not found"}),
    "rate": refused(429, {"error": "too many concurrent requests"}, retry_after="7"),
    "context": refused(400, {"error": "the input length exceeds the context length"}),
    "overloaded": refused(503, {"error": "server busy, please try again. maximum pending requests exceeded"}),
}


def read(path: str, body: bytes) -> Got:
    """A request's fields (ollama 0.6.3, `_types.py`; `api/types.go` at fb3076099)."""
    assert path == "/api/chat"
    data = json.loads(body)
    got = Got(model=data["model"])
    for message in data["messages"]:
        _message(message, got)
    got.tools = functions_in(data)
    got.form = data.get("format")
    got.effort = data.get("think", "")
    options = data.get("options", {})
    got.settings = settings_in(options, "num_predict", "temperature", "top_p", "stop", "seed")
    got.logprobs = data.get("top_logprobs", 0) if data.get("logprobs") else 0
    return got


def _message(message: dict[str, Any], got: Got) -> None:
    match message["role"]:
        case "system":
            got.system += message["content"]
        case "tool":
            got.results.append((message.get("tool_call_id", ""), message["content"]))
        case "assistant":
            got.reasoning += message.get("thinking", "")
            for call in message.get("tool_calls", ()):
                function = call["function"]
                got.called.append(Call(call.get("id", ""), function["name"], function["arguments"]))
        case _:
            got.texts.append(message["content"])
            got.images += [b64decode(image) for image in message.get("images", ())]


PROVIDER = Provider(
    wire="ollama",
    base="",
    content_type="application/x-ndjson",
    scripts=SCRIPTS,
    begun=_lines(_line(script.FIRST)),
    failed=_lines({"error": "the model runner has stopped"})[0],
    errors=ERRORS,
    read=read,
)
