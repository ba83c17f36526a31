"""A server of web pages' messages, as the npm package `ai` writes them."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

from tests.matrix import script
from tests.matrix.providers.base import Provider, Script, data_url, refused, settings_in, sse
from tests.matrix.said import Call, Function, Got, Said, Source

SIGNATURE = "RXFRQmJhY2tmcm9tdGhlcGFnZQ=="
IDS = ("toolu_Wea7", "toolu_Clo8")
USAGE = {
    "inputTokens": 120,
    "inputTokenDetails": {"noCacheTokens": 70, "cacheReadTokens": 40, "cacheWriteTokens": 10},
    "outputTokens": 60,
    "outputTokenDetails": {"textTokens": 40, "reasoningTokens": 20},
    "totalTokens": 180,
}
_DONE = b"data: [DONE]\n\n"
_BEGUN = ({"type": "start", "messageId": "msg_7"}, {"type": "start-step"})


def _answer(*parts: dict[str, Any], finish: str = "stop") -> tuple[bytes, ...]:
    end = {"type": "finish", "finishReason": finish, "messageMetadata": {"usage": USAGE}}
    return (*sse(*_BEGUN, *parts, {"type": "finish-step"}, end), _DONE)


def _block(kind: str, id: str, pieces: tuple[str, ...], **ends: Any) -> list[dict[str, Any]]:
    return [
        {"type": f"{kind}-start", "id": id},
        *({"type": f"{kind}-delta", "id": id, "delta": piece} for piece in pieces),
        {"type": f"{kind}-end", "id": id, **ends},
    ]


def _text(*pieces: str, **ends: Any) -> list[dict[str, Any]]:
    return _block("text", "txt-0", pieces, **ends)


_REASONING = _block(
    "reasoning", "r-0", script.THOUGHTS, providerMetadata={"anthropic": {"signature": SIGNATURE}}
)
_ARGUMENTS = [json.dumps(one, ensure_ascii=False) for one in script.ARGUMENTS]


def _call(place: int, kind: str, **fields: Any) -> dict[str, Any]:
    named = {} if kind == "delta" else {"toolName": script.TOOLS[place].name}
    return {"type": f"tool-input-{kind}", "toolCallId": IDS[place], **named, **fields}


def _places() -> list[dict[str, Any]]:
    """As JavaScript counts: in units of UTF-16."""
    text = "".join(script.CITED)
    found: list[dict[str, Any]] = []
    for at, one in enumerate(script.SOURCES):
        source = {"type": "source", "sourceType": "url", "id": f"s{at}", "url": one.url, "title": one.title}
        assert one.place is not None
        start, end = (len(text[:place].encode("utf-16-le")) // 2 for place in one.place)
        found.append({"source": source, "startIndex": start, "endIndex": end, "citedText": one.quote})
    return found


def _file(media_type: str, data: bytes) -> dict[str, Any]:
    url = f"data:{media_type};base64,{b64encode(data).decode()}"
    return {"type": "file", "mediaType": media_type, "url": url}


SCRIPTS = {
    "calls": Script(
        _answer(
            *_REASONING,
            # the calls take turns, as where their model writes both at once
            _call(0, "start"),
            _call(0, "delta", inputTextDelta=_ARGUMENTS[0][:9]),
            _call(1, "start"),
            _call(1, "delta", inputTextDelta=_ARGUMENTS[1]),
            _call(0, "delta", inputTextDelta=_ARGUMENTS[0][9:]),
            _call(0, "available", input=script.ARGUMENTS[0]),
            _call(1, "available", input=script.ARGUMENTS[1]),
            finish="tool-calls",
        ),
        Said(
            reasoning=script.REASONING,
            signature=SIGNATURE,
            calls=script.calls(IDS),
            usage=script.USAGE,
            end="tool calls",
        ),
    ),
    "reasoning": Script(
        _answer(*_REASONING, *_text(*script.PIECES)), Said(reasoning=script.REASONING, text=script.TEXT)
    ),
    "text": Script(_answer(*_text(*script.PIECES)), Said(text=script.TEXT, usage=script.USAGE, end="stop")),
    "length": Script(_answer(*_text(script.FIRST), finish="length"), Said(text=script.FIRST, end="length")),
    "filtered": Script(_answer(*_text(script.FIRST), finish="content-filter"), Said(end="filtered")),
    "form": Script(_answer(*_text(*script.JSON_PIECES)), Said(text="".join(script.JSON_PIECES), end="stop")),
    "citations": Script(
        _answer(*_text(*script.CITED, citations=_places())),
        Said(
            text="".join(script.CITED),
            sources=tuple(Source(one.url, one.title, one.quote, one.place) for one in script.SOURCES),
            end="stop",
        ),
    ),
    "image": Script(
        _answer(*_text(script.FIRST), _file("image/png", script.DRAWN_IMAGE)),
        Said(text=script.FIRST, images=(script.DRAWN_IMAGE,), end="stop"),
    ),
    "sound": Script(
        _answer(*_text(script.FIRST), _file("audio/pcm;rate=24000", script.SPOKEN_SOUND)),
        Said(text=script.FIRST, sound=script.SPOKEN_SOUND, end="stop"),
    ),
}
ERRORS = {
    "key": refused(401, {"error": {"message": "Sign in first.", "code": "unauthorized"}}),
    "unknown": refused(404, {"error": {"message": "There is no such model.", "code": "not_found"}}),
    "rate": refused(429, {"error": {"message": "Too many requests."}}, retry_after="7"),
    "context": refused(400, {"error": {"message": "The conversation exceeds the context window."}}),
    "overloaded": refused(503, {"error": {"message": "Overloaded."}}),
}


def read(path: str, body: bytes) -> Got:
    """A body's fields: the transport's (`ai` 7.0.173, `ui/http-chat-transport.ts`), and the call options."""
    assert path == ""
    data = json.loads(body)
    got = Got(model=data["model"], system=data.get("system", ""))  # which a page may say in the body
    for message in data["messages"]:
        for part in message["parts"]:
            _part(message["role"], part, got)
    got.tools = [
        Function(name, one["description"], one["inputSchema"]) for name, one in data.get("tools", {}).items()
    ]
    wanted = data.get("responseFormat") or {}
    got.form = wanted.get("schema") if wanted.get("type") == "json" else None
    got.effort = data.get("reasoning", "")
    got.settings = settings_in(data, "maxOutputTokens", "temperature", "topP", "stopSequences", "seed")
    return got


def _part(role: str, part: dict[str, Any], got: Got) -> None:
    kind = part["type"]
    if kind == "text" and role == "system":
        got.system += part["text"]
    elif kind == "text" and role == "user":
        got.texts.append(part["text"])
    elif kind == "reasoning":
        got.reasoning += part["text"]
        said = part.get("providerMetadata", {}).get("anthropic", {})
        got.signature += said.get("signature", "")
    elif kind == "file":
        _took(part, got)
    elif kind.startswith("tool-"):
        got.called.append(Call(part["toolCallId"], kind.removeprefix("tool-"), part["input"]))
        if part["state"] == "output-available":
            output = part["output"]
            text = output if isinstance(output, str) else json.dumps(output)
            got.results.append((part["toolCallId"], text))


def _took(part: dict[str, Any], got: Got) -> None:
    data = data_url(part["url"])
    match part["mediaType"].partition("/")[0]:
        case "image":
            got.images.append(data)
        case "audio":
            got.sounds.append(data)
        case _:
            got.documents.append((part.get("filename", ""), data))


PROVIDER = Provider(
    wire="ui_messages",
    base="/api/chat",
    content_type="text/event-stream",
    scripts=SCRIPTS,
    begun=sse(*_BEGUN, {"type": "text-start", "id": "txt-0"},
              {"type": "text-delta", "id": "txt-0", "delta": script.FIRST}),
    failed=sse({"type": "error", "errorText": "The engine is overloaded."})[0],
    errors=ERRORS,
    read=read,
)  # fmt: skip
