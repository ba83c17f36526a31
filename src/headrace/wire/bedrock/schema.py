"""The vendor's JSON for a streamed conversation, as Structs, and what of it chunks carry.

Source: Amazon Bedrock's own model of its runtime as botocore 1.44 carries it (`data/bedrock-runtime`, API
version 2023-09-30), read 2026-11-25, and recorded streams. The Structs forbid unknown fields on purpose: an
event that they do not know is read again as plain data, so that nothing of it is lost.
"""

from __future__ import annotations

from typing import Any

import msgspec

from headrace.core.opaque import Opaque
from headrace.wire.kept import Known, own_of

WIRE_NAME = "bedrock"
Fields = dict[str, Any]

# Stands with the arguments of a call that has none.
IMPLIED = Opaque(WIRE_NAME, {"implied": True})
# A note with the end of a block, of the unknown fields of its last event: it is no part of the block.
STOP = "$stop"


class ToolPiece(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """A piece of a tool call's input."""

    input: str


class ReasoningPiece(msgspec.Struct, gc=False, forbid_unknown_fields=True, rename="camel"):
    """One of: a piece of reasoning, its signature whole, or (base64) reasoning that is encrypted."""

    text: str | None = None
    signature: str | None = None
    redacted_content: str | None = None


class Piece(msgspec.Struct, gc=False, forbid_unknown_fields=True, rename="camel"):
    """One of: a piece of text, of a tool call or of reasoning. Other kinds are read as plain data."""

    text: str | None = None
    tool_use: ToolPiece | None = None
    reasoning_content: ReasoningPiece | None = None


class BlockPiece(msgspec.Struct, gc=False, forbid_unknown_fields=True, rename="camel"):
    """`contentBlockDelta`. p: letters that hide how long the text is, as in every event."""

    content_block_index: int
    delta: Piece
    p: str = ""


class UsageCounts(msgspec.Struct, gc=False, rename="camel"):
    """Token counts. input_tokens leave out those that were read from a cache or written to one."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_write_input_tokens: int | None = None


_PLACE: Known = {"contentBlockIndex": None, "p": None}
# What chunks say themselves of each event; the rest of it rides along in `vendor`.
KNOWN: dict[str, Known] = {
    "messageStart": {"role": None, "p": None},
    "contentBlockStart": {
        **_PLACE,
        "start": {"toolUse": {"toolUseId": None, "name": None}},
    },
    "contentBlockDelta": {
        **_PLACE,
        "delta": {
            "text": None,
            "toolUse": {"input": None},
            "reasoningContent": {"text": None, "signature": None, "redactedContent": None},
            "citation": None,
            "image": {"source": {"bytes": None}},
        },
    },
    "contentBlockStop": _PLACE,
    "messageStop": {"stopReason": None, "p": None},
    "metadata": {"usage": None, "p": None},
}


def own(vendor: Opaque | None) -> Fields:
    """What came over this wire with a chunk or a part; nothing of another wire's."""
    return own_of(vendor, WIRE_NAME)


def opaque(data: Fields) -> Opaque | None:
    """The data as this wire's own; None for nothing."""
    return Opaque(WIRE_NAME, data) if data else None
