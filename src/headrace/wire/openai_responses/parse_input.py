"""The vendor's input items -> our messages."""

from __future__ import annotations

from typing import Any

import msgspec

from headrace.core.excerpt import excerpt
from headrace.core.message import (
    AudioPart,
    FilePart,
    ImagePart,
    Message,
    OpaquePart,
    Part,
    ReasoningPart,
    RefusalPart,
    Role,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from headrace.core.opaque import Opaque
from headrace.errors import RequestError
from headrace.wire.carried import carried
from headrace.wire.data_url import opened
from headrace.wire.kept import only_here, warn
from headrace.wire.openai_responses.schema import WIRE_NAME
from headrace.wire.reading import base64_bytes, quoted

Fields = dict[str, Any]
_ROLES: dict[str, Role] = {
    "user": "user",
    "assistant": "assistant",
    "system": "system",
    "developer": "developer",
}
_LISTED = ("input_text", "output_text", "text", "refusal", "input_image", "input_audio", "input_file")


def messages_from(items: list[Fields], warnings: list[str]) -> list[Message]:
    """The items as turns: what the model gave between two others' is one turn of its own."""
    turns = Turns(warnings)
    for place, item in enumerate(items):
        turns.add(item, f"input.{place}")
    return turns.finish()


class Turns:
    """Gathers the model's items into one message; items that we do not model are opaque parts of it."""

    def __init__(self, warnings: list[str]) -> None:
        self._warnings = warnings
        self._messages: list[Message] = []
        self._parts: list[Part] = []
        self._own: Fields = {}  # what is kept of the turn being gathered
        self._needed: Opaque | None = None  # what the next call's vendor needs back
        self._spoke = False

    def finish(self) -> list[Message]:
        self._end()
        return self._messages

    def add(self, item: Fields, field: str) -> None:
        match item.get("type", "message"):
            case "message":
                self._message(item, field)
            case "reasoning":
                self._reasoning(item, field)
            case "function_call" | "custom_tool_call" as kind:
                call, needed, self._needed = _call(item, kind, field), self._needed, None
                self._take(call if needed is None else msgspec.structs.replace(call, vendor=needed))
                self._spoke = True
            case "function_call_output" | "custom_tool_call_output":
                self._end()
                self._put("tool", (_result(item, field),), {})
            case kind:
                if self._spoke:
                    self._end()
                self._take(OpaquePart(Opaque(WIRE_NAME, {"item": item})))
                warn(self._warnings, only_here(f"{field}: a {excerpt(str(kind))} item"))

    def _reasoning(self, item: Fields, field: str) -> None:
        found = carried(item.get("encrypted_content"), WIRE_NAME)
        if found is not None and found.call:
            self._needed = found.vendor
            return
        if self._spoke:
            self._end()
        self._take(*reasoning_parts(item, field))

    def _message(self, item: Fields, field: str) -> None:
        given = item.get("role")
        role = _ROLES.get(given) if isinstance(given, str) else None
        if role is None:
            raise RequestError(
                f"{field}.role: must be one of {', '.join(_ROLES)} (it is {quoted(given)})",
                field=f"{field}.role",
                value=given,
            )
        parts = content_parts(item.get("content"), f"{field}.content")
        kept = {name: value for name, value in item.items() if name not in ("type", "role", "content")}
        if role != "assistant":
            self._end()
            self._put(role, parts, {"item": kept})
            return
        if self._spoke:
            self._end()
        self._take(*parts)
        self._own = {"item": kept} if kept else {}
        self._spoke = True

    def _take(self, *parts: Part) -> None:
        self._parts += parts

    def _end(self) -> None:
        if self._parts:
            parts, self._parts = tuple(self._parts), []
            self._put("assistant", parts, self._own)
        self._own = {}
        self._spoke = False

    def _put(self, role: Role, parts: tuple[Part, ...], data: Fields) -> None:
        self._messages.append(Message(role, parts, vendor=Opaque(WIRE_NAME, data)))


def reasoning_parts(item: Fields, field: str) -> tuple[Part, ...]:
    """Reasoning of an earlier turn: a part for each text, the last one with the item, or what it carries."""
    texts: list[str] = []
    for name in ("summary", "content"):
        parts = item.get(name) or ()
        if not isinstance(parts, list | tuple):
            raise RequestError(f"{field}.{name}: must be a list", field=f"{field}.{name}", value=parts)
        for place, part in enumerate(parts):
            if not isinstance(part, dict) or not isinstance(part.get("text"), str):
                raise RequestError(f"{field}.{name}.{place}: has no text", field=f"{field}.{name}.{place}")
            texts.append(part["text"])
    foreign = carried(item.get("encrypted_content"), WIRE_NAME)
    if foreign is not None:
        return (ReasoningPart("".join(texts), foreign.vendor),)
    last = Opaque(WIRE_NAME, {"item": item})
    *first, end = texts or [""]
    return (*(ReasoningPart(text, Opaque(WIRE_NAME, {})) for text in first), ReasoningPart(end, last))


def _call(item: Fields, kind: str, field: str) -> ToolCallPart:
    id, name = text_of(item, "call_id", field), text_of(item, "name", field)
    kept = Opaque(WIRE_NAME, {"item": item})
    if kind == "custom_tool_call":
        wrapped = {"input": text_of(item, "input", field)}  # a function's arguments, for other protocols
        return ToolCallPart(id, name, msgspec.json.encode(wrapped).decode(), kept)
    return ToolCallPart(id, name, text_of(item, "arguments", field), kept)


def _result(item: Fields, field: str) -> ToolResultPart:
    output = item.get("output")
    parts = content_parts(output, f"{field}.output")
    held = tuple(part for part in parts if isinstance(part, TextPart | ImagePart | AudioPart | FilePart))
    kept = {name: value for name, value in item.items() if name not in ("call_id", "output")}
    return ToolResultPart(text_of(item, "call_id", field), held, vendor=Opaque(WIRE_NAME, {"item": kept}))


def content_parts(content: Any, field: str) -> tuple[Part, ...]:
    """A message's content: text, or a list of parts."""
    if isinstance(content, str):
        return (TextPart(content),)
    if not isinstance(content, list):
        raise RequestError(f"{field}: must be text or a list of parts", field=field, value=content)
    return tuple(_part(part, f"{field}.{place}") for place, part in enumerate(content))


def _part(part: Any, field: str) -> Part:
    kind = part.get("type") if isinstance(part, dict) else None
    match kind:
        case "input_text" | "output_text" | "text":
            return TextPart(text_of(part, "text", field), _rest(part, "text"))
        case "refusal":
            return RefusalPart(text_of(part, "refusal", field), _rest(part, "refusal"))
        case "input_image":
            url, data, media_type = opened(_text(part.get("image_url")), f"{field}.image_url")
            kept = _rest(part, "image_url", "detail")
            if not url and not data and not part.get("file_id"):
                raise RequestError(f"{field}.image_url: is missing", field=f"{field}.image_url")
            return ImagePart(url, data, media_type, _text(part.get("detail")), kept)
        case "input_audio":
            return _sound(part, field)
        case "input_file":
            return _file(part, field)
    raise RequestError(
        f"{field}.type: must be one of {', '.join(_LISTED)} (it is {quoted(kind)})",
        field=f"{field}.type",
        value=kind,
    )


def _sound(part: Fields, field: str) -> AudioPart:
    sound = part.get("input_audio")
    if not isinstance(sound, dict):
        raise RequestError(f"{field}.input_audio: is missing", field=f"{field}.input_audio")
    data = base64_bytes(text_of(sound, "data", f"{field}.input_audio"), f"{field}.input_audio.data")
    return AudioPart(data, format=_text(sound.get("format")), vendor=_rest(part, "input_audio"))


def _file(part: Fields, field: str) -> FilePart:
    url, data, media_type = opened(_text(part.get("file_data")), f"{field}.file_data")
    return FilePart(
        data,
        _text(part.get("file_url")) or url,
        _text(part.get("file_id")),
        _text(part.get("filename")),
        media_type,
        _rest(part, "file_data", "file_url", "file_id", "filename"),
    )


def _rest(part: Fields, *known: str) -> Opaque | None:
    kept = {name: value for name, value in part.items() if name != "type" and name not in known and value}
    return Opaque(WIRE_NAME, kept) if kept else None


def text_of(item: Fields, name: str, field: str) -> str:
    """A text that must be there. Raises RequestError that names it."""
    value = item.get(name)
    if not isinstance(value, str):
        why = "is missing" if value is None else f"must be text (it is {quoted(value)})"
        raise RequestError(f"{field}.{name}: {why}", field=f"{field}.{name}", value=value)
    return value


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
