"""The vendor's request body, as Structs.

Source: OpenAI's published schema as the official Python client (openai 3.52, `types/chat/`) carries it, read
2026-11-21. Unknown fields are allowed: `parse.py` keeps them for a target that speaks this protocol.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec

from headrace.wire.openai_chat.sound import SoundBody


class TextBody(msgspec.Struct, tag_field="type", tag="text"):
    """Plain text."""

    text: str


class ImageUrl(msgspec.Struct):
    """An image by URL, or as a `data:` URL."""

    url: str
    detail: str | None = None


class ImageBody(msgspec.Struct, tag_field="type", tag="image_url"):
    """An image."""

    image_url: ImageUrl


class InputAudio(msgspec.Struct):
    """Sound in base64; format is wav or mp3."""

    data: str
    format: str


class AudioBody(msgspec.Struct, tag_field="type", tag="input_audio"):
    """Sound."""

    input_audio: InputAudio


class FileData(msgspec.Struct):
    """A file by id, or as a `data:` URL."""

    file_data: str | None = None
    file_id: str | None = None
    filename: str | None = None


class FileBody(msgspec.Struct, tag_field="type", tag="file"):
    """A document."""

    file: FileData


class RefusalBody(msgspec.Struct, tag_field="type", tag="refusal"):
    """A refusal of an earlier turn."""

    refusal: str


PartBody: TypeAlias = TextBody | ImageBody | AudioBody | FileBody | RefusalBody


class CallFunction(msgspec.Struct):
    """A called function."""

    name: str
    arguments: str


class CallCustom(msgspec.Struct):
    """A called custom tool."""

    name: str
    input: str


class CallBody(msgspec.Struct):
    """A tool call of an earlier turn."""

    id: str
    type: Literal["function", "custom"] = "function"
    function: CallFunction | None = None
    custom: CallCustom | None = None


class MessageBody(msgspec.Struct):
    """One turn. reasoning_content and reasoning are compatible providers' fields."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[PartBody] | None = None
    name: str | None = None
    refusal: str | None = None
    tool_calls: list[CallBody] | None = None
    tool_call_id: str | None = None
    function_call: CallFunction | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None


class FunctionSpec(msgspec.Struct):
    """A function the model may call."""

    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class FunctionTool(msgspec.Struct, tag_field="type", tag="function"):
    """A tool that is a function."""

    function: FunctionSpec


class CustomSpec(msgspec.Struct):
    """A tool that takes free text."""

    name: str
    description: str | None = None
    format: dict[str, Any] | None = None


class CustomTool(msgspec.Struct, tag_field="type", tag="custom"):
    """A tool that takes free text."""

    custom: CustomSpec


class Named(msgspec.Struct):
    """A name."""

    name: str


class ChoiceBody(msgspec.Struct):
    """A pinned tool."""

    type: Literal["function", "custom"]
    function: Named | None = None
    custom: Named | None = None


class SchemaBody(msgspec.Struct):
    """The schema the answer keeps to."""

    name: str
    schema: dict[str, Any] | None = None
    description: str | None = None
    strict: bool | None = None


class TextFormat(msgspec.Struct, tag_field="type", tag="text"):
    """Any text."""


class ObjectFormat(msgspec.Struct, tag_field="type", tag="json_object"):
    """Any JSON object."""


class SchemaFormat(msgspec.Struct, tag_field="type", tag="json_schema"):
    """JSON of a schema."""

    json_schema: SchemaBody


class StreamOptions(msgspec.Struct):
    """include_obfuscation is random padding: taken, and none is sent."""

    include_usage: bool | None = None
    include_obfuscation: bool | None = None


class RequestBody(msgspec.Struct):
    """The fields that have a place in `Request`."""

    model: str
    messages: list[MessageBody]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    seed: int | None = None
    stop: str | list[str] | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    n: int | None = None
    reasoning_effort: str | None = None
    logit_bias: dict[str, float] | None = None
    response_format: TextFormat | ObjectFormat | SchemaFormat | None = None
    tools: list[FunctionTool | CustomTool] | None = None
    tool_choice: str | ChoiceBody | None = None
    parallel_tool_calls: bool | None = None
    modalities: list[str] | None = None
    audio: SoundBody | None = None
    functions: list[FunctionSpec] | None = None
    function_call: str | Named | None = None
    user: str | None = None


KNOWN = frozenset(RequestBody.__struct_fields__)
