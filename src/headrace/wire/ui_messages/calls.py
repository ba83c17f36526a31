"""Tool calls of a message being decoded: their input in pieces, whole, or broken."""

from __future__ import annotations

from typing import Any

import msgspec

from headrace.core.chunk import Chunk, ToolCallDelta
from headrace.core.opaque import Opaque
from headrace.wire.ui_messages.blocks import OpenPart, OpenParts, joined, text_of
from headrace.wire.ui_messages.metadata import WIRE_NAME, Part, is_own, own, read_beside, with_metadata
from headrace.wire.ui_messages.parts import input_of

MAX_INPUT_CHARS = 16 * 2**20  # of calls that are open: pieces are held to be told from the whole

_PIECE_CHARS = 64  # what a piece costs besides its text

_START = frozenset({"type", "toolCallId", "toolName"})
_DELTA = frozenset({"type", "toolCallId", "inputTextDelta"})
_READY = _START | {"input", "errorText"}
_WHOLE = Opaque(WIRE_NAME, {"whole": True})  # input that no piece brought
_NOTHING = Opaque(WIRE_NAME, {})  # the end does not repeat what came with the start


def call_start(event: Part, parts: OpenParts, out: list[Chunk]) -> None:
    """A call begins."""
    id, name = text_of(event, "toolCallId"), text_of(event, "toolName")
    vendor, _ = read_beside(event, _START)
    parts.add(("tool", id), "tool-call", vendor, out, id, name)


def call_delta(event: Part, parts: OpenParts, out: list[Chunk]) -> None:
    """A piece of its input."""
    part = parts.at("tool", text_of(event, "toolCallId"))
    text = joined(part, text_of(event, "inputTextDelta"))
    vendor = None
    if len(event) > len(_DELTA):
        vendor = Opaque(WIRE_NAME, {name: value for name, value in event.items() if name not in _DELTA})
    if text or vendor is not None:
        _take(part, parts, text, vendor, out)


def call_ready(event: Part, parts: OpenParts, out: list[Chunk]) -> None:
    """Its input, whole, or what is wrong with it. The call may begin here, too."""
    id, name = text_of(event, "toolCallId"), text_of(event, "toolName")
    vendor, _ = read_beside(event, _READY)
    part = parts.find("tool", id)
    begins = part is None
    if part is None:
        part = parts.add(("tool", id), "tool-call", _announced(vendor), out, id, name)
    said = _input(part, parts, event, out)
    if name != part.name:
        said["toolName"] = name
    parts.take("tool", id)
    parts.end(part, _end(part, part.vendor if begins and not said else vendor, said), out)


def _announced(vendor: Opaque | None) -> Opaque:
    """What a call began with that no event announced; another wire's data stands above how it is written."""
    if vendor is not None and not is_own(vendor):
        return vendor
    return Opaque(WIRE_NAME, {**own(vendor), "whole": True})


def _end(part: OpenPart, vendor: Opaque | None, said: Part) -> Opaque | None:
    """What the end of a call says beyond its start. said: how it differs from what its pieces say."""
    if said:
        return Opaque(WIRE_NAME, with_metadata(said, vendor))
    if vendor == part.vendor:
        return part.last if part.last != part.vendor else None
    return vendor if vendor is not None else _NOTHING


def _input(part: OpenPart, parts: OpenParts, event: Part, out: list[Chunk]) -> Part:
    """What the event says of the input that the pieces do not."""
    given, error = event.get("input"), event.get("errorText")
    if not part.arguments and given not in ({}, None):
        _take(
            part, parts, given if _is_raw(given, error) else msgspec.json.encode(given).decode(), _WHOLE, out
        )
    told = input_of("".join(part.arguments))
    said: dict[str, Any] = {}
    if "input" in event and told["input"] != given:
        said["input"] = given
    if error != told.get("errorText"):
        said["errorText"] = error
    return said


def _is_raw(given: Any, error: Any) -> bool:
    """Whether the input is the model's text as it was, which is no JSON."""
    return isinstance(given, str) and isinstance(error, str)


def _take(part: OpenPart, parts: OpenParts, text: str, vendor: Opaque | None, out: list[Chunk]) -> None:
    part.arguments.append(text)
    parts.held_chars += len(text) + _PIECE_CHARS
    if parts.held_chars > MAX_INPUT_CHARS:
        raise ValueError(f"the input of tool calls is longer than {MAX_INPUT_CHARS} characters")
    out.append(ToolCallDelta(part.block, text, vendor=vendor))
