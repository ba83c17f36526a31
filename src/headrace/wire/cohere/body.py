"""The vendor's request body, as Structs. Source: as in `schema.py`.

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


class ThinkingBody(msgspec.Struct):
    """Thinking of an earlier turn."""

    thinking: str


class LinkBody(msgspec.Struct):
    """An address, which may be the data itself."""

    url: str
    detail: str | None = None


class ImageBody(msgspec.Struct):
    """An image."""

    image_url: LinkBody


class DocumentData(msgspec.Struct):
    """What a tool found."""

    data: Fields


class DocumentBody(msgspec.Struct):
    """A document in a tool's result."""

    document: DocumentData


class FunctionCallBody(msgspec.Struct):
    """Which tool, and with what."""

    name: str
    arguments: str = ""


class CallBody(msgspec.Struct):
    """A tool call of an earlier turn."""

    id: str
    function: FunctionCallBody


class MessageBody(msgspec.Struct):
    """One turn."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str | list[Fields] | None = None
    tool_calls: list[CallBody] | None = None
    tool_plan: str | None = None
    citations: list[Fields] | None = None
    tool_call_id: str | None = None


class FunctionBody(msgspec.Struct):
    """What the model is told of a tool."""

    name: str
    parameters: Fields
    description: str | None = None


class ToolBody(msgspec.Struct):
    """A tool."""

    function: FunctionBody


class FormatBody(msgspec.Struct):
    """The form of the answer."""

    type: Literal["text", "json_object"]
    json_schema: Fields | None = None


class ThoughtBody(msgspec.Struct):
    """Whether to think."""

    type: str


class RequestBody(msgspec.Struct):
    """The fields that have a place in `Request`."""

    model: str
    messages: list[MessageBody]
    stream: bool | None = None
    tools: list[ToolBody] | None = None
    strict_tools: bool | None = None
    tool_choice: Literal["REQUIRED", "NONE"] | None = None
    response_format: FormatBody | None = None
    max_tokens: int | None = None
    stop_sequences: list[str] | None = None
    temperature: float | None = None
    seed: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    k: int | None = None
    p: float | None = None
    logprobs: bool | None = None
    thinking: ThoughtBody | None = None


# What `Request` itself holds of the body; `thinking` is kept whole, as its budget has no place there.
KNOWN_FIELDS: Known = {
    **{name: None for name in RequestBody.__struct_fields__ if name != "thinking"},
    "response_format": {"type": None, "json_schema": None},
}
# What our parts and tools hold.
KNOWN_MESSAGE: Known = dict.fromkeys(MessageBody.__struct_fields__)
KNOWN_CALL: Known = {"id": None, "type": None, "function": {"name": None, "arguments": None}}
KNOWN_TOOL: Known = {
    "type": None,
    "function": {"name": None, "description": None, "parameters": None},
}
KNOWN_CONTENT: dict[str, Known] = {
    "text": {"type": None, "text": None},
    "thinking": {"type": None, "thinking": None},
    "image_url": {"type": None, "image_url": {"url": None, "detail": None}},
}
