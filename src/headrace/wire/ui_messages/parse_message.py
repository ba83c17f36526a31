"""One message of a page -> ours. Sources, data of the page's and parts still being written say nothing."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from headrace.core.message import (
    Message,
    OpaquePart,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from headrace.core.opaque import Opaque
from headrace.errors import RequestError
from headrace.wire.ui_messages.data import opaque_from
from headrace.wire.ui_messages.media import data_of, media_from
from headrace.wire.ui_messages.metadata import FIELD, WIRE_NAME, read_metadata

Fields = dict[str, Any]
TOOL = "tool-"
DYNAMIC = "dynamic-tool"
AS_JSON = Opaque(WIRE_NAME, {"json": True})  # a result that is no text of its own


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
        elif kind.startswith(TOOL) or kind == DYNAMIC:
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
    vendor, marks = read_metadata(part.get(FIELD))
    match kind:
        case "text":
            text = _text(part, "text", field)
            return RefusalPart(text, vendor) if marks.get("refusal") is True else TextPart(text, vendor)
        case "reasoning":
            return ReasoningPart(_text(part, "text", field), vendor)
        case "file":
            return _file(part, field, vendor)
        case "data-opaque":
            whole = opaque_from(part.get("data"))
            return None if whole is None else OpaquePart(whole[0])
    return None


def _file(part: Fields, field: str, vendor: Opaque | None) -> Part:
    media_type = _text(part, "mediaType", field)
    url = _text(part, "url", field)
    try:
        data = data_of(url)
    except ValueError as error:
        raise RequestError(f"{field}.url: {error}", field=f"{field}.url", value=url[:80]) from None
    name = part.get("filename")
    named = name if isinstance(name, str) else ""
    return media_from(media_type, data or b"", "" if data is not None else url, named, vendor)


def _tool(part: Fields, kind: str, field: str, said: list[Part], results: list[ToolResultPart]) -> None:
    """A call, and its result where there is one. A call still being written is no call yet."""
    state = _text(part, "state", field)
    if state == "input-streaming":
        return
    id = _text(part, "toolCallId", field)
    name = _text(part, "toolName", field) if kind == DYNAMIC else kind[len(TOOL) :]
    given = part.get("input")
    given = part.get("rawInput") if given is None else given  # version 6: input that is no JSON
    vendor, _ = read_metadata(part.get("callProviderMetadata"))
    said.append(ToolCallPart(id, name, given if isinstance(given, str) else _json(given or {}), vendor))
    result = _result(part, state, id)
    if result is not None:
        results.append(result)


def _result(part: Fields, state: str, id: str) -> ToolResultPart | None:
    vendor, _ = read_metadata(part.get("resultProviderMetadata"))
    match state:
        case "output-available":
            output = part.get("output")
            if isinstance(output, str):
                return ToolResultPart(id, (TextPart(output),), vendor=vendor)
            return ToolResultPart(id, (TextPart(_json(output)),), vendor=vendor or AS_JSON)
        case "output-error":
            said = str(part.get("errorText") or "failed")
            return ToolResultPart(id, (TextPart(said),), is_error=True, vendor=vendor)
        case "output-denied" | "approval-responded" if _is_denied(part, state):
            return ToolResultPart(id, (TextPart(_denied(part)),), is_error=True)
    return None


def _is_denied(part: Fields, state: str) -> bool:
    return state == "output-denied" or _approval(part).get("approved") is False


def _denied(part: Fields) -> str:
    reason = _approval(part).get("reason")
    return reason if isinstance(reason, str) and reason else "the user denied this call"


def _approval(part: Fields) -> Fields:
    approval = part.get("approval")
    return approval if isinstance(approval, dict) else {}


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _text(part: Fields, name: str, field: str) -> str:
    value = part.get(name)
    if not isinstance(value, str):
        said = "is missing" if value is None else "expected text"
        raise RequestError(f"{field}.{name}: {said}", field=f"{field}.{name}", value=value)
    return value
