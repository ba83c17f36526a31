"""One message of the vendor's -> ours."""

from __future__ import annotations

from typing import Any, assert_never

from headrace.core.message import (
    AudioPart,
    FilePart,
    ImagePart,
    Message,
    Part,
    RefusalPart,
    Role,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from headrace.core.opaque import Opaque
from headrace.errors import RequestError
from headrace.wire.data_url import opened
from headrace.wire.openai_chat.body import (
    AudioBody,
    CallBody,
    FileBody,
    ImageBody,
    MessageBody,
    PartBody,
    RefusalBody,
    TextBody,
)
from headrace.wire.openai_chat.details import call_vendor, other_details, reasoning_from
from headrace.wire.openai_chat.schema import REASONING_FIELDS, WIRE_NAME
from headrace.wire.reading import base64_bytes

_KNOWN = frozenset(MessageBody.__struct_fields__)
_KNOWN_OF_CALL = frozenset({*CallBody.__struct_fields__, "index"})


def message_from(body: MessageBody, raw: dict[str, Any], field: str) -> Message:
    """The message at `field` (such as "messages.0"); raw: the same as plain data, for what we do not know."""
    parts = _content(body, raw, field)
    extra = {name: value for name, value in raw.items() if name not in _KNOWN}
    details = extra.pop("reasoning_details", None)
    kept = other_details(details)
    if kept:
        extra["reasoning_details"] = kept
    role: Role = "tool" if body.role == "function" else body.role
    if role == "tool":
        parts = (_result(body, parts, field),)
    else:
        parts = (*_reasoning(body, details), *parts, *_calls(body, raw, field))
    if not parts and role != "assistant":
        raise RequestError(f"{field}.content: is missing", field=f"{field}.content")
    return Message(role, parts, body.name or "", Opaque(WIRE_NAME, extra) if extra else None)


def _content(body: MessageBody, raw: dict[str, Any], field: str) -> tuple[Part, ...]:
    content = body.content
    if content is None:
        return (RefusalPart(body.refusal),) if body.refusal else ()
    if isinstance(content, str):
        said: tuple[Part, ...] = (TextPart(content),)
    else:
        said = tuple(
            _part(part, raw["content"][place], f"{field}.content.{place}")
            for place, part in enumerate(content)
        )
    return (*said, RefusalPart(body.refusal)) if body.refusal else said


def _part(part: PartBody, raw: dict[str, Any], field: str) -> Part:
    extra = {name: value for name, value in raw.items() if name not in ("type", *part.__struct_fields__)}
    vendor = Opaque(WIRE_NAME, extra) if extra else None
    match part:
        case TextBody():
            return TextPart(part.text, vendor)
        case ImageBody():
            url, data, media_type = opened(part.image_url.url, f"{field}.image_url.url")
            return ImagePart(url, data, media_type, part.image_url.detail or "", vendor)
        case AudioBody():
            audio = part.input_audio
            data = base64_bytes(audio.data, f"{field}.input_audio.data")
            return AudioPart(data, format=audio.format, vendor=vendor)
        case FileBody():
            file = part.file
            url, data, media_type = opened(file.file_data or "", f"{field}.file.file_data")
            return FilePart(data, url, file.file_id or "", file.filename or "", media_type, vendor)
        case RefusalBody():
            return RefusalPart(part.refusal, vendor)
        case _:
            assert_never(part)


def _result(body: MessageBody, parts: tuple[Part, ...], field: str) -> ToolResultPart:
    id = body.tool_call_id or (body.name if body.role == "function" else "")
    if not id:
        raise RequestError(f"{field}.tool_call_id: is missing", field=f"{field}.tool_call_id")
    vendor = Opaque(WIRE_NAME, {"role": "function"}) if body.role == "function" else None
    held = tuple(part for part in parts if isinstance(part, TextPart | ImagePart | AudioPart | FilePart))
    return ToolResultPart(id, held, vendor=vendor)


def _reasoning(body: MessageBody, details: Any) -> tuple[Part, ...]:
    if body.role != "assistant":
        return ()
    field = next((name for name in REASONING_FIELDS if getattr(body, name)), REASONING_FIELDS[0])
    return reasoning_from(getattr(body, field) or "", details, Opaque(WIRE_NAME, {"field": field}))


def _calls(body: MessageBody, raw: dict[str, Any], field: str) -> tuple[Part, ...]:
    calls = tuple(
        _call(call, raw["tool_calls"][at], f"{field}.tool_calls.{at}")
        for at, call in enumerate(body.tool_calls or ())
    )
    if body.function_call is None:
        return calls
    legacy = body.function_call
    return (
        *calls,
        ToolCallPart(
            legacy.name, legacy.name, legacy.arguments, Opaque(WIRE_NAME, {"field": "function_call"})
        ),
    )


def _call(call: CallBody, raw: dict[str, Any], field: str) -> ToolCallPart:
    if call.type == "custom" and call.custom is not None:
        own = Opaque(WIRE_NAME, {"type": "custom"})
        return ToolCallPart(call.id, call.custom.name, call.custom.input, own)
    if call.function is None:
        raise RequestError(f"{field}.{call.type}: is missing", field=f"{field}.{call.type}")
    extra = {name: value for name, value in raw.items() if name not in _KNOWN_OF_CALL and value is not None}
    return ToolCallPart(call.id, call.function.name, call.function.arguments, call_vendor(extra))
