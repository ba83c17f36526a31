"""Google's generateContent, streamed as events."""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from typing import Any
from urllib.parse import unquote

from tests.matrix import script
from tests.matrix.providers.base import Provider, Script, refused, settings_in, sse
from tests.matrix.said import Call, Function, Got, Said, Source

SIGNATURE = b64encode(b"a signature of Google's own").decode()
IDS = ("fc-wea-1", "fc-clo-2")
USAGE = {
    "promptTokenCount": 120,
    "cachedContentTokenCount": 40,
    "candidatesTokenCount": 40,
    "thoughtsTokenCount": 20,
    "totalTokenCount": 180,
}
_TOLD = {name: count for name, count in script.USAGE.items() if name != "cache writes"}


def _event(*parts: dict[str, Any], reason: str | None = None, **candidate: Any) -> dict[str, Any]:
    one = {"content": {"parts": list(parts), "role": "model"}, "index": 0, **candidate}
    if reason is not None:
        one["finishReason"] = reason
    return {
        "candidates": [one],
        "usageMetadata": USAGE if reason else {"promptTokenCount": 120, "totalTokenCount": 120},
        "modelVersion": "vendors-own",
        "responseId": "resp-7",
    }


def _events(*bodies: dict[str, Any]) -> tuple[bytes, ...]:
    return sse(*bodies, end=b"\r\n\r\n")


def _texts(*pieces: str, reason: str = "STOP", **last: Any) -> tuple[bytes, ...]:
    *most, end = pieces
    return _events(*(_event({"text": piece}) for piece in most), _event({"text": end}, reason=reason, **last))


def _call(place: int, **beside: Any) -> dict[str, Any]:
    call = {"id": IDS[place], "name": script.TOOLS[place].name, "args": script.ARGUMENTS[place]}
    return {"functionCall": call, **beside}


def _blob(kind: str, data: bytes) -> dict[str, Any]:
    return {"inlineData": {"mimeType": kind, "data": b64encode(data).decode()}}


# The vendor counts bytes.
_ENDS = (len(script.CITED[0].encode()), len("".join(script.CITED).encode()))
_GROUNDED = {
    "groundingChunks": [{"web": {"uri": one.url, "title": one.title}} for one in script.SOURCES],
    "groundingSupports": [
        {
            "segment": {"startIndex": begin, "endIndex": end, "text": text},
            "groundingChunkIndices": [at],
        }
        for at, (text, begin, end) in enumerate(zip(script.CITED, (0, _ENDS[0]), _ENDS, strict=True))
    ],
}
_CHOSEN = {
    "chosenCandidates": [
        {"token": token.text, "tokenId": token.id, "logProbability": token.logprob} for token in script.TOKENS
    ],
    "topCandidates": [
        {
            "candidates": [
                {
                    "token": text,
                    "tokenId": token.id if text == token.text else 900 + place,
                    "logProbability": value,
                }
                for text, value in token.top
            ]
        }
        for place, token in enumerate(script.TOKENS)
    ],
}
SCRIPTS = {
    "calls": Script(
        _events(
            *(_event({"text": piece, "thought": True}) for piece in script.THOUGHTS),
            _event(_call(0, thoughtSignature=SIGNATURE), _call(1), reason="STOP"),
        ),
        Said(
            reasoning=script.REASONING,
            signature=SIGNATURE,
            calls=script.calls(IDS),
            usage=_TOLD,
        ),
    ),
    "reasoning": Script(
        _events(*(_event({"text": piece, "thought": True}) for piece in script.THOUGHTS))
        + _texts(*script.PIECES),
        Said(reasoning=script.REASONING, text=script.TEXT),
    ),
    "text": Script(_texts(*script.PIECES), Said(text=script.TEXT, usage=_TOLD, end="stop")),
    "length": Script(_texts(script.FIRST, reason="MAX_TOKENS"), Said(text=script.FIRST, end="length")),
    "form": Script(_texts(*script.JSON_PIECES), Said(text="".join(script.JSON_PIECES), end="stop")),
    "refusal": Script(
        _texts(script.REFUSAL[:9], script.REFUSAL[9:], reason="SAFETY"),
        Said(refusal=script.REFUSAL, refused=True),
    ),
    "filtered": Script(_texts(script.FIRST, reason="SAFETY"), Said(end="filtered")),
    "citations": Script(
        _texts(*script.CITED, groundingMetadata=_GROUNDED),
        Said(
            text="".join(script.CITED),
            sources=tuple(Source(one.url, one.title, "", one.place) for one in script.SOURCES),
            end="stop",
        ),
    ),
    "logprobs": Script(
        _texts(script.SPOKEN, logprobsResult=_CHOSEN, avgLogprobs=-0.66),
        Said(text=script.SPOKEN, tokens=script.TOKENS, end="stop"),
    ),
    "image": Script(
        _events(
            _event({"text": script.FIRST}), _event(_blob("image/png", script.DRAWN_IMAGE), reason="STOP")
        ),
        Said(text=script.FIRST, images=(script.DRAWN_IMAGE,), end="stop"),
    ),
    "sound": Script(
        _events(
            _event(_blob("audio/L16;codec=pcm;rate=24000", script.SPOKEN_SOUND[:64])),
            _event(_blob("audio/L16;codec=pcm;rate=24000", script.SPOKEN_SOUND[64:])),
            _event({"audioTranscription": {"text": script.TRANSCRIPT}}, reason="STOP"),
        ),
        Said(sound=script.SPOKEN_SOUND, transcript=script.TRANSCRIPT, end="stop"),
    ),
}
_TYPE = "type.googleapis.com/google.rpc."


