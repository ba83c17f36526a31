"""One message of the vendor's -> ours."""

from __future__ import annotations

from typing import Any

import msgspec

from headrace.core.message import (
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
from headrace.wire.cohere.body import (
    KNOWN_CALL,
    KNOWN_CONTENT,
    KNOWN_MESSAGE,
    DocumentBody,
    ImageBody,
    MessageBody,
    TextBody,
    ThinkingBody,
)
from headrace.wire.cohere.schema import PLAN, WIRE_NAME, Fields, opaque
from headrace.wire.data_url import opened
from headrace.wire.kept import left_over
from headrace.wire.reading import read_fields


def message_from(body: MessageBody, raw: Fields, field: str) -> Message:
    """The message at `field` (such as "messages.0"); raw: the same as plain data, for what we do not know."""
    content: list[Any] = [body.content] if isinstance(body.content, str) else body.content or []
    beside = opaque(left_over(raw, KNOWN_MESSAGE))
    if body.role == "tool":
        if not body.tool_call_id:
            raise RequestError(f"{field}.tool_call_id: is missing", field=f"{field}.tool_call_id")
        parts = tuple(_answered(one, f"{field}.content.{at}") for at, one in enumerate(content))
        own = opaque({"beside": beside.data} if beside is not None else {})
        return Message("tool", (ToolResultPart(body.tool_call_id, parts, vendor=own),))
    said = [_part(one, f"{field}.content.{at}") for at, one in enumerate(content)]
    if not said and body.role != "assistant":
        raise RequestError(f"{field}.content: is missing", field=f"{field}.content")
    if body.citations:
        _cite(said, body.citations)
    return Message(body.role, (*said, *_plan(body), *_calls(body, raw)), vendor=beside)


def _part(block: str | Fields, field: str) -> Part:
    if isinstance(block, str):
        return TextPart(block)
    kind = block.get("type")
    if not isinstance(kind, str) or not kind:
        raise RequestError(f"{field}.type: is missing", field=f"{field}.type")
    beside = _beside(block, kind)
    match kind:
        case "text":
            return TextPart(read_fields(block, TextBody, field).text, beside)
        case "thinking":
            return ReasoningPart(read_fields(block, ThinkingBody, field).thinking, beside)
        case "image_url":
            link = read_fields(block, ImageBody, field).image_url
            url, data, media_type = opened(link.url, f"{field}.image_url.url")
            return ImagePart(url, data, media_type, link.detail or "", beside)
    return OpaquePart(Opaque(WIRE_NAME, {"content": block}))


def _answered(block: str | Fields, field: str) -> TextPart:
    """A piece of what a tool answered; a document as the JSON of what it holds."""
    if not isinstance(block, str) and block.get("type") == "document":
        data = read_fields(block, DocumentBody, field).document.data
        return TextPart(msgspec.json.encode(data).decode(), Opaque(WIRE_NAME, {"block": block}))
    part = _part(block, field)
    return part if isinstance(part, TextPart) else TextPart("", Opaque(WIRE_NAME, {"block": block}))


def _cite(parts: list[Part], citations: list[Fields]) -> None:
    """Keep a message's citations with its last text."""
    for place in reversed(range(len(parts))):
        part = parts[place]
        if isinstance(part, TextPart):
            kept: dict[str, Any] = part.vendor.data if part.vendor is not None else {}
            parts[place] = TextPart(part.text, Opaque(WIRE_NAME, {**kept, "citations": citations}))
            return


def _plan(body: MessageBody) -> list[Part]:
    return [ReasoningPart(body.tool_plan, Opaque(WIRE_NAME, {PLAN: True}))] if body.tool_plan else []


def _calls(body: MessageBody, raw: Fields) -> list[Part]:
    calls: list[Part] = []
    for call, data in zip(body.tool_calls or (), raw.get("tool_calls") or (), strict=True):
        beside = left_over(data, KNOWN_CALL)
        own = opaque({"beside": beside} if beside else {})
        calls.append(ToolCallPart(call.id, call.function.name, call.function.arguments, own))
    return calls


def _beside(block: Fields, kind: str) -> Opaque | None:
    left = left_over(block, KNOWN_CONTENT.get(kind, {}))
    return opaque({"beside": left} if left else {})
