"""Chat completions, as OpenAI and the places that speak its protocol answer."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from typing import Any

from tests.matrix import script
from tests.matrix.providers.base import Provider, Script, data_url, functions_in, refused, settings_in, sse
from tests.matrix.said import Call, Got, Said, Source

USAGE = {
    "prompt_tokens": 120,
    "completion_tokens": 60,
    "total_tokens": 180,
    "prompt_tokens_details": {"cached_tokens": 40, "cache_write_tokens": 10},
    "completion_tokens_details": {"reasoning_tokens": 20},
}
IDS = ("call_Wea1", "call_Clo2")


def _chunk(delta: dict[str, Any], finish: str | None = None, **choice: Any) -> dict[str, Any]:
    one = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None, **choice}
    return {**_HEAD, "choices": [one]}


_HEAD = {"id": "chatcmpl-7", "object": "chat.completion.chunk", "created": 1700000000, "model": "vendors-own"}
_ROLE = _chunk({"role": "assistant", "content": ""})
_LAST = {**_HEAD, "choices": [], "usage": USAGE}
_DONE = b"data: [DONE]\n\n"


def _answer(*chunks: dict[str, Any], finish: str = "stop") -> tuple[bytes, ...]:
    return (*sse(_ROLE, *chunks, _chunk({}, finish), _LAST), _DONE)


def _texts(pieces: tuple[str, ...]) -> list[dict[str, Any]]:
    return [_chunk({"content": piece}) for piece in pieces]


def _call(place: int, arguments: str, *, begins: bool = False) -> dict[str, Any]:
    call: dict[str, Any] = {"index": place, "function": {"arguments": arguments}}
    if begins:
        call = {
            "index": place, "id": IDS[place], "type": "function",
            "function": {"name": script.TOOLS[place].name, "arguments": arguments},
        }  # fmt: skip
    return _chunk({"tool_calls": [call]})


_ARGUMENTS = [json.dumps(one, ensure_ascii=False) for one in script.ARGUMENTS]
_HALVES = [(text[:9], text[9:]) for text in _ARGUMENTS]
CALLS = Script(
    _answer(
        *(_chunk({"reasoning_content": piece}) for piece in script.THOUGHTS),
        # the calls take turns, as some places' do
        _call(0, "", begins=True),
        _call(0, _HALVES[0][0]),
        _call(1, "", begins=True),
        _call(1, _HALVES[1][0]),
        _call(0, _HALVES[0][1]),
        _call(1, _HALVES[1][1]),
        finish="tool_calls",
    ),
    Said(
        reasoning=script.REASONING,
        calls=script.calls(IDS),
        usage=script.USAGE,
        end="tool calls",
    ),
)


def _logprobs() -> list[dict[str, Any]]:
    return [
        _chunk(
            {"content": token.text},
            logprobs={"content": [{
                "token": token.text, "logprob": token.logprob, "bytes": list(token.text.encode()),
                "top_logprobs": [
                    {"token": text, "logprob": value, "bytes": list(text.encode())}
                    for text, value in token.top
                ],
            }], "refusal": None},
        )
        for token in script.TOKENS
    ]  # fmt: skip


_ANNOTATIONS = [
    {
        "type": "url_citation",
        "url_citation": {
            "url": source.url, "title": source.title,
            "start_index": source.place[0], "end_index": source.place[1],
        },
    }
    for source in script.SOURCES
    if source.place is not None
]  # fmt: skip
_IMAGE = f"data:image/png;base64,{b64encode(script.DRAWN_IMAGE).decode()}"

SCRIPTS = {
    "calls": CALLS,
    "reasoning": Script(
        _answer(*(_chunk({"reasoning_content": piece}) for piece in script.THOUGHTS), *_texts(script.PIECES)),
        Said(reasoning=script.REASONING, text=script.TEXT),
    ),
    "text": Script(_answer(*_texts(script.PIECES)), Said(text=script.TEXT, usage=script.USAGE, end="stop")),
    "length": Script(
        _answer(*_texts(script.PIECES[:1]), finish="length"), Said(text=script.FIRST, end="length")
    ),
    "form": Script(_answer(*_texts(script.JSON_PIECES)), Said(text="".join(script.JSON_PIECES), end="stop")),
    "refusal": Script(
        _answer(_chunk({"refusal": script.REFUSAL[:9]}), _chunk({"refusal": script.REFUSAL[9:]})),
        Said(refusal=script.REFUSAL, refused=True),
    ),
    "filtered": Script(_answer(*_texts(script.PIECES[:1]), finish="content_filter"), Said(end="filtered")),
    "citations": Script(
        _answer(*_texts(script.CITED), _chunk({"annotations": _ANNOTATIONS})),
        Said(
            text="".join(script.CITED),
            sources=tuple(Source(one.url, one.title, "", one.place) for one in script.SOURCES),
            end="stop",
        ),
    ),
    "logprobs": Script(
        _answer(*_logprobs()),
        Said(text=script.SPOKEN, tokens=tuple(script.without_ids(script.TOKENS)), end="stop"),
    ),
    "image": Script(
        _answer(
            _chunk({"content": script.FIRST}),
            _chunk({"images": [{"type": "image_url", "index": 0, "image_url": {"url": _IMAGE}}]}),
        ),
        Said(text=script.FIRST, images=(script.DRAWN_IMAGE,), end="stop"),
    ),
    "sound": Script(
        _answer(
            _chunk({"audio": {"id": "audio_9", "transcript": script.TRANSCRIPT[:8]}}),
            _chunk({"audio": {"data": b64encode(script.SPOKEN_SOUND[:66]).decode()}}),
            _chunk({"audio": {"transcript": script.TRANSCRIPT[8:]}}),
            _chunk({"audio": {"data": b64encode(script.SPOKEN_SOUND[66:]).decode()}}),
            _chunk({"audio": {"expires_at": 1700003600}}),
        ),
        Said(sound=script.SPOKEN_SOUND, transcript=script.TRANSCRIPT, end="stop"),
    ),
}


def _error(message: str, type: str, code: str | None) -> dict[str, Any]:
    return {"error": {"message": message, "type": type, "param": None, "code": code}}


ERRORS = {
    "key": refused(401, _error("Incorrect API key provided.", "invalid_request_error", "invalid_api_key")),
    "unknown": refused(404, _error("The model does not exist.", "invalid_request_error", "model_not_found")),
    "rate": refused(429, _error("Rate limit reached.", "requests", "rate_limit_exceeded"), retry_after="7"),
    "context": refused(
        400,
        _error(
            "This model's maximum context length is 8192 tokens.",
            "invalid_request_error",
            "context_length_exceeded",
        ),
    ),
    "overloaded": refused(503, _error("The server is overloaded.", "server_error", None)),
}
OVERLOADED = sse(_error("The engine is overloaded.", "server_error", "overloaded"))[0]


def read(path: str, body: bytes) -> Got:
    """A request's fields (openai 3.52, `types/chat/completion_create_params.py`)."""
    assert path == "/chat/completions"
    data = json.loads(body)
    got = Got(model=data["model"])
    for message in data["messages"]:
        _message(message, got)
    got.tools = functions_in(data)
    wanted = data.get("response_format") or {}
    if wanted.get("type") == "json_schema":
        got.form = wanted["json_schema"]["schema"]
    got.effort = data.get("reasoning_effort", "")
    limit = "max_completion_tokens" if "max_completion_tokens" in data else "max_tokens"
    got.settings = settings_in(data, limit, "temperature", "top_p", "stop", "seed")
    got.speaks = "audio" in data.get("modalities", ()) and "audio" in data
    got.logprobs = data.get("top_logprobs", True) if data.get("logprobs") else 0
    return got


