"""The blocks of a message being decoded: which are open, and what their events mean as chunks."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as NotBase64
from typing import Any, TypeVar

import msgspec

from headrace.core.chunk import (
    BlockEnd,
    BlockKind,
    BlockStart,
    Chunk,
    Citation,
    ImageDelta,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
    VendorPart,
)
from headrace.core.opaque import Opaque
from headrace.wire.allowance import Allowance
from headrace.wire.arguments import NO_ARGUMENTS
from headrace.wire.bedrock.open_block import OpenBlock
from headrace.wire.bedrock.schema import IMPLIED, WIRE_NAME, Fields, ReasoningPiece, ToolPiece, opaque
from headrace.wire.failing import Misplaced
from headrace.wire.kept import put_back
from headrace.wire.reading import sift

MAX_OPEN_BLOCKS = 1024

S = TypeVar("S", bound=msgspec.Struct)


class Blocks:
    """Takes the events of blocks by the vendor's index; ours count up from 0.

    Text, reasoning, images and calls of the caller's tools are modelled. Every other kind (tools that the
    vendor runs and their results, what does not exist yet) is an opaque block: its beginning in `BlockStart`,
    a `VendorPart` for each piece, and the whole of it in `BlockEnd`. Text and reasoning mostly come without a
    beginning, or with one that says nothing: their first piece opens them. vendor, everywhere: the unknown
    fields of the event.
    """

    __slots__ = ("_allowance", "_highest", "_next", "_open")

    def __init__(self) -> None:
        self._allowance = Allowance()
        self._open: dict[int, OpenBlock] = {}
        self._next = 0
        self._highest = -1

    @property
    def any(self) -> bool:
        """Whether a block has begun."""
        return self._highest >= 0

    def start(self, index: int, start: Fields, vendor: Opaque | None, out: list[Chunk]) -> None:
        """A block begins."""
        tool, image = start.get("toolUse"), start.get("image")
        if not any(start.values()):
            return
        if isinstance(tool, dict) and not tool.get("type"):
            id, name = tool.get("toolUseId"), tool.get("name")
            if not isinstance(id, str) or not isinstance(name, str):
                raise Misplaced("a tool call whose id or name is no text")
            self._begin(index, "tool-call", out, vendor, id=id, name=name)
        elif isinstance(image, dict) and isinstance(image.get("format"), str):
            self._begin(index, "image", out, vendor).name = image["format"]
        else:
            self._opaque(index, start, vendor, out)

    def text(self, index: int, text: str, out: list[Chunk], vendor: Opaque | None = None) -> None:
        """A piece of text."""
        to = self._of(index, "text", out)
        if text or vendor is not None:
            out.append(TextDelta(to.block, text, vendor=vendor))

    def think(
        self, index: int, thought: ReasoningPiece, out: list[Chunk], vendor: Opaque | None = None
    ) -> None:
        """A piece of reasoning; or its signature, whole: a later one replaces it; or reasoning that is
        encrypted, whole: a second one in a block is a block of its own.
        """
        to = self._of(index, "reasoning", out)
        if thought.signature is not None:
            to.keep("signature", thought.signature)
        if thought.redacted_content is not None:
            if "redactedContent" in to.own:
                to = self._begin(index, "reasoning", out)
            to.keep("redactedContent", thought.redacted_content)
        if thought.text or vendor is not None:
            out.append(ReasoningDelta(to.block, thought.text or "", vendor=vendor))

    def arguments(self, index: int, text: str, out: list[Chunk], vendor: Opaque | None = None) -> None:
        """A piece of a tool call's input."""
        to = self._open.get(index)
        if to is None or to.kind not in ("tool-call", "opaque"):
            raise Misplaced(f"block {index} is no tool call")
        if to.kind == "opaque":
            event = {"delta": {"toolUse": {"input": text}}}
            self.piece(index, put_back(event, vendor.data) if vendor is not None else event, out)
        elif text or vendor is not None:
            to.said = to.said or bool(text)
            out.append(ToolCallDelta(to.block, text, vendor=vendor))

    def cite(self, index: int, source: Fields, out: list[Chunk], vendor: Opaque | None = None) -> None:
        """A source of a text."""
        to = self._of(index, "text", out)
        to.cite(source)
        out.append(_citation(to.block, source))
        if vendor is not None:
            out.append(TextDelta(to.block, "", vendor=vendor))

    def image(self, index: int, data: str) -> None:
        """A piece of an image, base64: an image is given whole. Raises Misplaced where it is none."""
        to = self._open.get(index)
        if to is None or to.kind != "image":
            raise Misplaced(f"block {index} is no image")
        try:
            to.grow(b64decode(data, validate=True))
        except (NotBase64, ValueError) as error:
            raise Misplaced(f"an image that is no base64 ({error})") from None

    def odd_piece(self, index: int, delta: Fields, vendor: Opaque | None, out: list[Chunk]) -> None:
        """A piece that is read as plain data. vendor: what of it chunks do not model."""
        for name, value in delta.items():
            if value is not None and self._told(index, name, value, vendor, out):
                vendor = None
        if vendor is not None:
            self.piece(index, vendor.data, out)

    def piece(self, index: int, event: Fields, out: list[Chunk]) -> None:
        """A piece that chunks do not model, kept with the block it belongs to. event: without its place."""
        to = self._open.get(index) or self._of(index, "text", out)
        vendor = Opaque(WIRE_NAME, event)
        match to.kind:
            case "text":
                out.append(TextDelta(to.block, "", vendor=vendor))
            case "reasoning":
                out.append(ReasoningDelta(to.block, "", vendor=vendor))
            case "tool-call":
                out.append(ToolCallDelta(to.block, "", vendor=vendor))
            case _:
                if to.kind == "opaque":
                    to.take(event.get("delta"))
                out.append(VendorPart(vendor, to.block))

    def _told(self, index: int, name: str, value: Any, vendor: Opaque | None, out: list[Chunk]) -> bool:
        """Read one member of such a piece; whether its unknown fields have found a chunk."""
        match name:
            case "text":
                self.text(index, msgspec.convert(value, str), out, vendor)
            case "toolUse":
                self.arguments(index, _known(value, ToolPiece).input, out, vendor)
            case "reasoningContent":
                self.think(index, _known(value, ReasoningPiece), out, vendor)
            case "citation" if isinstance(value, dict):
                self.cite(index, value, out, vendor)
            case "image":
                source = value.get("source") if isinstance(value, dict) else None
                if isinstance(source, dict) and isinstance(source.get("bytes"), str):
                    self.image(index, source["bytes"])
                return False
            case _:
                return False
        return True

    def stop(self, index: int, out: list[Chunk], vendor: Opaque | None = None) -> None:
        """A block is complete. One that never said anything was an empty text."""
        if index not in self._open:
            if index <= self._highest:
                raise Misplaced(f"block {index} is not open")
            self._of(index, "text", out)
        self._end(index, out, vendor)

    def stop_all(self, out: list[Chunk]) -> None:
        """Close what was left open."""
        for index in list(self._open):
            self._end(index, out)

    def _opaque(self, index: int, start: Fields, vendor: Opaque | None, out: list[Chunk]) -> None:
        beside = {name: one for name, one in (vendor.data if vendor else {}).items() if name != "start"}
        own = {"start": start, **beside}
        name, body = next(((name, one) for name, one in start.items() if isinstance(one, dict)), ("", {}))
        id, called = body.get("toolUseId"), body.get("name")
        opened = self._begin(
            index,
            "opaque",
            out,
            Opaque(WIRE_NAME, own),
            id=id if isinstance(id, str) else "",
            name=called if isinstance(called, str) else "",
        )
        opened.begin(name, body)

    def _of(self, index: int, kind: BlockKind, out: list[Chunk]) -> OpenBlock:
        """The open block of this kind; one of another kind at its index ends, and none is opened."""
        found = self._open.get(index)
        if found is not None and found.kind == kind:
            return found
        if found is not None and found.kind not in ("text", "reasoning"):
            raise Misplaced(f"a piece of {kind} in block {index}, a {found.kind}")
        return self._begin(index, kind, out)

    def _begin(
        self,
        index: int,
        kind: BlockKind,
        out: list[Chunk],
        vendor: Opaque | None = None,
        id: str = "",
        name: str = "",
    ) -> OpenBlock:
        if index in self._open:
            self._end(index, out)
        if len(self._open) >= MAX_OPEN_BLOCKS:
            raise Misplaced(f"more than {MAX_OPEN_BLOCKS} blocks are open")
        self._highest = max(self._highest, index)
        block, self._next = self._next, self._next + 1
        opened = self._open[index] = OpenBlock(block, kind, self._allowance)
        out.append(BlockStart(block, kind, id, name, vendor=vendor))
        return opened

    def _end(self, index: int, out: list[Chunk], vendor: Opaque | None = None) -> None:
        ended = self._open.pop(index)
        if ended.kind == "tool-call" and not ended.said:
            out.append(ToolCallDelta(ended.block, NO_ARGUMENTS, vendor=IMPLIED))
        elif ended.kind == "image" and ended.data:
            out.append(ImageDelta(ended.block, b"".join(ended.data), f"image/{ended.name}"))
        out.append(BlockEnd(ended.block, vendor=opaque(ended.end(vendor.data if vendor else {}))))


def _citation(block: int, body: Fields) -> Citation:
    location = body.get("location")
    web = location.get("web") if isinstance(location, dict) else None
    url = web.get("url") if isinstance(web, dict) else None
    title = body.get("title") or body.get("source") or ""
    parts = body.get("sourceContent")
    quote = "".join(_texts(parts)) if isinstance(parts, list) else ""
    return Citation(block, str(url or ""), str(title), quote, vendor=Opaque(WIRE_NAME, body))


def _texts(parts: list[Any]) -> list[str]:
    return [one["text"] for one in parts if isinstance(one, dict) and isinstance(one.get("text"), str)]


def _known(value: Any, kind: type[S]) -> S:
    """The known fields of an object. Raises msgspec.ValidationError where they are not what they must be."""
    known, _ = sift(msgspec.convert(value, Fields), kind)
    return msgspec.convert(known, kind)
