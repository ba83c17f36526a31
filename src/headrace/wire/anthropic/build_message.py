"""Our messages -> the vendor's: the system prompt apart, tool results inside user turns."""

from __future__ import annotations

import re
from collections.abc import Iterable

from headrace.core.message import (
    AudioPart,
    FilePart,
    ImagePart,
    Message,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from headrace.wire.anthropic.block_bodies import Fields, own
from headrace.wire.anthropic.media import document, image
from headrace.wire.anthropic.schema import WIRE_NAME
from headrace.wire.arguments import tool_input
from headrace.wire.kept import understood, warn

Content = str | list[Fields]

_NO_SIGNATURE = "reasoning of earlier turns was left out: this protocol takes its own, signed, only"
_MOVED = "system messages within the conversation were moved to its beginning"
_ID = re.compile(r"[^a-zA-Z0-9_-]")


def conversation(messages: Iterable[Message], warnings: list[str]) -> tuple[Content, list[Fields]]:
    """(system, messages). What has no place is a warning, once."""
    system: list[Fields] = []
    bodies: list[Fields] = []
    results = False  # whether the last body is a turn of tool results, which what the user says next joins
    for message in understood(messages, WIRE_NAME, warnings):
        if message.name:
            warn(warnings, "names of speakers were left out: this protocol has no field for them")
        blocks = _blocks(message.parts, warnings)
        if message.role in ("system", "developer") and not own(message.vendor).get("in_place"):
            if bodies and blocks:
                warn(warnings, _MOVED)
            system += blocks
            continue
        role = {"assistant": "assistant", "system": "system"}.get(message.role, "user")
        if results and role == "user":
            bodies[-1]["content"] += blocks
        elif blocks:
            bodies.append({"role": role, "content": blocks})
            results = False
        results = results or (role == "user" and any(block["type"] == "tool_result" for block in blocks))
    for body in bodies:
        if body["role"] == "user":  # the vendor wants results before anything else
            body["content"].sort(key=lambda block: block["type"] != "tool_result")
        body["content"] = _plain(body["content"])
    return _plain(system), bodies


def _plain(blocks: list[Fields]) -> Content:
    """As a text where that says it all."""
    if len(blocks) == 1 and set(blocks[0]) == {"type", "text"}:
        text: str = blocks[0]["text"]
        return text
    return blocks


def _blocks(parts: Iterable[Part], warnings: list[str]) -> list[Fields]:
    return [block for part in parts if (block := _block(part, warnings)) is not None]


def _block(part: Part, warnings: list[str]) -> Fields | None:
    extra = own(part.vendor)
    if "type" in extra and not isinstance(part, FilePart | ImagePart):
        return extra  # a block that is not modelled, whole
    match part:
        case TextPart() | RefusalPart():
            return {"type": "text", "text": part.text, **extra} if part.text or extra else None
        case ReasoningPart():
            if extra.get("signature"):
                return {"type": "thinking", "thinking": part.text, **extra}
            warn(warnings, _NO_SIGNATURE)
            return None
        case ToolCallPart():
            return _call(part, extra)
        case ToolResultPart():
            return _result(part, extra, warnings)
        case ImagePart():
            return image(part, extra, warnings)
        case FilePart():
            return document(part, extra, warnings)
        case AudioPart():
            warn(warnings, "sound was left out: this protocol does not take it")
    return None


def _call(part: ToolCallPart, extra: Fields) -> Fields:
    given = {name: extra[name] for name in extra if name != "input"}
    return {
        "type": "tool_use",
        "id": _ID.sub("_", part.id),
        "name": part.name,
        "input": tool_input(part.arguments),
        **given,
    }


def _result(part: ToolResultPart, extra: Fields, warnings: list[str]) -> Fields:
    body: Fields = {"type": "tool_result", "tool_use_id": _ID.sub("_", part.id), **extra}
    content = _plain(_blocks(part.parts, warnings))
    if content:
        body["content"] = content
    if part.is_error:
        body["is_error"] = True
    return body
