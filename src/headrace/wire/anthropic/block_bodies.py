"""The vendor's blocks and pieces of blocks, written from ours."""

from __future__ import annotations

from typing import Any

from headrace.core.chunk import (
    BlockEnd,
    BlockKind,
    BlockStart,
    Citation,
    ReasoningDelta,
    RefusalDelta,
    ToolCallDelta,
)
from headrace.core.opaque import Opaque
from headrace.wire.anthropic.schema import BESIDE, IMPLIED, NOTES, SIGNED, WIRE_NAME
from headrace.wire.arguments import NO_ARGUMENTS
from headrace.wire.kept import own_of
from headrace.wire.one_block import Delta

Fields = dict[str, Any]

# Our kinds that have a place here; sound and images of an answer have none.
KINDS: dict[BlockKind, str] = {
    "text": "text",
    "refusal": "text",
    "transcript": "text",
    "reasoning": "thinking",
    "tool-call": "tool_use",
}


TEXTS = frozenset(kind for kind, word in KINDS.items() if word == "text")


def own(vendor: Opaque | None) -> Fields:
    """What came over this wire with a chunk or a part; nothing of another wire's, and no notes."""
    kept = own_of(vendor, WIRE_NAME)
    return kept if NOTES.isdisjoint(kept) else {name: kept[name] for name in kept if name not in NOTES}


def noted(vendor: Opaque | None, note: str = BESIDE) -> Fields:
    """Unknown fields that came with a chunk: those of its event, or what another note says."""
    found: Fields = own_of(vendor, WIRE_NAME).get(note, {})
    return found


def signed(end: BlockEnd) -> Fields | None:
    """The event that brings a block's signature, less its index; None where there is none."""
    signature = own(end.vendor).get("signature")
    if not signature:
        return None
    more = Opaque(WIRE_NAME, noted(end.vendor, SIGNED))
    return {"delta": {**own(more), "type": "signature_delta", "signature": signature}, **noted(more)}


def begun(start: BlockStart, index: int) -> Fields:
    """The `content_block` that a block begins with."""
    extra = own(start.vendor)
    match KINDS[start.kind]:
        case "text":
            return {"type": "text", "text": "", **extra}
        case "tool_use":
            return {
                "type": "tool_use",
                "id": call_id(start.id, index),
                "name": start.name,
                "input": {},
                **extra,
            }
        case _:
            return (
                extra if "type" in extra else {"type": "thinking", "thinking": "", "signature": "", **extra}
            )


def call_id(id: str, index: int) -> str:
    """The id of a tool call; one is made where the source has none, as results refer to it."""
    return id or f"toolu_{index}"


def piece(delta: Delta) -> Fields | None:
    """The `delta` of an event; None where there is nothing to say."""
    extra = own(delta.vendor)
    match delta:
        case ToolCallDelta():
            if delta.vendor == IMPLIED:
                # What the block began with holds it already, or it is nothing.
                empty = delta.arguments == NO_ARGUMENTS
                return {"type": "input_json_delta", "partial_json": ""} if empty else None
            kind, field, said = "input_json_delta", "partial_json", delta.arguments
        case ReasoningDelta():
            kind, field, said = "thinking_delta", "thinking", delta.reasoning
        case RefusalDelta():
            kind, field, said = "text_delta", "text", delta.refusal
        case _:
            kind, field, said = "text_delta", "text", delta.text
    if "type" in extra:
        return extra
    return {"type": kind, field: said, **extra} if said or extra else None


def citation(source: Citation) -> Fields | None:
    """The vendor's citation; None for a source of another wire's without an address."""
    extra = own(source.vendor)
    if extra:
        return extra
    if not source.url:
        return None
    return {
        "type": "web_search_result_location",
        "cited_text": source.quote,
        "encrypted_index": "",  # required, and only the vendor's own search can fill it
        "title": source.title or None,
        "url": source.url,
    }
