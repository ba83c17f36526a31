"""The vendor's request body, as Structs.

Source: OpenAI's published schema as the official Python client (openai 3.52, `types/responses/`) carries it,
read 2026-11-21. Unknown fields are allowed: `parse.py` keeps them for a target that speaks this protocol.
"""

from __future__ import annotations

from typing import Any

import msgspec

Fields = dict[str, Any]


class ReasoningBody(msgspec.Struct):
    """How much to think; its other fields ask for a summary."""

    effort: str | None = None


class FormatBody(msgspec.Struct):
    """The form of the answer: text, json_object or json_schema."""

    type: str
    name: str | None = None
    schema: Fields | None = None
    strict: bool | None = None


class TextBody(msgspec.Struct):
    """About the text of the answer."""

    format: FormatBody | None = None


class ToolBody(msgspec.Struct):
    """A tool; those that are not of type function or custom are the vendor's own."""

    type: str
    name: str | None = None
    description: str | None = None
    parameters: Fields | None = None
    strict: bool | None = None


class ToolChoiceBody(msgspec.Struct):
    """A pinned tool, or a choice of the vendor's own."""

    type: str
    name: str | None = None


class RequestBody(msgspec.Struct):
    """The fields that have a place in `Request`. input: text, or items of many types."""

    model: str
    input: str | list[Fields]
    instructions: str | None = None
    stream: bool | None = None
    max_output_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_logprobs: int | None = None
    include: list[str] | None = None
    reasoning: ReasoningBody | None = None
    text: TextBody | None = None
    tools: list[ToolBody] | None = None
    tool_choice: str | ToolChoiceBody | None = None
    parallel_tool_calls: bool | None = None
    user: str | None = None
    previous_response_id: str | None = None
    conversation: Any = None
    background: bool | None = None
    stream_options: Any = None
