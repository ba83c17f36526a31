"""One event that the Structs do not take: odd but readable, an error, or broken."""

from __future__ import annotations

from typing import Any

import msgspec

from headrace.core.chunk import Failure
from headrace.core.opaque import Opaque
from headrace.wire.anthropic.failure import failure_from_event
from headrace.wire.anthropic.schema import (
    WIRE_NAME,
    CitationPiece,
    JsonPiece,
    Piece,
    SignaturePiece,
    TextPiece,
    ThinkingPiece,
)
from headrace.wire.failing import broken
from headrace.wire.reading import UNREADABLE

_PIECES: dict[str, type[Piece]] = {
    "text_delta": TextPiece,
    "input_json_delta": JsonPiece,
    "thinking_delta": ThinkingPiece,
    "signature_delta": SignaturePiece,
    "citations_delta": CitationPiece,
}


def read_oddly(data: bytes, name: str, number: int) -> dict[str, Any] | Failure:
    """The `number`-th event, called `name`, as plain data; or the failure that it is."""
    named_error = name == "error"
    try:
        parsed = msgspec.json.decode(data.decode("utf-8", "replace"))
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


def _is_error(data: dict[str, Any]) -> bool:
    """Whether a JSON event is an error, also one in a gateway's shape."""
    return data.get("type") == "error" or (bool(data.get("error")) and "type" not in data)
