"""Our messages -> the vendor's."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping
from typing import Any

from headrace.core.message import (
    AudioPart,
    FilePart,
    ImagePart,
    Message,
    OpaquePart,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from headrace.wire.data_url import data_url
from headrace.wire.kept import understood, warn
from headrace.wire.openai_chat.delta_bodies import call_body
from headrace.wire.openai_chat.schema import WIRE_NAME, own

Fields = dict[str, Any]


def message_bodies(
    messages: Iterable[Message], quirks: Mapping[str, Any], warnings: list[str]
) -> list[Fields]:
    """The vendor's messages; each tool result is one of its own. What has no place is a warning, once."""
    bodies: list[Fields] = []
    for message in understood(messages, WIRE_NAME, warnings):
        results = [part for part in message.parts if isinstance(part, ToolResultPart)]
        rest: list[Part] = [part for part in message.parts if not isinstance(part, ToolResultPart)]
        bodies += [_result(part, message, warnings) for part in results]
        if rest or not results:
            bodies.append(_message(message, rest, quirks, warnings))
    return bodies


def _message(message: Message, parts: list[Part], quirks: Mapping[str, Any], warnings: list[str]) -> Fields:
    role = message.role
    if role == "developer" and quirks.get("no_developer_role"):
        role = "system"
    body: Fields = {"role": role}
    calls = [part for part in parts if isinstance(part, ToolCallPart)]
    content = _content(parts, warnings)
    if content is not None or not calls:
        body["content"] = "" if content is None else content
    else:
        body["content"] = None
    if message.name:
        body["name"] = message.name
    _reasoning(parts, quirks, body, warnings)
    _calls(calls, body)
    body.update({name: value for name, value in own(message.vendor).items() if name not in body})
    return body


def _content(parts: list[Part], warnings: list[str]) -> str | list[Any] | None:
    """Plain text where that says it all, else a list of parts, None where there is nothing."""
    bodies: list[Fields] = []
    for part in parts:
        if isinstance(part, ReasoningPart | ToolCallPart | ToolResultPart | OpaquePart):
            continue
        body = _part(part, warnings)
        if body is not None:
            bodies.append({**own(part.vendor), **body})
    if not bodies:
        return None
    if len(bodies) == 1 and set(bodies[0]) == {"type", "text"}:
        text: str = bodies[0]["text"]
        return text
    return bodies


def _part(
    part: TextPart | ImagePart | AudioPart | FilePart | RefusalPart, warnings: list[str]
) -> Fields | None:
    match part:
        case TextPart():
            return {"type": "text", "text": part.text}
        case ImagePart():
            link: Fields = {"url": part.url or data_url(part.data, part.media_type or "image/png")}
            if part.detail:
                link["detail"] = part.detail
            return {"type": "image_url", "image_url": link}
        case AudioPart():
            if part.data:
                sound = {"data": b64encode(part.data).decode(), "format": part.format or "wav"}
                return {"type": "input_audio", "input_audio": sound}
            warn(warnings, "sound by URL was left out: this protocol takes sound as data only")
            return None
        case FilePart():
            return _file(part, warnings)
        case RefusalPart():
            return {"type": "refusal", "refusal": part.text}


def _file(part: FilePart, warnings: list[str]) -> Fields | None:
    file: Fields = {}
    if part.file_id:
        file["file_id"] = part.file_id
    elif part.data:
        file["file_data"] = data_url(part.data, part.media_type or "application/octet-stream")
    else:
        warn(warnings, "a file by URL was left out: this protocol takes files as data or by id")
        return None
    if part.name:
        file["filename"] = part.name
    return {"type": "file", "file": file}


def _reasoning(parts: list[Part], quirks: Mapping[str, Any], body: Fields, warnings: list[str]) -> None:
    said = [part for part in parts if isinstance(part, ReasoningPart)]
    if not said:
        return
    given = next((kept["field"] for part in said if "field" in (kept := own(part.vendor))), None)
    field = quirks.get("reasoning_field") or given
    if field:
        body[field] = "".join(part.text for part in said)
    else:
        warn(warnings, "reasoning of earlier turns was left out: this provider has no field for it")


def _calls(calls: list[ToolCallPart], body: Fields) -> None:
    bodies: list[Fields] = []
    for place, call in enumerate(calls):
        kept = own(call.vendor)
        if kept.get("field") == "function_call":
            body["function_call"] = {"name": call.name, "arguments": call.arguments}
        else:
            bodies.append(call_body(call.id or f"call_{place}", call.name, call.arguments, kept))
    if bodies:
        body["tool_calls"] = bodies


def _result(part: ToolResultPart, message: Message, warnings: list[str]) -> Fields:
    kept = own(part.vendor)
    content = _content(list(part.parts), warnings)
    if part.is_error:
        warn(warnings, "that a tool failed is said in its text only: this protocol has no field for it")
    if kept.get("role") == "function":
        return {"role": "function", "name": part.id, "content": content or ""}
    extra = {name: value for name, value in own(message.vendor).items() if name != "role"}
    return {"role": "tool", "tool_call_id": part.id, "content": "" if content is None else content, **extra}
