"""What the protocol has no part for, as its `data-*` parts, both ways: chunks as plain data, by their tags.

A page's reader keeps such a part in the message, or, where it is transient, only shows it. A vendor's opaque
block is kept (`data-opaque`), because the vendor wants it back with the next turn: its beginning holds the
place, and its end, by the same id, fills it. Blocks are numbered here by their place in the stream, which is
how a decoder numbers them too.
"""

from __future__ import annotations

from typing import Any

import msgspec

from headrace.core.chunk import (
    AudioDelta,
    BlockEnd,
    BlockStart,
    Chunk,
    Citation,
    Failure,
    ImageDelta,
    Step,
    ToolResult,
    TranscriptDelta,
    VendorPart,
    Verdict,
)
from headrace.core.opaque import Opaque
from headrace.errors import KINDS
from headrace.wire.reading import UNREADABLE

Part = dict[str, Any]
DataChunk = (
    AudioDelta
    | BlockEnd
    | BlockStart
    | Citation
    | ImageDelta
    | Step
    | ToolResult
    | TranscriptDelta
    | VendorPart
    | Verdict
)

_KINDS: dict[str, type[DataChunk]] = {
    "data-audio": AudioDelta,
    "data-block-end": BlockEnd,
    "data-block-start": BlockStart,
    "data-citation": Citation,
    "data-image": ImageDelta,
    "data-step": Step,
    "data-tool-result": ToolResult,
    "data-transcript": TranscriptDelta,
    "data-vendor": VendorPart,
    "data-verdict": Verdict,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}
# Kept in the message.
_KEPT = frozenset({"data-citation", "data-step", "data-tool-result", "data-transcript", "data-verdict"})
OPAQUE = "data-opaque"
FAILURE = "data-failure"


class _Whole(msgspec.Struct):
    """An opaque block, whole. block: -1 where nobody numbered it."""

    wire: str
    data: Any
    block: int = -1


class _Failed(msgspec.Struct):
    """What an error's text alone does not tell."""

    kind: str
    code: str = ""
    retryable: bool = False
    http_status: int = 500
    retry_after_s: float | None = None


def data_part(chunk: DataChunk) -> Part:
    """The part that carries a chunk. An ImageDelta is a preview here: a whole image is a file."""
    name = _NAMES[type(chunk)]
    part: Part = {"type": name, "data": msgspec.to_builtins(chunk)}
    if name not in _KEPT:
        part["transient"] = True
    return part


def opaque_start(chunk: BlockStart, id: str) -> Part:
    """The place of a vendor's own block. id: unique in the page's message."""
    return {"type": OPAQUE, "id": id, "data": {"start": msgspec.to_builtins(chunk)}}


def opaque_part(vendor: Opaque, block: int = -1, id: str = "") -> Part:
    """A vendor's own block, whole. id: of its place, where it has one."""
    data: Part = {"wire": vendor.wire, "data": vendor.data}
    if block >= 0:
        data["block"] = block
    return {"type": OPAQUE, **({"id": id} if id else {}), "data": data}


def failure_part(failure: Failure) -> Part:
    """The class of the error that follows, for pages that act upon it."""
    told = {name: getattr(failure, name) for name in ("kind", "code", "retryable", "http_status")}
    wait_s = failure.detail.get("retry_after_s")
    if wait_s is not None:
        told["retry_after_s"] = wait_s
    return {"type": FAILURE, "data": told, "transient": True}


def chunk_from(part: Part) -> Chunk | None:
    """The chunk that a part of ours carries; None for any other data."""
    kind = _KINDS.get(part["type"])
    data = part.get("data")
    if kind is None or not isinstance(data, dict) or data.get("type") != kind.__struct_config__.tag:
        return None
    found: Chunk | None = _read(data, kind)
    return found


def opaque_start_from(data: Any) -> BlockStart | None:
    """The beginning of a vendor's own block; None for what is none."""
    start = data.get("start") if isinstance(data, dict) else None
    found: BlockStart | None = _read(start, BlockStart) if isinstance(start, dict) else None
    return found if found is not None and found.kind == "opaque" else None


def opaque_from(data: Any) -> tuple[Opaque, int] | None:
    """(a vendor's own block, its number or -1); None for what is none."""
    whole = _read(data, _Whole)
    return None if whole is None else (Opaque(whole.wire, whole.data), whole.block)


def failure_from(data: Any, message: str) -> Failure | None:
    """The failure that a part of ours classes and `message` tells; None where the data classes none."""
    told = _read(data, _Failed)
    if told is None or told.kind not in KINDS:
        return None
    detail = KINDS[told.kind]("").details()
    if told.retry_after_s is not None and "retry_after_s" in detail:
        detail["retry_after_s"] = told.retry_after_s
    return Failure(told.kind, message, told.code, told.retryable, told.http_status, detail)


def _read(data: Any, kind: Any) -> Any:
    try:
        return msgspec.convert(data, kind)
    except UNREADABLE:
        return None
