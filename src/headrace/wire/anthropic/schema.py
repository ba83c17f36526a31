"""The vendor's JSON for a streamed message, as Structs.

Source: Anthropic's published schema as the official Python client (anthropic 2.11, `types/` and
`types/beta/`) carries it, read 2026-11-21, and recorded streams. The Structs forbid unknown fields on
purpose: an event that they do not know is read again as plain data, so that nothing of it is lost.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec

from headrace.core.opaque import Opaque

WIRE_NAME = "anthropic"
# Stands with the arguments of a call that its block began with, or that has none.
IMPLIED = Opaque(WIRE_NAME, {"implied": True})
VERSION = "2026-10-21"  # of the API that is spoken here, as the client above asks for it
# Notes in `vendor` of where unknown fields stood: they are no part of a block.
BESIDE = "$event"  # beside the event's own fields
DELTA = "$delta"  # in the delta that brought a citation
SIGNED = "$signed"  # in the delta that brought a block's signature, with its BESIDE
NOTES = frozenset({BESIDE, DELTA, SIGNED})


class TextPiece(msgspec.Struct, gc=False, forbid_unknown_fields=True, tag_field="type", tag="text_delta"):
    """A piece of an answer."""

    text: str


class JsonPiece(
    msgspec.Struct, gc=False, forbid_unknown_fields=True, tag_field="type", tag="input_json_delta"
):
    """A piece of a tool call's input; the first is often empty."""

    partial_json: str


class ThinkingPiece(
    msgspec.Struct, gc=False, forbid_unknown_fields=True, tag_field="type", tag="thinking_delta"
):
    """A piece of thinking."""

    thinking: str


class SignaturePiece(
    msgspec.Struct, gc=False, forbid_unknown_fields=True, tag_field="type", tag="signature_delta"
):
    """The signature of a thinking block, whole; a later one replaces it."""

    signature: str


class CitationPiece(
    msgspec.Struct, gc=False, forbid_unknown_fields=True, tag_field="type", tag="citations_delta"
):
    """One more source of a text block."""

    citation: dict[str, Any]


Piece: TypeAlias = TextPiece | JsonPiece | ThinkingPiece | SignaturePiece | CitationPiece


class MessageStart(
    msgspec.Struct, gc=False, forbid_unknown_fields=True, tag_field="type", tag="message_start"
):
    """The first event: the message without its content."""

    message: dict[str, Any]


class BlockStarted(
    msgspec.Struct, gc=False, forbid_unknown_fields=True, tag_field="type", tag="content_block_start"
):
    """A block begins."""

    index: int
    content_block: dict[str, Any]


class BlockPiece(
    msgspec.Struct, gc=False, forbid_unknown_fields=True, tag_field="type", tag="content_block_delta"
):
    """A piece of a block."""

    index: int
    delta: Piece


class BlockStopped(
    msgspec.Struct, gc=False, forbid_unknown_fields=True, tag_field="type", tag="content_block_stop"
):
    """A block is complete."""

    index: int


class MessageDelta(msgspec.Struct, gc=False, tag_field="type", tag="message_delta"):
    """Why it ended, and the counts so far (they replace earlier ones); other fields are kept as they come."""

    delta: dict[str, Any] = msgspec.field(default_factory=dict)
    usage: dict[str, Any] | None = None


class MessageStop(msgspec.Struct, gc=False, forbid_unknown_fields=True, tag_field="type", tag="message_stop"):
    """The last event."""


class Ping(msgspec.Struct, gc=False, tag_field="type", tag="ping"):
    """A keep-alive."""


class ErrorEvent(msgspec.Struct, gc=False, tag_field="type", tag="error"):
    """An error after a good beginning."""

    error: Any = None


Event: TypeAlias = (
    MessageStart | BlockStarted | BlockPiece | BlockStopped | MessageDelta | MessageStop | Ping | ErrorEvent
)


class CacheCreation(msgspec.Struct, gc=False):
    """Cache writes by their time to live."""

    ephemeral_5m_input_tokens: int | None = None
    ephemeral_1h_input_tokens: int | None = None


class OutputDetails(msgspec.Struct, gc=False):
    """Parts of output_tokens."""

    thinking_tokens: int | None = None


class UsageCounts(msgspec.Struct, gc=False):
    """Token counts. input_tokens are those neither read from a cache nor written to one."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    output_tokens_details: OutputDetails | None = None
