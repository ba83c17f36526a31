"""One event that the Structs do not take: odd but readable, an error, or broken."""

from __future__ import annotations

from typing import Any

import msgspec

from headrace.core.chunk import (
    BlockEnd,
    BlockStart,
    Chunk,
    Citation,
    Failure,
    Finish,
    ReasoningDelta,
    Start,
    TextDelta,
    ToolCallDelta,
    VendorPart,
)
from headrace.core.opaque import Opaque
from headrace.wire.anthropic.failure import failure_from_event
from headrace.wire.anthropic.schema import (
    BESIDE,
    WIRE_NAME,
    CitationPiece,
    JsonPiece,
    Piece,
    SignaturePiece,
    TextPiece,
    ThinkingPiece,
)
from headrace.wire.failing import broken
from headrace.wire.plain import read_plain
from headrace.wire.reading import UNREADABLE

_PIECES: dict[str, type[Piece]] = {
    "text_delta": TextPiece,
    "input_json_delta": JsonPiece,
    "thinking_delta": ThinkingPiece,
    "signature_delta": SignaturePiece,
    "citations_delta": CitationPiece,
}


_FIELDS = {
    "message_start": {"type", "message"},
    "content_block_start": {"type", "index", "content_block"},
    "content_block_delta": {"type", "index", "delta"},
    "content_block_stop": {"type", "index"},
    "message_delta": {"type", "delta", "usage"},
    "message_stop": {"type"},
}
_CARRIERS: dict[str, tuple[type, ...]] = {
    "message_start": (Start,),
    "content_block_start": (BlockStart,),
    "content_block_delta": (TextDelta, ReasoningDelta, ToolCallDelta, Citation),
    "content_block_stop": (BlockEnd,),
    "message_stop": (Finish,),
}


def read_oddly(data: bytes, name: str, number: int) -> dict[str, Any] | Failure:
    """The `number`-th event, called `name`, as plain data; or the failure that it is."""
    named_error = name == "error"
    try:
        parsed = read_plain(data.decode("utf-8", "replace"))
    except UNREADABLE as error:
        if named_error:
            return failure_from_event(data.decode("utf-8", "replace"), data)
        return broken(data, number, f"not valid JSON ({error})")
    if named_error or (isinstance(parsed, dict) and _is_error(parsed)):
        return failure_from_event(parsed, data)
    if not isinstance(parsed, dict):
        return broken(data, number, "not a JSON object")
    if not isinstance(parsed.get("type"), str):
        if not name:
            return broken(data, number, "an event without a type")
        parsed["type"] = name
    return parsed


def known_piece(delta: dict[str, Any]) -> tuple[Piece, Opaque | None] | None:
    """A piece with more fields than the schema has, and those; None for a piece of another type."""
    told = delta.get("type")
    kind = _PIECES.get(told) if isinstance(told, str) else None
    if kind is None:
        return None
    fields = kind.__struct_fields__
    piece = msgspec.convert({name: delta[name] for name in (*fields, "type") if name in delta}, kind)
    extra = {name: value for name, value in delta.items() if name != "type" and name not in fields}
    return piece, Opaque(WIRE_NAME, extra) if extra else None


def beside(event: dict[str, Any]) -> dict[str, Any]:
    """The fields of a known event that it does not have."""
    return {name: value for name, value in event.items() if name not in _FIELDS[event["type"]]}


def with_beside(out: list[Chunk], begun: int, kind: str, more: dict[str, Any]) -> None:
    """Keep such fields in the chunk, from `begun` on, that the event of this kind gave."""
    for place in range(begun, len(out)):
        chunk: Any = out[place]
        if type(chunk) is VendorPart:  # a piece of an opaque block, or an event that is kept whole
            added = {BESIDE: more} if chunk.block >= 0 else more
            out[place] = VendorPart(Opaque(WIRE_NAME, {**chunk.part.data, **added}), chunk.block)
            return
        if type(chunk) in _CARRIERS[kind]:
            kept = chunk.vendor.data if chunk.vendor is not None else {}
            out[place] = msgspec.structs.replace(chunk, vendor=Opaque(WIRE_NAME, {**kept, BESIDE: more}))
            return


def _is_error(data: dict[str, Any]) -> bool:
    """Whether a JSON event is an error, also one in a gateway's shape."""
    return data.get("type") == "error" or (bool(data.get("error")) and "type" not in data)
