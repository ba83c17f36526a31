"""One message of a page -> ours. Sources, data of the page's and parts still being written say nothing."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from headrace.core.message import (
    AudioPart,
    FilePart,
    ImagePart,
    Message,
    Part,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from headrace.core.opaque import Opaque
from headrace.errors import RequestError
from headrace.wire.reading import base64_bytes

Fields = dict[str, Any]
_TOOL = "tool-"


def messages_from(
    role: Literal["system", "user", "assistant"], parts: list[Fields], field: str
) -> list[Message]:
    """The turns that a message holds: results of tools end one. field: the parts' place in the body."""
    turns: list[Message] = []
    said: list[Part] = []
    results: list[ToolResultPart] = []
    for at, part in enumerate(parts):
        kind = _text(part, "type", f"{field}.{at}")
        if kind == "step-start":
            _flush(role, said, results, turns)
        elif kind.startswith(_TOOL) or kind == "dynamic-tool":
            _tool(part, kind, f"{field}.{at}", said, results)
        else:
            found = _part(part, kind, f"{field}.{at}")
            if found is not None:
                said.append(found)
    _flush(role, said, results, turns)
    return turns


def _flush(
    role: Literal["system", "user", "assistant"],
    said: list[Part],
    results: list[ToolResultPart],
    turns: list[Message],
) -> None:
    if said:
        turns.append(Message(role, tuple(said)))
    if results:
        turns.append(Message("tool", tuple(results)))
    said.clear()
    results.clear()


def _part(part: Fields, kind: str, field: str) -> Part | None:
    match kind:
        case "text":
            return TextPart(_text(part, "text", field), _vendor(part, "providerMetadata"))
        case "reasoning":
            return ReasoningPart(_text(part, "text", field), _vendor(part, "providerMetadata"))
        case "file":
            return _file(part, field)
    return None


def _file(part: Fields, field: str) -> Part:
    media_type = _text(part, "mediaType", field)
    url = _text(part, "url", field)
    vendor = _vendor(part, "providerMetadata")
    data = b""
    if url.startswith("data:"):
        head, comma, encoded = url.partition(",")
        if not comma or not head.endswith(";base64"):
            raise RequestError(f"{field}.url: a data: URL must be in base64", field=f"{field}.url")
        data, url = base64_bytes(encoded, f"{field}.url"), ""
    family, _, subtype = media_type.partition("/")
    if family == "image":
        return ImagePart(url, data, media_type if subtype else "", vendor=vendor)
    if family == "audio":
        return AudioPart(data, url, subtype, vendor)
    name = part.get("filename")
    return FilePart(
        data, url, name=name if isinstance(name, str) else "", media_type=media_type, vendor=vendor
    )


def _tool(part: Fields, kind: str, field: str, said: list[Part], results: list[ToolResultPart]) -> None:
    """A call, and its result where there is one. A call still being written is no call yet."""
    state = _text(part, "state", field)
    if state == "input-streaming":
        return
    id = _text(part, "toolCallId", field)
    name = _text(part, "toolName", field) if kind == "dynamic-tool" else kind[len(_TOOL) :]
    given = part.get("input", part.get("rawInput"))
    vendor = _vendor(part, "callProviderMetadata")
    said.append(ToolCallPart(id, name, given if isinstance(given, str) else _json(given or {}), vendor))
    if state == "output-available":
        results.append(ToolResultPart(id, (TextPart(_output(part.get("output"))),)))
    elif state == "output-error":
        results.append(ToolResultPart(id, (TextPart(str(part.get("errorText") or "failed")),), is_error=True))
    elif state == "output-denied":
        results.append(ToolResultPart(id, (TextPart("the user denied this call"),), is_error=True))


def _output(output: Any) -> str:
    return output if isinstance(output, str) else _json(output)


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _vendor(part: Fields, name: str) -> Opaque | None:
    """What a vendor's wire keeps opaque: the first of the metadata's maps."""
    metadata = part.get(name)
    if not isinstance(metadata, dict):
        return None
    return next((Opaque(str(wire), data) for wire, data in metadata.items() if isinstance(data, dict)), None)


def _text(part: Fields, name: str, field: str) -> str:
    value = part.get(name)
    if not isinstance(value, str):
        said = "is missing" if value is None else "expected text"
        raise RequestError(f"{field}.{name}: {said}", field=f"{field}.{name}", value=value)
    return value
