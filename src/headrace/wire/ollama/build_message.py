"""Our messages -> the vendor's, or the fields of a prompt."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from headrace.core.message import (
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
from headrace.wire.kept import understood, warn
from headrace.wire.ollama.schema import WIRE_NAME, own
from headrace.wire.ollama.shape import INVALID, arguments_of
from headrace.wire.prompt import prompt_of

Fields = dict[str, Any]


def message_bodies(messages: Iterable[Message], warnings: list[str]) -> list[Fields]:
    """The vendor's messages; each tool result is one of its own. What has no place is a warning, once."""
    bodies: list[Fields] = []
    names: dict[str, str] = {}  # call id -> the tool's name, which the vendor wants beside a result
    for message in understood(messages, WIRE_NAME, warnings):
        names.update({part.id: part.name for part in message.parts if isinstance(part, ToolCallPart)})
        results = [part for part in message.parts if isinstance(part, ToolResultPart)]
        rest = [part for part in message.parts if not isinstance(part, ToolResultPart)]
        bodies += [_result(part, names, warnings) for part in results]
        if rest or not results:
            bodies.append(_message(message, rest, warnings))
    return bodies


def prompt_fields(messages: tuple[Message, ...], warnings: list[str]) -> Fields:
    """The fields of /api/generate: system messages, one prompt, the images of all turns."""
    turns = [one for one in messages if one.role not in ("system", "developer")]
    images = [part for one in turns for part in one.parts if isinstance(part, ImagePart)]
    fields: Fields = {"prompt": prompt_of(turns, {}, warnings, image=lambda _part: "")}
    told = [one.text for one in messages if one.role in ("system", "developer")]
    if told:
        fields["system"] = "\n\n".join(told)
    held = _images(images, warnings)
    if held:
        fields["images"] = held
    return fields


def _message(message: Message, parts: Sequence[Part], warnings: list[str]) -> Fields:
    role = "system" if message.role == "developer" else message.role
    body: Fields = {"role": role, "content": _text(parts, warnings)}
    if message.name:
        warn(warnings, "a message's name was left out: this protocol has no field for it")
    thinking = "".join(part.text for part in parts if isinstance(part, ReasoningPart))
    if thinking:
        body["thinking"] = thinking
    images = _images([part for part in parts if isinstance(part, ImagePart)], warnings)
    if images:
        body["images"] = images
    calls = [_call(part, warnings) for part in parts if isinstance(part, ToolCallPart)]
    if calls:
        body["tool_calls"] = calls
    return {**own(message.vendor), **body}


def _result(part: ToolResultPart, names: dict[str, str], warnings: list[str]) -> Fields:
    body: Fields = {"role": "tool", "content": _text(part.parts, warnings)}
    name = names.get(part.id)
    if name:
        body["tool_name"] = name
    if part.id:
        body["tool_call_id"] = part.id
    images = _images([one for one in part.parts if isinstance(one, ImagePart)], warnings)
    if images:
        body["images"] = images
    if part.is_error:
        warn(warnings, "that a tool failed is said in its text only: this protocol has no field for it")
    return body


def _text(parts: Iterable[Part], warnings: list[str]) -> str:
    said: list[str] = []
    for part in parts:
        match part:
            case TextPart() | RefusalPart():
                said.append(part.text)
            case ImagePart() | ReasoningPart() | ToolCallPart() | ToolResultPart() | OpaquePart():
                pass  # each in a field of its own
            case _:
                kind = type(part).__name__.removesuffix("Part").lower()
                warn(warnings, f"a part of kind {kind} was left out: this protocol has no field for it")
    return "".join(said)


def _images(parts: Iterable[ImagePart], warnings: list[str]) -> list[str]:
    images: list[str] = []
    for part in parts:
        if part.data:
            images.append(b64encode(part.data).decode())
        else:
            warn(warnings, "an image by URL was left out: this protocol takes images as data only")
    return images


def _call(part: ToolCallPart, warnings: list[str]) -> Fields:
    arguments = arguments_of(part.arguments)
    if isinstance(arguments, dict) and INVALID in arguments:
        warn(warnings, f"a tool call's arguments are no JSON object: they were sent under {INVALID!r}")
    function: Fields = {"name": part.name, "arguments": arguments}
    call: Fields = {"function": function}
    return {"id": part.id, **call} if part.id else call


def arguments_text(arguments: dict[str, Any] | str | None) -> str:
    """A call's arguments as the JSON text of ours; what stands under `INVALID` is the model's own text."""
    if isinstance(arguments, str):
        return arguments
    if arguments and set(arguments) == {INVALID} and isinstance(arguments[INVALID], str):
        return str(arguments[INVALID])
    return msgspec.json.encode(arguments or {}).decode()
