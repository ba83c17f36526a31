"""Our own `data-*` parts in a message being decoded: the chunks that they carry."""

from __future__ import annotations

import msgspec

from headrace.core.chunk import (
    AudioDelta,
    BlockEnd,
    BlockKind,
    BlockStart,
    Chunk,
    Citation,
    ImageDelta,
    TranscriptDelta,
    VendorPart,
)
from headrace.wire.ui_messages.blocks import IMPLIED, OpenPart, OpenParts
from headrace.wire.ui_messages.data import OPAQUE, chunk_from, opaque_from, opaque_start_from
from headrace.wire.ui_messages.metadata import Part

_KINDS: tuple[BlockKind, ...] = ("audio", "image", "transcript")  # no part of the protocol's


def read_data(event: Part, parts: OpenParts, out: list[Chunk]) -> bool:
    """Whether the event is a part of ours and was read."""
    if event["type"] == OPAQUE:
        return _opaque(event, parts, out)
    chunk = chunk_from(event)
    match chunk:
        case None:
            return False
        case BlockStart():
            return _start(chunk, parts, out)
        case BlockEnd():
            return _end(chunk, parts, out)
        case Citation():
            out.append(msgspec.structs.replace(chunk, block=parts.answer))
        case AudioDelta() | ImageDelta() | TranscriptDelta() | VendorPart():
            return _piece(chunk, parts, out)
        case _:
            out.append(chunk)
    return True


def _start(chunk: BlockStart, parts: OpenParts, out: list[Chunk]) -> bool:
    if chunk.kind not in _KINDS:
        return False
    parts.add(("data", str(chunk.block)), chunk.kind, chunk.vendor, out, chunk.id, chunk.name)
    return True


def _end(chunk: BlockEnd, parts: OpenParts, out: list[Chunk]) -> bool:
    """A block ends, or what the end of a tool call says beside the call."""
    if _found(chunk.block, parts) is not None:
        parts.end(parts.take("data", str(chunk.block)), chunk.vendor, out)
        return True
    call = parts.by_block.get(chunk.block)
    if call is None or call.kind != "tool-call":
        return False
    call.last = chunk.vendor
    return True


def _piece(
    chunk: AudioDelta | ImageDelta | TranscriptDelta | VendorPart, parts: OpenParts, out: list[Chunk]
) -> bool:
    found = _found(chunk.block, parts)
    if isinstance(chunk, VendorPart):
        out.append(msgspec.structs.replace(chunk, block=-1 if found is None else found.block))
        return True
    kind: BlockKind = "audio"
    if not isinstance(chunk, AudioDelta):
        kind = "image" if isinstance(chunk, ImageDelta) else "transcript"
    if found is None or found.kind != kind:
        found = parts.add(("data", str(chunk.block)), kind, IMPLIED, out)
    out.append(msgspec.structs.replace(chunk, block=found.block))
    return True


def _opaque(event: Part, parts: OpenParts, out: list[Chunk]) -> bool:
    """A vendor's own block: its beginning, or the whole of it, which is its end where it has begun."""
    start = opaque_start_from(event.get("data"))
    if start is not None:
        parts.add(("data", str(start.block)), "opaque", start.vendor, out, start.id, start.name)
        return True
    whole = opaque_from(event.get("data"))
    if whole is None:
        return False
    vendor, number = whole
    found = _found(number, parts)
    if found is not None and found.kind == "opaque":
        parts.take("data", str(number))
    else:
        found = parts.add(None, "opaque", vendor, out)
    parts.end(found, vendor, out)
    return True


def _found(number: int, parts: OpenParts) -> OpenPart | None:
    return parts.find("data", str(number))
