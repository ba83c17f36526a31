"""One message of the vendor's -> ours."""

from __future__ import annotations

from typing import Any

import msgspec

from headrace.core.message import (
    FilePart,
    ImagePart,
    Message,
    OpaquePart,
    Part,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from headrace.core.opaque import Opaque
from headrace.errors import RequestError
from headrace.wire.anthropic.body import (
    DocumentBody,
    ImageBody,
    MessageBody,
    SearchResultBody,
    Source,
    TextBody,
    ThinkingBody,
    ToolResultBody,
    ToolUseBody,
)
from headrace.wire.anthropic.schema import WIRE_NAME
from headrace.wire.carried import carried
from headrace.wire.reading import base64_bytes, read_fields

Fields = dict[str, Any]
Content = TextPart | ImagePart | FilePart


def messages_from(body: MessageBody, field: str) -> list[Message]:
    """The turn at `field` (such as "messages.0"): tool results are a turn of their own, before the rest."""
    if isinstance(body.content, str):
        return [_said(body.role, (TextPart(body.content),))]
    parts = _parts(body.content, f"{field}.content")
    results = tuple(part for part in parts if isinstance(part, ToolResultPart))
    rest = tuple(part for part in parts if not isinstance(part, ToolResultPart))
    turns = [Message("tool", results)] if results else []
    if rest or not results:
        turns.append(_said(body.role, rest))
    return turns


def _parts(blocks: list[Fields], field: str) -> list[Part]:
    """The parts of a turn; what was put there for another vendor goes with the call that it stands before."""
    parts: list[Part] = []
    needed: Opaque | None = None
    for at, block in enumerate(blocks):
        found = carried(block.get("data"), WIRE_NAME) if block.get("type") == "redacted_thinking" else None
        if found is not None and found.call:
            needed = found.vendor
            continue
        part = _part(block, f"{field}.{at}")
        if needed is not None and isinstance(part, ToolCallPart):
            part, needed = msgspec.structs.replace(part, vendor=needed), None
        parts.append(part)
    return parts


def _said(role: Any, parts: tuple[Part, ...]) -> Message:
    # Where in the conversation a system message stands is the caller's choice.
    vendor = Opaque(WIRE_NAME, {"in_place": True}) if role == "system" else None
    return Message(role, parts, vendor=vendor)


def text_parts(content: str | list[Any], raw: Any) -> tuple[TextPart, ...]:
    """A system prompt: a text, or text blocks; raw: the same as plain data."""
    if isinstance(content, str):
        return (TextPart(content),) if content else ()
    return tuple(TextPart(one.text, _extra(block, TextBody)) for one, block in zip(content, raw, strict=True))


def _part(block: Fields, field: str) -> Part:
    kind = block.get("type")
    match kind:
        case "thinking":
            thought = read_fields(block, ThinkingBody, field)
            foreign = carried(block.get("signature"), WIRE_NAME)
            if foreign is not None:
                return ReasoningPart(thought.thinking, foreign.vendor)
            vendor = {name: block[name] for name in block if name not in ("type", "thinking")}
            return ReasoningPart(thought.thinking, Opaque(WIRE_NAME, vendor) if vendor else None)
        case "redacted_thinking":
            return ReasoningPart(vendor=Opaque(WIRE_NAME, block))
        case "tool_use":
            call = read_fields(block, ToolUseBody, field)
            arguments = msgspec.json.encode(call.input).decode()
            return ToolCallPart(call.id, call.name, arguments, _extra(block, ToolUseBody))
        case "tool_result":
            return _result(block, field)
        case _:
            return _content(block, field) or OpaquePart(Opaque(WIRE_NAME, block))


def _content(block: Fields, field: str) -> Content | None:
    """A block of what people and tools say; None for one that is kept opaque."""
    kind = block.get("type")
    if not isinstance(kind, str) or not kind:
        raise RequestError(f"{field}.type: is missing", field=f"{field}.type")
    match kind:
        case "text":
            return TextPart(read_fields(block, TextBody, field).text, _extra(block, TextBody))
        case "image":
            return _image(block, field)
        case "document":
            return _document(block, field)
        case "search_result":
            found = read_fields(block, SearchResultBody, field)
            said = "\n".join([found.title, found.source, *(one.text for one in found.content)])
            return TextPart(said, Opaque(WIRE_NAME, block))
        case "container_upload":
            return FilePart(file_id=str(block.get("file_id") or ""), vendor=Opaque(WIRE_NAME, block))
    return None


def _image(block: Fields, field: str) -> ImagePart:
    source = read_fields(block, ImageBody, field).source
    match source.type:
        case "base64":
            data = base64_bytes(source.data, f"{field}.source.data")
            return ImagePart("", data, source.media_type, vendor=_extra(block, ImageBody))
        case "url":
            return ImagePart(source.url, vendor=_extra(block, ImageBody))
    # A file of the vendor's: nobody else can open it.
    return ImagePart(vendor=Opaque(WIRE_NAME, {name: block[name] for name in block if name != "type"}))


def _document(block: Fields, field: str) -> FilePart | TextPart:
    body = read_fields(block, DocumentBody, field)
    source, vendor, name = body.source, _extra(block, DocumentBody), body.title or ""
    match source.type:
        case "base64":
            data = base64_bytes(source.data, f"{field}.source.data")
            return FilePart(data, name=name, media_type=source.media_type, vendor=vendor)
        case "text":
            return FilePart(source.data.encode(), name=name, media_type="text/plain", vendor=vendor)
        case "url":
            return FilePart(url=source.url, name=name, vendor=vendor)
        case "file":
            return FilePart(file_id=source.file_id, name=name, vendor=vendor)
    return TextPart(_text_of(source), Opaque(WIRE_NAME, block))


def _text_of(source: Source) -> str:
    content = source.content or ""
    if isinstance(content, str):
        return content
    return "\n".join(one["text"] for one in content if isinstance(one.get("text"), str))


def _result(block: Fields, field: str) -> ToolResultPart:
    body = read_fields(block, ToolResultBody, field)
    content = body.content or ()
    parts: tuple[Content, ...]
    if isinstance(content, str):
        parts = (TextPart(content),)
    else:
        parts = tuple(
            _content(one, f"{field}.content.{at}") or TextPart("", Opaque(WIRE_NAME, one))
            for at, one in enumerate(content)
        )
    return ToolResultPart(body.tool_use_id, parts, bool(body.is_error), _extra(block, ToolResultBody))


def _extra(block: Fields, kind: type[msgspec.Struct]) -> Opaque | None:
    known = kind.__struct_fields__
    extra = {name: value for name, value in block.items() if name != "type" and name not in known}
    return Opaque(WIRE_NAME, extra) if extra else None
