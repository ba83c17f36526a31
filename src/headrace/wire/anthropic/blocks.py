"""The blocks of a message being decoded: which are open, and what their events mean as chunks."""

from __future__ import annotations

from typing import Any

import msgspec

from headrace.core.chunk import (
    BlockEnd,
    BlockKind,
    BlockStart,
    Chunk,
    Citation,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
    VendorPart,
)
from headrace.core.opaque import Opaque
from headrace.wire.anthropic.schema import (
    DELTA,
    SIGNED,
    WIRE_NAME,
    CitationPiece,
    JsonPiece,
    Piece,
    SignaturePiece,
    TextPiece,
    ThinkingPiece,
)

MAX_OPEN_BLOCKS = 1024

_KINDS: dict[str, BlockKind] = {
    "text": "text",
    "thinking": "reasoning",
    "redacted_thinking": "reasoning",
    "tool_use": "tool-call",
}
# Fields of a block's beginning that chunks carry themselves, where they hold what they always hold.
_CARRIED: dict[str, frozenset[str]] = {
    "text": frozenset({"type", "text"}),
    "thinking": frozenset({"type", "thinking"}),
    "redacted_thinking": frozenset(),
    "tool_use": frozenset({"type", "id", "name", "input"}),
}
_TEXTS = ("text", "thinking", "id", "name", "signature")
# What stands for the call of a tool without arguments: the vendor's input is {}, never nothing.
NO_ARGUMENTS = "{}"
IMPLIED = Opaque(WIRE_NAME, {"implied": True})


class Misplaced(Exception):
    """An event that has no place where it stands: the text says why."""


class _Open:
    """A block between its start and its stop. block is -1 for one that is kept opaque."""

    __slots__ = ("block", "input", "kind", "signature", "signed")

    def __init__(self, block: int, kind: BlockKind | None) -> None:
        self.block = block
        self.kind = kind
        self.input: Any = None  # of a tool call: what its start held, until a piece replaces it
        self.signature: str | None = None
        self.signed: Opaque | None = None  # unknown fields of what brought the signature


