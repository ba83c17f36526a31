"""Anthropic Messages."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import Any

from tests.matrix import script
from tests.matrix.providers.base import Provider, Script, named, refused, settings_in
from tests.matrix.said import Call, Function, Got, Said

SIGNATURE = "EqQBCgIYAhIkd2l0aG91dCBhIG1lYW5pbmc="
IDS = ("toolu_01Wea", "toolu_02Clo")
BEGUN = {
    "input_tokens": 70,
    "cache_creation_input_tokens": 10,
    "cache_read_input_tokens": 40,
    "output_tokens": 1,
}
USAGE = {**BEGUN, "output_tokens": 60, "output_tokens_details": {"thinking_tokens": 20}}

_START = {
    "type": "message_start",
    "message": {
        "id": "msg_01", "type": "message", "role": "assistant", "model": "vendors-own", "content": [],
        "stop_reason": None, "stop_sequence": None, "usage": BEGUN,
    },
}  # fmt: skip
_PING = {"type": "ping"}


def _block(index: int, begins: dict[str, Any], *deltas: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"type": "content_block_start", "index": index, "content_block": begins},
        *({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": index},
    ]


def _text(index: int, *pieces: str, citation: Any = None) -> list[dict[str, Any]]:
    deltas = [{"type": "text_delta", "text": piece} for piece in pieces]
    if citation is not None:
        deltas.append({"type": "citations_delta", "citation": citation})
    return _block(index, {"type": "text", "text": ""}, *deltas)


def _call(index: int, place: int) -> list[dict[str, Any]]:
    arguments = json.dumps(script.ARGUMENTS[place], ensure_ascii=False)
    begins = {"type": "tool_use", "id": IDS[place], "name": script.TOOLS[place].name, "input": {}}
    pieces = ("", arguments[:9], arguments[9:])
    return _block(index, begins, *({"type": "input_json_delta", "partial_json": one} for one in pieces))


def _answer(*blocks: list[dict[str, Any]], stop: str = "end_turn") -> tuple[bytes, ...]:
    last = {
        "type": "message_delta",
        "delta": {"stop_reason": stop, "stop_sequence": None},
        "usage": USAGE,
    }
    events = [event for block in blocks for event in block]
    return named(_START, _PING, *events, last, {"type": "message_stop"})


_THINKING = _block(
    0,
    {"type": "thinking", "thinking": "", "signature": ""},
    *({"type": "thinking_delta", "thinking": piece} for piece in script.THOUGHTS),
    {"type": "signature_delta", "signature": SIGNATURE},
)
_CITATIONS = [
    {
        "type": "web_search_result_location",
        "url": source.url,
        "title": source.title,
        "cited_text": source.quote,
        "encrypted_index": "Eo8BCioIAhgB",
    }
    for source in script.SOURCES
]
SCRIPTS = {
    "calls": Script(
        _answer(_THINKING, _call(1, 0), _call(2, 1), stop="tool_use"),
        Said(
            reasoning=script.REASONING,
            signature=SIGNATURE,
            calls=script.calls(IDS),
            usage=script.USAGE,
            end="tool calls",
        ),
    ),
    "reasoning": Script(
        _answer(_THINKING, _text(1, *script.PIECES)),
        Said(reasoning=script.REASONING, text=script.TEXT),
    ),
    "text": Script(_answer(_text(0, *script.PIECES)), Said(text=script.TEXT, usage=script.USAGE, end="stop")),
    "length": Script(
        _answer(_text(0, script.FIRST), stop="max_tokens"), Said(text=script.FIRST, end="length")
    ),
    "form": Script(
        _answer(_text(0, *script.JSON_PIECES)), Said(text="".join(script.JSON_PIECES), end="stop")
    ),
    "refusal": Script(
        _answer(_text(0, script.REFUSAL[:9], script.REFUSAL[9:]), stop="refusal"),
        Said(refusal=script.REFUSAL, refused=True),
    ),
    "filtered": Script(_answer(_text(0, script.FIRST), stop="refusal"), Said(end="filtered")),
    "citations": Script(
        _answer(*(_text(at, script.CITED[at], citation=_CITATIONS[at]) for at in (0, 1))),
        Said(
            text="".join(script.CITED),
            sources=script.SOURCES,
            end="stop",
        ),
    ),
}


def _error(type: str, message: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": type, "message": message}, "request_id": "req_01"}


ERRORS = {
    "key": refused(401, _error("authentication_error", "invalid bearer token")),
    "unknown": refused(404, _error("not_found_error", "model: no such model")),
    "rate": refused(
        429, _error("rate_limit_error", "Number of tokens per minute exceeded."), retry_after="7"
    ),
    "context": refused(
        400, _error("invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum")
    ),
    "overloaded": refused(529, _error("overloaded_error", "Overloaded")),
}


def read(path: str, body: bytes) -> Got:
    """A request's fields (anthropic 2.11, `types/message_create_params.py`)."""
    assert path == "/messages"
    data = json.loads(body)
    got = Got(model=data["model"], system=_joined(data.get("system", "")))
    for message in data["messages"]:
        content = message["content"]
        for block in [{"type": "text", "text": content}] if isinstance(content, str) else content:
            _block_read(block, message["role"], got)
    for tool in data.get("tools", ()):
        got.tools.append(Function(tool["name"], tool["description"], tool["input_schema"]))
    config = data.get("output_config") or {}
    got.form = (config.get("format") or {}).get("schema")
    got.effort = config.get("effort", "")
    got.settings = settings_in(data, "max_tokens", "", "", "stop_sequences")
    return got


def _joined(content: Any) -> str:
    return content if isinstance(content, str) else "".join(block["text"] for block in content)


def _block_read(block: dict[str, Any], role: str, got: Got) -> None:
    source = block.get("source") or {}
    match block["type"]:
        case "text" if role == "user":
            got.texts.append(block["text"])
        case "image":
            got.images.append(b64decode(source["data"]))
        case "document":
            got.documents.append((block.get("title", ""), b64decode(source["data"])))
        case "thinking":
            got.reasoning += block["thinking"]
            got.signature += block["signature"]
        case "tool_use":
            got.called.append(Call(block["id"], block["name"], block["input"]))
        case "tool_result":
            got.results.append((block["tool_use_id"], _joined(block["content"])))


PROVIDER = Provider(
    wire="anthropic",
    base="/v1",
    content_type="text/event-stream",
    scripts=SCRIPTS,
    begun=named(_START, *_text(0, script.FIRST)[:2]),
    failed=named(_error("overloaded_error", "Overloaded"))[0],
    errors=ERRORS,
    read=read,
)