def _message(message: dict[str, Any], got: Got) -> None:
    role, content = message["role"], message.get("content")
    if role in ("system", "developer"):
        got.system += _text(content)
    elif role == "tool":
        got.results.append((message["tool_call_id"], _text(content)))
    elif role == "assistant":
        got.reasoning += message.get("reasoning_content") or ""
        for call in message.get("tool_calls") or ():
            function = call["function"]
            got.called.append(Call(call["id"], function["name"], json.loads(function["arguments"])))
    else:
        for part in [{"type": "text", "text": content}] if isinstance(content, str) else content:
            _part(part, got)


def _text(content: Any) -> str:
    return content if isinstance(content, str) else "".join(part["text"] for part in content)


def _part(part: dict[str, Any], got: Got) -> None:
    match part["type"]:
        case "text":
            got.texts.append(part["text"])
        case "image_url":
            got.images.append(data_url(part["image_url"]["url"]))
        case "input_audio":
            assert part["input_audio"]["format"] == "wav"
            got.sounds.append(b64decode(part["input_audio"]["data"]))
        case "file":
            got.documents.append((part["file"].get("filename", ""), data_url(part["file"]["file_data"])))


PROVIDER = Provider(
    wire="openai_chat",
    base="/v1",
    content_type="text/event-stream",
    scripts=SCRIPTS,
    begun=sse(_ROLE, _chunk({"content": script.FIRST})),
    failed=OVERLOADED,
    errors=ERRORS,
    read=read,
    quirks={"reasoning_field": "reasoning_content"},  # as the places that have the field want it
)
