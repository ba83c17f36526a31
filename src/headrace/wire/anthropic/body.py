"""The vendor's request body, as Structs.

Source: Anthropic's published schema as the official Python client (anthropic 2.11, `message_create_params.py`
and the `*_param.py` beside it) carries it, read 2026-11-21; temperature, top_p and top_k are of the version
before, which clients still speak. Unknown fields are allowed: they are kept for a target of this protocol.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec


class TextBody(msgspec.Struct):
    """Plain text."""

    text: str


class Source(msgspec.Struct):
    """Where an image or a document comes from: base64, url, file, text, content."""

    type: str
    media_type: str = ""
    data: str = ""
    url: str = ""
    file_id: str = ""
    content: str | list[dict[str, Any]] | None = None


class ImageBody(msgspec.Struct):
    """An image."""

    source: Source


class DocumentBody(msgspec.Struct):
    """A document."""

    source: Source
    title: str | None = None


class SearchResultBody(msgspec.Struct):
    """A piece of the client's own search."""

    source: str
    title: str
    content: list[TextBody]


class ThinkingBody(msgspec.Struct):
    """Thinking of an earlier turn."""

    thinking: str
    signature: str = ""


class ToolUseBody(msgspec.Struct):
    """A tool call of an earlier turn."""

    id: str
    name: str
    input: dict[str, Any]


class ToolResultBody(msgspec.Struct):
    """What a tool answered."""

    tool_use_id: str
    content: str | list[dict[str, Any]] | None = None
    is_error: bool | None = None


class MessageBody(msgspec.Struct):
    """One turn."""

    role: Literal["user", "assistant", "system"]
    content: str | list[dict[str, Any]]


class ToolBody(msgspec.Struct):
    """A tool: the client's own, or (with a `type` other than custom) one that the vendor runs."""

    name: str = ""
    type: str | None = None
    description: str | None = None
    input_schema: dict[str, Any] | None = None
    strict: bool | None = None


class ChoiceBody(msgspec.Struct):
    """Whether tools may be called."""

    type: Literal["auto", "any", "tool", "none"]
    name: str = ""
    disable_parallel_tool_use: bool | None = None


class FormatBody(msgspec.Struct):
    """The form of the answer."""

    type: Literal["json_schema"]
    schema: dict[str, Any]


class OutputConfig(msgspec.Struct):
    """How to answer."""

    effort: str | None = None
    format: FormatBody | None = None


class Metadata(msgspec.Struct):
    """About the request."""

    user_id: str | None = None


class CountBody(msgspec.Struct):
    """The fields of a request to count tokens: those that make the prompt."""

    model: str
    messages: list[MessageBody]
    system: str | list[TextBody] | None = None
    tools: list[ToolBody] | None = None
    tool_choice: ChoiceBody | None = None
    thinking: dict[str, Any] | None = None
    output_config: OutputConfig | None = None
    output_format: FormatBody | None = None


class RequestBody(CountBody, kw_only=True):
    """The fields that have a place in `Request`."""

    max_tokens: int
    stream: bool | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop_sequences: list[str] | None = None
    metadata: Metadata | None = None


KNOWN = frozenset(RequestBody.__struct_fields__)
