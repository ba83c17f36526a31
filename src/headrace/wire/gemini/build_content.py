"""Our messages -> the vendor's contents and system instruction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

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
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from headrace.wire.gemini.bodies import call_part, extras
from headrace.wire.gemini.media import media_part
from headrace.wire.gemini.schema import WIRE_NAME, Fields, own
from headrace.wire.kept import understood, warn
from headrace.wire.plain import read_plain
from headrace.wire.reading import UNREADABLE

_INSTRUCTIONS = ("system", "developer")
_MOVED = (
    "a system message behind the first turn was moved to the beginning: this protocol has one instruction"
)


def contents_of(messages: Iterable[Message], quirks: Mapping[str, Any], warnings: list[str]) -> Fields:
    """`contents` and, where there is one, `systemInstruction`. What has no place is a warning, once."""
    return _Contents(quirks, warnings).read(messages)


class _Contents:
    """Writes one conversation. A result names its function, so calls are remembered by their id."""

    def __init__(self, quirks: Mapping[str, Any], warnings: list[str]) -> None:
        self._signature = quirks.get("call_signature")
        self._no_ids = bool(quirks.get("no_call_ids"))
        self._warnings = warnings
        self._calls: dict[str, ToolCallPart] = {}

    def read(self, messages: Iterable[Message]) -> Fields:
        contents: list[Fields] = []
        instruction: list[Fields] = []
        results: list[Fields] | None = None  # of the turn before: results of one turn go back together
        for message in understood(messages, WIRE_NAME, self._warnings):
            parts = [part for one in message.parts if (part := self._part(one)) is not None]
            if message.role in _INSTRUCTIONS:
                if contents:
                    warn(self._warnings, _MOVED)
                instruction += parts
                continue
            if message.name:
                warn(self._warnings, "a message's name was left out: this protocol has no field for it")
            if message.role == "tool" and results is not None:
                results += parts
                continue
            beside = extras(own(message.vendor))
            parts = parts or [{"text": ""}]
            contents.append(
                {**beside, "role": "model" if message.role == "assistant" else "user", "parts": parts}
            )
            results = parts if message.role == "tool" else None
        body: Fields = {"contents": contents}
        if instruction:
            body["systemInstruction"] = {"parts": instruction}
        return body

    def _part(self, part: Part) -> Fields | None:
        match part:
            case TextPart() | RefusalPart():
                return {"text": part.text, **extras(own(part.vendor))}
            case ReasoningPart():
                return {"text": part.text, "thought": True, **extras(own(part.vendor))}
            case ImagePart() | AudioPart() | FilePart():
                return media_part(part, self._warnings)
            case ToolCallPart():
                return self._call(part)
            case ToolResultPart():
                return self._result(part)
            case OpaquePart():
                return own(part.vendor).get("part")

    def _call(self, part: ToolCallPart) -> Fields:
        self._calls[part.id] = part
        kept = {name: value for name, value in own(part.vendor).items() if name != "partial"}
        body = call_part("" if self._no_ids else part.id, part.name, part.arguments, kept)
        if body is None:
            warn(
                self._warnings,
                f"the arguments of the call of {excerpt(part.name)} were left out: they are no JSON object",
            )
            body = {"functionCall": {"name": part.name, "args": {}}, **extras(kept)}
        if self._signature and not kept:
            body["thoughtSignature"] = self._signature
        return body

    def _result(self, part: ToolResultPart) -> Fields:
        kept = own(part.vendor)
        call = self._calls.get(part.id)
        name = kept.get("name") or (call.name if call is not None else part.id)
        if call is None and "name" not in kept:
            warn(
                self._warnings,
                "a tool's result answers no earlier call: its id stands for the function's name",
            )
        response: Fields = {**kept.get("functionResponse", {}), "name": name}
        nameless = self._no_ids or kept.get("no_id") or (call is not None and own(call.vendor).get("no_id"))
        if part.id and not nameless:
            response["id"] = part.id
        response["response"] = _response(part)
        media = [media_part(one, self._warnings) for one in part.parts if not isinstance(one, TextPart)]
        if media:
            response["parts"] = media
        return {"functionResponse": response, **extras(kept.get("beside", {}))}


def _response(part: ToolResultPart) -> Fields:
    """The result as the object that this protocol wants: itself where it is one."""
    if part.is_error:
        return {"error": part.text}
    try:
        said = read_plain(part.text)
    except UNREADABLE:
        said = None
    return said if isinstance(said, dict) else {"output": part.text}
