"""The vendor's JSON for the events that come most, as Structs: the deltas.

Source: OpenAI's published schema as the official Python client (openai 3.52, `types/responses/`) carries it,
read 2026-11-21, and the fields seen in recorded streams of OpenAI, Azure, GitHub Copilot, xAI and LM Studio.
The Structs forbid unknown fields on purpose: an event that does not fit is read as plain data, so that what
they do not know is kept and not lost. Every other event is read as plain data too: it is kept whole.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec

WIRE_NAME = "openai_responses"


# Items and blocks of one answer: far above what any model gives, yet a bound.
MAX_PIECES = 65_536


class DeltaBody(msgspec.Struct, gc=False, tag_field="type", forbid_unknown_fields=True):
    """What every delta has. obfuscation is random padding against traffic analysis: not kept."""

    item_id: str
    output_index: int
    delta: str
    sequence_number: int | None = None
    obfuscation: Any = None


class TextDeltaBody(DeltaBody, gc=False, tag="response.output_text.delta", forbid_unknown_fields=True):
    """A piece of the answer."""

    content_index: int = 0
    logprobs: list[Any] | None = None


class RefusalDeltaBody(DeltaBody, gc=False, tag="response.refusal.delta", forbid_unknown_fields=True):
    """A piece of a refusal."""

    content_index: int = 0


class ThoughtDeltaBody(DeltaBody, gc=False, tag="response.reasoning_text.delta", forbid_unknown_fields=True):
    """A piece of the reasoning itself."""

    content_index: int = 0


class SummaryDeltaBody(
    DeltaBody, gc=False, tag="response.reasoning_summary_text.delta", forbid_unknown_fields=True
):
    """A piece of a summary of the reasoning."""

    summary_index: int = 0


class ArgumentsDeltaBody(
    DeltaBody, gc=False, tag="response.function_call_arguments.delta", forbid_unknown_fields=True
):
    """A piece of a function call's arguments."""


class InputDeltaBody(
    DeltaBody, gc=False, tag="response.custom_tool_call_input.delta", forbid_unknown_fields=True
):
    """A piece of a custom tool call's input, which is free text."""


AnyDelta: TypeAlias = (
    TextDeltaBody
    | RefusalDeltaBody
    | ThoughtDeltaBody
    | SummaryDeltaBody
    | ArgumentsDeltaBody
    | InputDeltaBody
)


class InputDetails(msgspec.Struct, gc=False):
    """Parts of input_tokens."""

    cached_tokens: int | None = None
    cache_write_tokens: int | None = None


class OutputDetails(msgspec.Struct, gc=False):
    """Parts of output_tokens."""

    reasoning_tokens: int | None = None


class UsageCounts(msgspec.Struct, gc=False):
    """Token counts."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    input_tokens_details: InputDetails | None = None
    output_tokens_details: OutputDetails | None = None
