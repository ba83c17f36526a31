"""One message of the vendor's -> ours."""

from __future__ import annotations

from typing import Any

import msgspec

from headrace.core.message import (
    AudioPart,
    FilePart,
    ImagePart,
    Message,
    OpaquePart,
    Part,
    ReasoningPart,
    Role,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from headrace.core.opaque import Opaque
from headrace.errors import RequestError
from headrace.wire.bedrock.body import (
    KNOWN_CONTENT,
    CitedBody,
    DocumentBody,
    MediaBody,
    MessageBody,
    ReasoningBody,
    SourceBody,
    ToolResultBody,
    ToolUseBody,
)
from headrace.wire.bedrock.media import DOCUMENTS, FILMS
from headrace.wire.bedrock.schema import WIRE_NAME, Fields, opaque
from headrace.wire.kept import left_over
from headrace.wire.reading import base64_bytes, quoted, read_fields

ResultPart = TextPart | ImagePart | AudioPart | FilePart


def messages_from(body: MessageBody, field: str) -> list[Message]:
    """The turn at `field` (such as "messages.0"): runs of tool results are turns of their own."""
    turns: list[Message] = []
    run: list[Part] = []
    for place, block in enumerate(body.content):
        one = part(block, f"{field}.content.{place}")
        if run and isinstance(one, ToolResultPart) != isinstance(run[-1], ToolResultPart):
            turns.append(_turn(body.role, run))
            run = []
        run.append(one)
    return [*turns, _turn(body.role, run)]


def _turn(role: Role, parts: list[Part]) -> Message:
    if parts and isinstance(parts[0], ToolResultPart):
        return Message("tool", tuple(parts))
    # Where in the conversation a system message stands is the caller's choice.
    vendor = Opaque(WIRE_NAME, {"in_place": True}) if role == "system" else None
    return Message(role, tuple(parts), vendor=vendor)


def part(block: Fields, field: str) -> Part:
    """A content block as one of our parts; one that is not modelled is kept opaque."""
    if not block:
        raise RequestError(f"{field}: a block must say what it is", field=field, value=block)
    name = next((name for name in KNOWN_CONTENT if name in block), "")
    body, at = block.get(name), f"{field}.{name}"
    beside = left_over(block, KNOWN_CONTENT)
    match name:
        case "toolUse":
            call = read_fields(body, ToolUseBody, at)
            arguments = msgspec.json.encode(call.input).decode()
            return ToolCallPart(call.tool_use_id, call.name, arguments, _beside(beside))
        case "toolResult":
            return _result(body, at, beside)
        case "reasoningContent":
            return _reasoning(body, at, beside)
        case _:
            return _said(block, name, field) or OpaquePart(Opaque(WIRE_NAME, block))


def _said(block: Fields, name: str, field: str) -> ResultPart | None:
    """A block of what people and tools say; None for one that is not modelled."""
    body, at = block.get(name), f"{field}.{name}"
    beside = _beside(left_over(block, KNOWN_CONTENT))
    match name:
        case "text":
            return TextPart(read_fields(body, str, at), beside)
        case "image":
            media = read_fields(body, MediaBody, at)
            data, url = _source(media.source, at)
            return ImagePart(url, data, f"image/{media.format}", vendor=beside)
        case "audio":
            media = read_fields(body, MediaBody, at)
            data, url = _source(media.source, at)
            return AudioPart(data, url, "pcm16" if media.format == "pcm" else media.format, beside)
        case "video":
            media = read_fields(body, MediaBody, at)
            data, url = _source(media.source, at)
            kind = FILMS.get(media.format, f"video/{media.format}")
            return FilePart(data, url, media_type=kind, vendor=beside)
        case "document":
            return _document(block, at)
        case "citationsContent":
            cited = read_fields(body, CitedBody, at)
            return TextPart("".join(one.text for one in cited.content), _whole(block))
    return None


def _document(block: Fields, field: str) -> FilePart:
    body = read_fields(block["document"], DocumentBody, field)
    kind = DOCUMENTS.get(body.format or "txt", f"application/{body.format}")
    texts = [body.source.text] if body.source.text is not None else None
    if body.source.content is not None:
        texts = [one.text for one in body.source.content]
    if texts is not None:
        return FilePart("\n".join(texts).encode(), "", "", body.name, kind, _whole(block))
    data, url = _source(body.source, field)
    return FilePart(data, url, "", body.name, kind, _beside(left_over(block, KNOWN_CONTENT)))


def _source(source: SourceBody, field: str) -> tuple[bytes, str]:
    """(the bytes, or the address) of a medium."""
    if source.bytes is not None:
        return base64_bytes(source.bytes, f"{field}.source.bytes"), ""
    if source.s3_location is not None:
        return b"", source.s3_location.uri
    at = f"{field}.source"
    raise RequestError(f"{at}: must hold bytes or s3Location", field=at)


def _reasoning(data: Any, field: str, beside: Fields) -> ReasoningPart:
    body = read_fields(data, ReasoningBody, field)
    said = body.reasoning_text
    own: Fields = {"beside": beside} if beside else {}
    if said is not None and said.signature is not None:
        own["signature"] = said.signature
    if body.redacted_content is not None:
        own["redactedContent"] = body.redacted_content
    # Always its own, also without a signature: the caller knows what the model takes.
    return ReasoningPart(said.text if said is not None else "", Opaque(WIRE_NAME, own))


def _result(data: Any, field: str, beside: Fields) -> ToolResultPart:
    body = read_fields(data, ToolResultBody, field)
    parts = tuple(_answered(one, f"{field}.content.{place}") for place, one in enumerate(body.content))
    return ToolResultPart(body.tool_use_id, parts, body.status == "error", _beside(beside))


def _answered(block: Fields, field: str) -> ResultPart:
    if "json" in block:
        return TextPart(msgspec.json.encode(block["json"]).decode(), _whole(block))
    name = next((name for name in KNOWN_CONTENT if name in block), "")
    if name in ("toolUse", "toolResult", "reasoningContent"):
        raise RequestError(f"{field}: a tool's result holds no {quoted(name)}", field=field, value=block)
    return _said(block, name, field) or TextPart("", _whole(block))


def _beside(beside: Fields) -> Opaque | None:
    return opaque({"beside": beside} if beside else {})


def _whole(block: Fields) -> Opaque:
    return Opaque(WIRE_NAME, {"block": block})
