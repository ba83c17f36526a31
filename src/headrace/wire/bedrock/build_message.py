"""Our messages -> the vendor's: the system prompt apart, neighbours of one role as one turn."""

from __future__ import annotations

import re
from collections.abc import Iterable

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
from headrace.wire.bedrock.content import call_block, opaque_block, reasoning_blocks, text_block
from headrace.wire.bedrock.event_bodies import call_id
from headrace.wire.bedrock.media import MediaWriter
from headrace.wire.bedrock.schema import WIRE_NAME, Fields, own
from headrace.wire.kept import put_back, understood, warn

_NO_SIGNATURE = "reasoning of earlier turns was left out: this protocol takes its own, signed, only"
_MOVED = "system messages within the conversation were moved to its beginning"
_BLANK = "a text of blanks only was left out: this protocol refuses it"
_ODD = re.compile(r"[^a-zA-Z0-9_.:-]")
_MAX_ID_CHARS = 64


def conversation(messages: Iterable[Message], warnings: list[str]) -> tuple[list[Fields], list[Fields]]:
    """(system, messages). What has no place is a warning, once."""
    system: list[Fields] = []
    turns: list[Fields] = []
    media = MediaWriter(warnings)
    for message in understood(messages, WIRE_NAME, warnings):
        if message.name:
            warn(warnings, "names of speakers were left out: this protocol has no field for them")
        blocks = [block for part in message.parts for block in _blocks(part, media, warnings)]
        if message.role in ("system", "developer") and not own(message.vendor).get("in_place"):
            if turns and blocks:
                warn(warnings, _MOVED)
            system += blocks
        elif blocks:
            role = {"assistant": "assistant", "system": "system"}.get(message.role, "user")
            if not turns or turns[-1]["role"] != role:
                turns.append({"role": role, "content": []})
            turns[-1]["content"] += blocks
    return system, turns


def _blocks(part: Part, media: MediaWriter, warnings: list[str]) -> list[Fields]:
    match part:
        case TextPart() | RefusalPart():
            return _text(part, warnings)
        case ReasoningPart():
            if part.vendor is None or part.vendor.wire != WIRE_NAME:
                warn(warnings, _NO_SIGNATURE)
                return []
            return reasoning_blocks(part)
        case ToolCallPart():
            block = call_block(part, 0)
            block["toolUse"]["toolUseId"] = _id(part.id)
            return [block]
        case ToolResultPart():
            return [_result(part, media, warnings)]
        case OpaquePart():
            return [opaque_block(part)]
        case ImagePart() | AudioPart() | FilePart():
            return _media(part, media)


def _text(part: TextPart | RefusalPart, warnings: list[str]) -> list[Fields]:
    block = text_block(part)
    if "text" in block and not part.text.strip():
        if part.text:
            warn(warnings, _BLANK)
        return []
    return [block]


def _media(part: ImagePart | AudioPart | FilePart, media: MediaWriter) -> list[Fields]:
    kept = own(part.vendor)
    if "block" in kept:
        return [kept["block"]]
    block = media.block(part)
    return [put_back(block, kept.get("beside", {}))] if block is not None else []


def _result(part: ToolResultPart, media: MediaWriter, warnings: list[str]) -> Fields:
    content: list[Fields] = []
    for one in part.parts:
        if isinstance(one, AudioPart):
            warn(warnings, "sound in a tool's result was left out: this protocol has no place for it there")
        elif isinstance(one, TextPart):
            content.append(text_block(one))
        else:
            content += _media(one, media)
    body: Fields = {"toolUseId": _id(part.id), "content": content}
    if part.is_error:
        body["status"] = "error"
    return put_back({"toolResult": body}, own(part.vendor).get("beside", {}))


def _id(id: str) -> str:
    return _ODD.sub("_", id)[:_MAX_ID_CHARS] or call_id("", 0)
