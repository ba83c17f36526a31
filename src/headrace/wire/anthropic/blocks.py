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
from headrace.wire.allowance import Allowance
from headrace.wire.anthropic.open_block import OpenBlock
from headrace.wire.anthropic.schema import (
    DELTA,
    IMPLIED,
    WIRE_NAME,
    CitationPiece,
    JsonPiece,
    Piece,
    SignaturePiece,
    TextPiece,
    ThinkingPiece,
)
from headrace.wire.arguments import NO_ARGUMENTS
from headrace.wire.failing import Misplaced

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


class Blocks:
    """Takes the events of blocks by the vendor's index; ours count up from 0 over what is modelled.

    Text, thinking and tool calls are modelled. Every other kind (a server's tools and their results,
    compaction, uploads, what does not exist yet) is an opaque block: its beginning in `BlockStart`, a
    `VendorPart` for each piece, and the whole of it in `BlockEnd`.
    """

    __slots__ = ("_allowance", "_next", "_open", "spoke")

    def __init__(self) -> None:
        self._open: dict[int, OpenBlock] = {}
        self._allowance = Allowance()
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
        block, self._next = self._next, self._next + 1
        opened = self._open[index] = OpenBlock(block, kind, self._allowance)
        if kind == "opaque":
            opened.begin(body)
            id, name = _text(body.get("id")), _text(body.get("name"))
            out.append(BlockStart(block, kind, id, name, vendor=Opaque(WIRE_NAME, body)))
            return
        tool = kind == "tool-call"
        id, name = (body.get("id") or "", body.get("name") or "") if tool else ("", "")
        opened.extra = _vendor(body)
        if opened.extra is not None:
            opened.hold(opened.extra.data)
        out.append(BlockStart(block, kind, id, name, vendor=opened.extra))
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
            to.sign(piece.signature, vendor)
        elif type(piece) is CitationPiece and to.kind == "text":
            out.append(_citation(to.block, piece.citation, vendor))
            to.cite(piece.citation)
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
                to.take({name: delta[name] for name in delta if name != "type"})
                out.append(VendorPart(vendor, to.block))

    def stop(self, index: int, out: list[Chunk]) -> None:
        """A block is complete."""
        opened = self._at(index)
        del self._open[index]
        if opened.input is not None:
            whole = msgspec.json.encode(opened.input).decode() if opened.input else NO_ARGUMENTS
            out.append(ToolCallDelta(opened.block, whole, vendor=IMPLIED))
        out.append(BlockEnd(opened.block, vendor=opened.end()))

    def stop_all(self, out: list[Chunk]) -> None:
        """Close what was left open."""
        for index in list(self._open):
            self.stop(index, out)

    def _at(self, index: int) -> OpenBlock:
        found = self._open.get(index)
        if found is None:
            raise Misplaced(f"block {index} is not open")
        return found


def _kind(body: dict[str, Any]) -> BlockKind:
    """Our kind of a block; opaque where it is not modelled or its fields are not what the schema says."""
    told = body.get("type")
    kind = _KINDS.get(told, "opaque") if isinstance(told, str) else "opaque"
    if any(not isinstance(body.get(name) or "", str) for name in _TEXTS):
        return "opaque"
    return "opaque" if kind == "tool-call" and not isinstance(body.get("input") or {}, dict) else kind


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _vendor(body: dict[str, Any]) -> Opaque | None:
    """What a block's beginning says beyond the ordinary."""
    carried = _CARRIED[body["type"]]
    if "signature" in body and not body["signature"]:
        carried |= {"signature"}
    if body.get("input"):
        carried -= {"input"}
    extra = {name: value for name, value in body.items() if name not in carried}
    return Opaque(WIRE_NAME, extra) if extra else None


def _citation(block: int, body: dict[str, Any], more: Opaque | None) -> Citation:
    url = body.get("url") or body.get("source") or ""
    title = body.get("title") or body.get("document_title") or ""
    quote = body.get("cited_text") or ""
    kept = {**body, DELTA: more.data} if more is not None else body
    return Citation(block, str(url), str(title), str(quote), vendor=Opaque(WIRE_NAME, kept))
