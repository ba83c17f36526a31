"""One content of the vendor's -> a message of ours."""

from __future__ import annotations

from collections import Counter

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
from headrace.wire.gemini.body import CallBody, ContentBody, FileData, PartBody, ResultBody
from headrace.wire.gemini.media import part_from
from headrace.wire.gemini.schema import WIRE_NAME, Blob, Fields, kept, own
from headrace.wire.gemini.thoughts import with_needed
from headrace.wire.reading import base64_bytes, quoted

_ROLES: dict[str, Role] = {"user": "user", "model": "assistant", "function": "tool"}


def message_from(body: ContentBody, raw: Fields, field: str) -> Message:
    """The message at `field` (such as "contents.0"); raw: the same as plain data, for what we do not know."""
    role = _ROLES.get(body.role or "user")
    if role is None:
        said = f"{field}.role: must be user or model (it is {quoted(body.role)})"
        raise RequestError(said, field=f"{field}.role", value=body.role)
    parts = parts_from(body, raw, field)
    if not parts and role != "assistant":
        raise RequestError(f"{field}.parts: is missing", field=f"{field}.parts")
    if parts and all(isinstance(part, ToolResultPart) for part in parts):
        role = "tool"
    extra = {name: value for name, value in raw.items() if name not in ("role", "parts")}
    return Message(role, parts, vendor=kept(extra))


_KINDS = frozenset({"text", "inlineData", "fileData", "functionCall", "functionResponse"})
_BESIDE = frozenset({"thought", "thoughtSignature", "videoMetadata", "partMetadata", "mediaResolution"})


def opaque_kind(raw: Fields) -> set[str]:
    """What a part of a kind that we do not model is called, such as executableCode."""
    return set() if raw.keys() & _KINDS else set(raw) - _BESIDE


def named(messages: list[Message]) -> list[Message]:
    """The same with an id of its own for each call that came without: they are answered in their order."""
    seen: Counter[tuple[type, str]] = Counter()

    def id_of(part: Part) -> Part:
        if not isinstance(part, ToolCallPart | ToolResultPart) or not own(part.vendor).get("no_id"):
            return part
        before = seen[type(part), part.id]
        seen[type(part), part.id] += 1
        return msgspec.structs.replace(part, id=f"{part.id}_{before}") if before else part

    return [msgspec.structs.replace(one, parts=tuple(map(id_of, one.parts))) for one in messages]


def parts_from(body: ContentBody, raw: Fields, field: str) -> tuple[Part, ...]:
    """The parts of a content."""
    return with_needed(
        _part(part, raw["parts"][place], f"{field}.parts.{place}")
        for place, part in enumerate(body.parts or ())
    )


def _part(part: PartBody, raw: Fields, field: str) -> Part:
    if part.function_call is not None:
        return _call(part.function_call, raw, field)
    if part.function_response is not None:
        return _result(part.function_response, raw, field)
    if part.inline_data is not None:
        extra = _beside(raw, "inlineData", ("data", "mimeType"))
        return _bytes(part.inline_data, f"{field}.inlineData", extra)
    if part.file_data is not None:
        return _file(part.file_data, _beside(raw, "fileData", ("fileUri", "mimeType")))
    if part.text is None:  # executableCode and the like: for the vendor alone
        return OpaquePart(Opaque(WIRE_NAME, {"part": raw}))
    extra = {name: value for name, value in raw.items() if name not in ("text", "thought")}
    return ReasoningPart(part.text, kept(extra)) if part.thought else TextPart(part.text, kept(extra))


def _beside(raw: Fields, name: str, known: tuple[str, ...]) -> Fields:
    """What stands beside the field `name` of a part, and what it holds beyond `known`."""
    extra = {key: value for key, value in raw.items() if key != name}
    odd = {key: value for key, value in raw[name].items() if key not in known}
    return {**extra, name: odd} if odd else extra


def _bytes(blob: Blob, field: str, extra: Fields) -> ImagePart | AudioPart | FilePart:
    plain = blob.data.replace("-", "+").replace("_", "/").rstrip("=")
    data = base64_bytes(plain + "=" * (-len(plain) % 4), f"{field}.data")
    if not blob.mime_type:
        raise RequestError(f"{field}.mimeType: is missing", field=f"{field}.mimeType")
    return part_from(blob.mime_type, data, "", kept({**extra, "mimeType": blob.mime_type}))


def _file(file: FileData, extra: Fields) -> ImagePart | AudioPart | FilePart:
    beside = {**extra, "mimeType": file.mime_type} if file.mime_type else extra
    return part_from(file.mime_type, b"", file.file_uri, kept(beside))


def _call(call: CallBody, raw: Fields, field: str) -> ToolCallPart:
    """A call; one without an id is answered by name, so its name stands for the id."""
    extra = _beside(raw, "functionCall", ("id", "name", "args"))
    if call.args is None:
        extra["no_args"] = True
    if not call.id:
        extra["no_id"] = True
    if not call.name:
        raise RequestError(f"{field}.functionCall.name: is missing", field=f"{field}.functionCall.name")
    arguments = msgspec.json.encode(call.args or {}).decode()
    return ToolCallPart(call.id or call.name, call.name, arguments, kept(extra))


def _result(result: ResultBody, raw: Fields, field: str) -> ToolResultPart:
    extra: Fields = {"name": result.name}
    beside = {name: value for name, value in raw.items() if name != "functionResponse"}
    odd = {
        name: value
        for name, value in raw["functionResponse"].items()
        if name not in ("id", "name", "response", "parts")
    }
    if beside:
        extra["beside"] = beside
    if odd:
        extra["functionResponse"] = odd
    if not result.id:
        extra["no_id"] = True
    text, is_error = _said(result.response)
    media = [
        _media(part.inline_data, part.file_data, f"{field}.functionResponse.parts.{place}")
        for place, part in enumerate(result.parts or ())
    ]
    return ToolResultPart(result.id or result.name, (TextPart(text), *media), is_error, kept(extra))


def _media(blob: Blob | None, file: FileData | None, field: str) -> ImagePart | AudioPart | FilePart:
    if blob is not None:
        return _bytes(blob, f"{field}.inlineData", {})
    if file is not None:
        return _file(file, {})
    raise RequestError(f"{field}: must hold inlineData or fileData", field=field)


def _said(response: Fields) -> tuple[str, bool]:
    """(the function's answer as text, whether it failed): `output` and `error` are the vendor's words."""
    if response.keys() == {"output"} and isinstance(response["output"], str):
        return response["output"], False
    if response.keys() == {"error"}:
        error = response["error"]
        return error if isinstance(error, str) else msgspec.json.encode(error).decode(), True
    return msgspec.json.encode(response).decode(), False
