"""The body of `ConverseStream`, as Structs. Source: as in `schema.py`.

Unknown fields are allowed: they are kept for a target of this protocol.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from headrace.wire.kept import Known

Fields = dict[str, Any]


class TextBody(msgspec.Struct):
    """Plain text."""

    text: str


class S3Body(msgspec.Struct):
    """An object in Amazon S3."""

    uri: str


class SourceBody(msgspec.Struct, rename="camel"):
    """What an image, sound, film or document holds; a document may be text, whole or in pieces."""

    bytes: str | None = None
    s3_location: S3Body | None = None
    text: str | None = None
    content: list[TextBody] | None = None


class MediaBody(msgspec.Struct):
    """An image, sound or film."""

    format: str
    source: SourceBody


class DocumentBody(msgspec.Struct):
    """A document."""

    name: str
    source: SourceBody
    format: str | None = None


class ReasoningTextBody(msgspec.Struct):
    """Reasoning of an earlier turn, in words."""

    text: str
    signature: str | None = None


class ReasoningBody(msgspec.Struct, rename="camel"):
    """Reasoning of an earlier turn: in words, or encrypted (base64)."""

    reasoning_text: ReasoningTextBody | None = None
    redacted_content: str | None = None


class ToolUseBody(msgspec.Struct, rename="camel"):
    """A tool call of an earlier turn."""

    tool_use_id: str
    name: str
    input: Any


class ToolResultBody(msgspec.Struct, rename="camel"):
    """What a tool answered."""

    tool_use_id: str
    content: list[Fields]
    status: str | None = None


class CitedBody(msgspec.Struct):
    """Text of an earlier turn with its sources."""

    content: list[TextBody] = []
    citations: list[Fields] = []


class MessageBody(msgspec.Struct):
    """One turn."""

    role: Literal["user", "assistant", "system"]
    content: list[Fields]


class InferenceBody(msgspec.Struct, rename="camel"):
    """How to generate."""

    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    stop_sequences: list[str] | None = None


class SchemaBody(msgspec.Struct):
    """A tool's parameters."""

    json: Fields


class SpecBody(msgspec.Struct, rename="camel"):
    """A tool of the caller's."""

    name: str
    input_schema: SchemaBody
    description: str | None = None
    strict: bool | None = None


class NamedBody(msgspec.Struct):
    """The tool that must be called."""

    name: str


class ChoiceBody(msgspec.Struct):
    """Whether tools may be called: one of these."""

    auto: Fields | None = None
    any: Fields | None = None
    tool: NamedBody | None = None


class ToolsBody(msgspec.Struct, rename="camel"):
    """The tools."""

    tools: list[Fields]
    tool_choice: ChoiceBody | None = None


class JsonSchemaBody(msgspec.Struct):
    """A JSON schema, as text."""

    schema: str
    name: str | None = None


class StructureBody(msgspec.Struct, rename="camel"):
    """The structure of an answer."""

    json_schema: JsonSchemaBody | None = None


class TextFormatBody(msgspec.Struct):
    """The form of an answer."""

    type: Literal["json_schema"]
    structure: StructureBody


class OutputBody(msgspec.Struct, rename="camel"):
    """How to answer."""

    effort: str | None = None
    text_format: TextFormatBody | None = None


class RequestBody(msgspec.Struct, rename="camel"):
    """The fields that have a place in `Request`. The model stands in the path."""

    messages: list[MessageBody] = []
    system: list[Fields] | None = None
    inference_config: InferenceBody | None = None
    tool_config: ToolsBody | None = None
    output_config: OutputBody | None = None


_MEDIA: Known = {"format": None, "source": {"bytes": None, "s3Location": {"uri": None}}}
# What `Request` itself holds of the body, and what our parts hold of a block.
KNOWN_FIELDS: Known = {
    "messages": None,
    "system": None,
    "inferenceConfig": dict.fromkeys(InferenceBody.__struct_encode_fields__),
    "toolConfig": {"tools": None, "toolChoice": None},
    "outputConfig": {
        "effort": None,
        "textFormat": {"type": None, "structure": {"jsonSchema": {"schema": None, "name": None}}},
    },
}
KNOWN_SPEC: Known = {
    "toolSpec": {"name": None, "description": None, "inputSchema": {"json": None}, "strict": None}
}
KNOWN_CONTENT: Known = {
    "text": None,
    "image": _MEDIA,
    "audio": _MEDIA,
    "video": _MEDIA,
    "document": {**_MEDIA, "name": None},
    "toolUse": {"toolUseId": None, "name": None, "input": None},
    "toolResult": {"toolUseId": None, "content": None},
    "reasoningContent": {"reasoningText": {"text": None, "signature": None}, "redactedContent": None},
    "citationsContent": None,
}
