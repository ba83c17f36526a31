"""The bodies that endpoints take, as JSON schemas: what they must have, and a little of what they may."""

from __future__ import annotations

from typing import Any

_TEXT: dict[str, Any] = {"type": "string"}
_FLAG: dict[str, Any] = {"type": "boolean"}
_MODEL: dict[str, Any] = {"type": "string", "examples": ["sim/echo", "openai/gpt-4o-mini"]}
_COUNT: dict[str, Any] = {"type": "integer", "minimum": 1}


def _object(*required: str, **properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required)}


def _list(of: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": of, "minItems": 1}


def _one_of(*values: str) -> dict[str, Any]:
    return {"type": "string", "enum": list(values)}


_SAID = _object("role", "content", role=_one_of("user", "assistant", "system"), content=_TEXT)
_TOLD = _object("role", "content", role=_one_of("user", "assistant"), content=_TEXT)
_PARTS = _list(_object("text", text=_TEXT))
_TURN = _object("parts", role=_one_of("user", "model"), parts=_PARTS)
_PAGE_PART = _object("type", "text", type=_one_of("text"), text=_TEXT)
_PAGE_MESSAGE = _object("role", "parts", id=_TEXT, role=_one_of("user", "assistant"), parts=_list(_PAGE_PART))

BODIES: dict[str, dict[str, Any]] = {
    "chat": _object(
        "model",
        "messages",
        model=_MODEL,
        messages=_list(_SAID),
        stream=_FLAG,
        max_tokens=_COUNT,
        temperature={"type": "number", "minimum": 0, "maximum": 2},
    ),
    "completion": _object("model", "prompt", model=_MODEL, prompt=_TEXT, stream=_FLAG, max_tokens=_COUNT),
    "response": _object("model", "input", model=_MODEL, input=_TEXT, stream=_FLAG, background=_FLAG),
    "messages": _object(
        "model",
        "messages",
        "max_tokens",
        model=_MODEL,
        messages=_list(_TOLD),
        max_tokens=_COUNT,
        stream=_FLAG,
    ),
    "gemini": _object("contents", contents=_list(_TURN)),
    "tgi": _object("inputs", inputs=_TEXT, stream=_FLAG),
    "ui": _object("messages", id=_TEXT, model=_MODEL, messages=_list(_PAGE_MESSAGE)),
    "model": _object("model", model=_MODEL),
    "speech": _object("model", "input", "voice", model=_MODEL, input=_TEXT, voice=_TEXT),
    "sound": _object(
        "model", "file", model=_MODEL, file={"type": "string", "format": "binary"}, stream=_FLAG
    ),
}