class Blocks:
    """Takes the events of blocks by the vendor's index; ours count up from 0 over what is modelled.

    Text, thinking and tool calls are modelled. Every other kind (a server's tools and their results,
    compaction, uploads, what does not exist yet) comes out as `VendorPart`s, an event each.
    """

    __slots__ = ("_next", "_open", "spoke")

    def __init__(self) -> None:
        self._open: dict[int, _Open] = {}
        self._next = 0
        self.spoke = False  # whether any block has begun

    @property
    def any_open(self) -> bool:
        """Whether a block has not been stopped."""
        return bool(self._open)

    def start(self, index: int, body: dict[str, Any], out: list[Chunk]) -> None:
        """A block begins."""
        if index in self._open:
            self.stop(index, out)
        if len(self._open) >= MAX_OPEN_BLOCKS:
            raise Misplaced(f"more than {MAX_OPEN_BLOCKS} blocks are open")
        self.spoke = True
        kind = _kind(body)
        if kind is None:
            self._open[index] = _Open(-1, None)
            event = {"type": "content_block_start", "index": index, "content_block": body}
            out.append(VendorPart(Opaque(WIRE_NAME, event)))
            return
        block, self._next = self._next, self._next + 1
        opened = self._open[index] = _Open(block, kind)
        tool = kind == "tool-call"
        id, name = (body.get("id") or "", body.get("name") or "") if tool else ("", "")
        out.append(BlockStart(block, kind, id, name, vendor=_vendor(body)))
        if tool:
            opened.input = body.get("input")
        elif kind == "text" and body.get("text"):
            out.append(TextDelta(block, body["text"]))
        elif body.get("thinking"):
            out.append(ReasoningDelta(block, body["thinking"]))
        opened.signature = body.get("signature") or None

    def piece(self, index: int, piece: Piece, out: list[Chunk], vendor: Opaque | None = None) -> None:
        """A piece of a block. vendor: its unknown fields."""
        to = self._at(index)
        if type(piece) is TextPiece and to.kind == "text":
            if piece.text or vendor is not None:
                out.append(TextDelta(to.block, piece.text, vendor=vendor))
        elif type(piece) is ThinkingPiece and to.kind == "reasoning":
            if piece.thinking or vendor is not None:
                out.append(ReasoningDelta(to.block, piece.thinking, vendor=vendor))
        elif type(piece) is JsonPiece and to.kind == "tool-call":
            if piece.partial_json:
                to.input = None
            if piece.partial_json or vendor is not None:
                out.append(ToolCallDelta(to.block, piece.partial_json, vendor=vendor))
        elif type(piece) is SignaturePiece and to.kind == "reasoning":
            to.signature, to.signed = piece.signature, vendor
        elif type(piece) is CitationPiece and to.kind == "text":
            out.append(_citation(to.block, piece.citation, vendor))
        else:
            more = vendor.data if vendor is not None else {}
            self.odd_piece(index, {**msgspec.to_builtins(piece), **more}, out)

    def odd_piece(self, index: int, delta: dict[str, Any], out: list[Chunk]) -> None:
        """A piece that chunks do not model, kept with the block it belongs to."""
        to = self._at(index)
        vendor = Opaque(WIRE_NAME, delta)
        match to.kind:
            case "text":
                out.append(TextDelta(to.block, "", vendor=vendor))
            case "reasoning":
                out.append(ReasoningDelta(to.block, "", vendor=vendor))
            case "tool-call":
                out.append(ToolCallDelta(to.block, "", vendor=vendor))
            case _:
                event = {"type": "content_block_delta", "index": index, "delta": delta}
                out.append(VendorPart(Opaque(WIRE_NAME, event)))

    def stop(self, index: int, out: list[Chunk]) -> None:
        """A block is complete."""
        opened = self._at(index)
        del self._open[index]
        if opened.kind is None:
            out.append(VendorPart(Opaque(WIRE_NAME, {"type": "content_block_stop", "index": index})))
            return
        if opened.input is not None:
            whole = msgspec.json.encode(opened.input).decode() if opened.input else NO_ARGUMENTS
            out.append(ToolCallDelta(opened.block, whole, vendor=IMPLIED))
        out.append(BlockEnd(opened.block, vendor=_signed(opened)))

    def stop_all(self, out: list[Chunk]) -> None:
        """Close what was left open."""
        for index in list(self._open):
            self.stop(index, out)

    def _at(self, index: int) -> _Open:
        found = self._open.get(index)
        if found is None:
            raise Misplaced(f"block {index} is not open")
        return found


def _kind(body: dict[str, Any]) -> BlockKind | None:
    """Our kind of a block; None where it is not modelled or its fields are not what the schema says."""
    told = body.get("type")
    kind = _KINDS.get(told) if isinstance(told, str) else None
    if any(not isinstance(body.get(name) or "", str) for name in _TEXTS):
        return None
    return None if kind == "tool-call" and not isinstance(body.get("input") or {}, dict) else kind


def _vendor(body: dict[str, Any]) -> Opaque | None:
    """What a block's beginning says beyond the ordinary."""
    carried = _CARRIED[body["type"]]
    if "signature" in body and not body["signature"]:
        carried |= {"signature"}
    if body.get("input"):
        carried -= {"input"}
    extra = {name: value for name, value in body.items() if name not in carried}
    return Opaque(WIRE_NAME, extra) if extra else None


def _signed(opened: _Open) -> Opaque | None:
    if not opened.signature:
        return None
    more = {SIGNED: opened.signed.data} if opened.signed is not None else {}
    return Opaque(WIRE_NAME, {"signature": opened.signature, **more})


def _citation(block: int, body: dict[str, Any], more: Opaque | None) -> Citation:
    url = body.get("url") or body.get("source") or ""
    title = body.get("title") or body.get("document_title") or ""
    quote = body.get("cited_text") or ""
    kept = {**body, DELTA: more.data} if more is not None else body
    return Citation(block, str(url), str(title), str(quote), vendor=Opaque(WIRE_NAME, kept))
