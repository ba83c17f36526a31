"""The vendor's JSON for a streamed chat, as Structs, and what of it chunks carry.

Source: Cohere's API definition as the official Python client (cohere 7.3, `v2/types/` and `types/`) carries
it, read 2026-11-25, and recorded streams. The Structs forbid unknown fields on purpose: an event that they do
not know is read again as plain data, so that nothing of it is lost.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec

from headrace.core.opaque import Opaque
from headrace.wire.kept import Known, own_of

WIRE_NAME = "cohere"
Fields = dict[str, Any]

# Stands with the arguments of a call that has none.
IMPLIED = Opaque(WIRE_NAME, {"implied": True})
# Marks reasoning that is the plan for the calls after it: `tool_plan`, no content of its own.
PLAN = "plan"
# A note with the end of a block, of the unknown fields of its last event: it is no part of the block.
STOP = "$stop"
# The same with a citation, of the event that brought it.
EVENT = "$event"


class Content(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """A piece of text or of thinking."""

    text: str | None = None
    thinking: str | None = None


class ContentMessage(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """Its place."""

    content: Content


class ContentDelta(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """Its place."""

    message: ContentMessage


class ContentPiece(
    msgspec.Struct, gc=False, forbid_unknown_fields=True, tag_field="type", tag="content-delta"
):
    """A piece of a content block."""

    index: int
    delta: ContentDelta


class PlanMessage(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """Its place."""

    tool_plan: str


class PlanDelta(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """Its place."""

    message: PlanMessage


class PlanPiece(
    msgspec.Struct, gc=False, forbid_unknown_fields=True, tag_field="type", tag="tool-plan-delta"
):
    """A piece of the plan for the calls that follow."""

    delta: PlanDelta


class Function(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """A piece of a tool call's arguments."""

    arguments: str


class Call(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """Its place."""

    function: Function


class CallMessage(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """Its place."""

    tool_calls: Call


class CallDelta(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """Its place."""

    message: CallMessage


class CallPiece(
    msgspec.Struct, gc=False, forbid_unknown_fields=True, tag_field="type", tag="tool-call-delta"
):
    """A piece of a tool call."""

    index: int
    delta: CallDelta


Piece: TypeAlias = ContentPiece | PlanPiece | CallPiece


class End(msgspec.Struct, gc=False):
    """How a message ended. error: what went wrong, in words."""

    finish_reason: str | None = None
    usage: Fields | None = None
    error: str | None = None


class LogProbs(msgspec.Struct, gc=False):
    """What the model tells of the tokens of a piece of text."""

    text: str = ""
    token_ids: list[int] = []
    logprobs: list[float] | None = None


class TokenCounts(msgspec.Struct, gc=False):
    """Tokens, as the model took and gave them or as they are billed. The vendor's schema says: any number."""

    input_tokens: float | None = None
    output_tokens: float | None = None


class UsageCounts(msgspec.Struct, gc=False):
    """Counts of a reply. cached_tokens: of the input, those that were read from a cache."""

    tokens: TokenCounts | None = None
    billed_units: TokenCounts | None = None
    cached_tokens: float | None = None


_PLACE: Known = {"type": None, "index": None}


def _message(**fields: Any) -> Known:
    return {"delta": {"message": fields}}


# What chunks say themselves of each event; the rest of it rides along in `vendor`.
KNOWN: dict[str, Known] = {
    "message-start": {
        "type": None,
        "id": None,
        **_message(role=None, content=None, tool_plan=None, tool_calls=None, citations=None),
    },
    "content-start": {**_PLACE, **_message(content={"type": None, "text": None, "thinking": None})},
    "content-delta": {**_PLACE, **_message(content={"text": None, "thinking": None})},
    "content-end": _PLACE,
    "tool-plan-delta": {"type": None, **_message(tool_plan=None)},
    "tool-call-start": {
        **_PLACE,
        **_message(tool_calls={"id": None, "type": None, "function": {"name": None, "arguments": None}}),
    },
    "tool-call-delta": {**_PLACE, **_message(tool_calls={"function": {"arguments": None}})},
    "tool-call-end": _PLACE,
    "citation-start": {**_PLACE, **_message(citations=None)},
    "citation-end": _PLACE,
    "message-end": {"type": None, "delta": {"finish_reason": None, "usage": None, "error": None}},
}


def own(vendor: Opaque | None) -> Fields:
    """What came over this wire with a chunk or a part; nothing of another wire's."""
    return own_of(vendor, WIRE_NAME)


def opaque(data: Fields) -> Opaque | None:
    """The data as this wire's own; None for nothing."""
    return Opaque(WIRE_NAME, data) if data else None