def _error(code: int, status: str, message: str, *details: dict[str, Any]) -> dict[str, Any]:
    error: dict[str, Any] = {"code": code, "message": message, "status": status}
    return {"error": {**error, "details": list(details)} if details else error}


ERRORS = {
    "key": refused(
        400,
        _error(
            400,
            "INVALID_ARGUMENT",
            "API key not valid. Please pass a valid API key.",
            {"@type": _TYPE + "ErrorInfo", "reason": "API_KEY_INVALID", "domain": "googleapis.com"},
        ),
    ),
    "unknown": refused(404, _error(404, "NOT_FOUND", "models/x is not found for API version v1beta")),
    "rate": refused(
        429,
        _error(429, "RESOURCE_EXHAUSTED", "Too fast.", {"@type": _TYPE + "RetryInfo", "retryDelay": "7s"}),
    ),
    "context": refused(
        400,
        _error(
            400,
            "INVALID_ARGUMENT",
            "The input token count (1100000) exceeds the maximum number of tokens allowed (1048576).",
        ),
    ),
    "overloaded": refused(503, _error(503, "UNAVAILABLE", "The model is overloaded.")),
}


def read(path: str, body: bytes) -> Got:
    """A request's fields (google-genai 3.4, `types.py`, as its REST API spells them)."""
    collection, _, rest = path.removeprefix("/").partition("/")
    name, _, method = rest.partition(":")
    assert (collection, method) == ("models", "streamGenerateContent?alt=sse"), path
    data = json.loads(body)
    got = Got(model=unquote(name))
    got.system = "".join(part["text"] for part in data.get("systemInstruction", {"parts": ()})["parts"])
    for content in data["contents"]:
        for part in content["parts"]:
            _part(part, content["role"], got)
    for tool in data.get("tools", ()):
        for function in tool["functionDeclarations"]:
            schema = _field(function, "parametersJsonSchema")
            got.tools.append(Function(function["name"], function["description"], schema))
    config = data.get("generationConfig", {})
    got.form = _field(config, "responseJsonSchema")
    got.effort = _field(config.get("thinkingConfig", {}), "thinkingLevel", "").lower()
    got.settings = settings_in(config, "maxOutputTokens", "temperature", "topP", "stopSequences", "seed")
    got.speaks = "AUDIO" in config.get("responseModalities", ())
    got.logprobs = config.get("logprobs", True) if config.get("responseLogprobs") else 0
    return got


def _field(data: dict[str, Any], name: str, default: Any = None) -> Any:
    """A field in either spelling: the vendor's own client writes some as `snake_case`."""
    return data.get(name, data.get(re.sub("[A-Z]", lambda at: "_" + at[0].lower(), name), default))


def _part(part: dict[str, Any], role: str, got: Got) -> None:
    got.signature += _field(part, "thoughtSignature", "")
    if "inlineData" in part:
        _data(part["inlineData"], got)
    elif "functionCall" in part:
        call = part["functionCall"]
        got.called.append(Call(call.get("id", ""), call["name"], call["args"]))
    elif "functionResponse" in part:
        answer = part["functionResponse"]
        said = answer["response"]
        text = said["output"] if set(said) == {"output"} else json.dumps(said)
        got.results.append((answer.get("id", ""), text))
    elif part.get("thought"):
        got.reasoning += part["text"]
    elif role == "user":
        got.texts.append(part["text"])


def _data(blob: dict[str, Any], got: Got) -> None:
    kind = _field(blob, "mimeType")
    data = b64decode(blob["data"].replace("-", "+").replace("_", "/"), validate=True)
    if kind.startswith("image/"):
        got.images.append(data)
    elif kind.startswith("audio/"):
        got.sounds.append(data)
    else:
        got.documents.append(("", data))


PROVIDER = Provider(
    wire="gemini",
    base="/v1beta",
    content_type="text/event-stream",
    scripts=SCRIPTS,
    begun=_events(_event({"text": script.FIRST})),
    failed=_events(_error(503, "UNAVAILABLE", "The model is overloaded."))[0],
    errors=ERRORS,
    read=read,
)
