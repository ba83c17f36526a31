"""The vendor's request body, as Structs. Source and date: as in `schema.py`.

Unknown fields are allowed: `parse.py` keeps them for a target that speaks this protocol. The vendor takes
field names in both spellings (`inlineData`, `inline_data`); `spelled` makes them one.
"""

from __future__ import annotations

from typing import Any, get_args

import msgspec

from headrace.wire.gemini.schema import Blob, Fields


class FileData(msgspec.Struct, rename="camel"):
    """What lies elsewhere."""

    file_uri: str
    mime_type: str = ""


class CallBody(msgspec.Struct):
    """A call of an earlier turn."""

    name: str
    id: str = ""
    args: dict[str, Any] | None = None


class ResultPart(msgspec.Struct, rename="camel"):
    """Media in a function's result."""

    inline_data: Blob | None = None
    file_data: FileData | None = None


class ResultBody(msgspec.Struct):
    """What a function answered."""

    name: str
    id: str = ""
    response: dict[str, Any] = msgspec.field(default_factory=dict)
    parts: list[ResultPart] | None = None


class PartBody(msgspec.Struct, rename="camel"):
    """A part; which of its fields is set tells its kind."""

    text: str | None = None
    thought: bool = False
    thought_signature: str | None = None
    inline_data: Blob | None = None
    file_data: FileData | None = None
    function_call: CallBody | None = None
    function_response: ResultBody | None = None


class ContentBody(msgspec.Struct):
    """One turn. role: user or model ("function" of old), user where it is missing."""

    parts: list[PartBody] | None = None
    role: str | None = None


class ThinkingBody(msgspec.Struct, rename="camel"):
    """How much to think."""

    thinking_budget: int | None = None
    thinking_level: str | None = None
    include_thoughts: bool | None = None


class PrebuiltVoiceBody(msgspec.Struct, rename="camel"):
    """A voice of the vendor's."""

    voice_name: str | None = None


class VoiceBody(msgspec.Struct, rename="camel"):
    """A voice."""

    prebuilt_voice_config: PrebuiltVoiceBody | None = None


class SpeechBody(msgspec.Struct, rename="camel"):
    """How the answer sounds."""

    voice_config: VoiceBody | None = None


class ConfigBody(msgspec.Struct, rename="camel"):
    """How to generate."""

    temperature: float | None = None
    top_p: float | None = None
    top_k: float | None = None
    candidate_count: int | None = None
    max_output_tokens: int | None = None
    stop_sequences: list[str] | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    seed: int | None = None
    response_logprobs: bool | None = None
    logprobs: int | None = None
    response_mime_type: str | None = None
    response_schema: dict[str, Any] | None = None
    response_json_schema: dict[str, Any] | None = None
    thinking_config: ThinkingBody | None = None
    response_modalities: list[str] | None = None
    speech_config: SpeechBody | None = None


class FunctionBody(msgspec.Struct, rename="camel"):
    """A function the model may call: its schema in the vendor's own dialect, or as JSON schema."""

    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    parameters_json_schema: dict[str, Any] | None = None


class ToolBody(msgspec.Struct, rename="camel"):
    """Functions, or a tool of the vendor's own."""

    function_declarations: list[FunctionBody] | None = None


class CallingBody(msgspec.Struct, rename="camel"):
    """Whether to call, and what."""

    mode: str | None = None
    allowed_function_names: list[str] | None = None


class ToolConfigBody(msgspec.Struct, rename="camel"):
    """How tools are used."""

    function_calling_config: CallingBody | None = None


class RequestBody(msgspec.Struct, rename="camel"):
    """The fields that have a place in `Request`. model: of old, the path says it."""

    contents: list[ContentBody]
    system_instruction: ContentBody | None = None
    tools: list[ToolBody] | None = None
    tool_config: ToolConfigBody | None = None
    generation_config: ConfigBody | None = None
    model: str | None = None


_FIELDS: dict[type, dict[str, tuple[str, Any]]] = {}


def _fields(kind: type[msgspec.Struct]) -> dict[str, tuple[str, Any]]:
    """By either spelling: the wire's spelling and, for fields that hold Structs, their type."""
    found = _FIELDS.get(kind)
    if found is None:
        found = _FIELDS[kind] = {}
        for field in msgspec.structs.fields(kind):
            inner = (field.encode_name, _struct_in(field.type))
            found[field.name] = found[field.encode_name] = inner
    return found


def _struct_in(kind: Any) -> Any:
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return kind
    return next((one for one in map(_struct_in, get_args(kind)) if one is not None), None)


def spelled(data: Any, kind: type[msgspec.Struct]) -> Any:
    """`data` with the fields of `kind`, at every level, in the spelling that the Structs read."""
    if isinstance(data, list):
        return [spelled(one, kind) for one in data]
    if not isinstance(data, dict):
        return data
    fields = _fields(kind)
    out: Fields = {}
    for name, value in data.items():
        wire_name, inner = fields.get(name, (name, None))
        out[wire_name] = spelled(value, inner) if inner is not None else value
    return out
