"""What of an answer is open while it is decoded: its items, their blocks, and who belongs to whom."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from headrace.core.chunk import (
    BlockEnd,
    BlockKind,
    BlockStart,
    Chunk,
    ReasoningDelta,
    RefusalDelta,
    TextDelta,
    Token,
    ToolCallDelta,
)
from headrace.core.opaque import Opaque
from headrace.wire.openai_responses.schema import MAX_PIECES, WIRE_NAME
from headrace.wire.openai_responses.template import SILENT

Fields = dict[str, Any]
# Where in its item a block stands: in a part of its content or summary, a call's input, an image, all of it.
Slot: TypeAlias = Literal["content", "summary", "input", "image", "item"]
Key: TypeAlias = tuple[int, Slot, int]

_IN_MESSAGES = frozenset({"text", "reasoning", "refusal", "tool-call", "opaque"})
_NAMELESS = Opaque(WIRE_NAME, {})


class TooManyPieces(Exception):
    """More items or blocks in one answer than `MAX_PIECES`."""

    def __init__(self) -> None:
        super().__init__(f"more than {MAX_PIECES} items or blocks")


class Item:
    """An output item. type: the vendor's word. open: its blocks that have not ended; last: the latest."""

    __slots__ = ("id", "index", "last", "open", "type")

    def __init__(self, index: int, id: str, type: str) -> None:
        self.index = index
        self.id = id
        self.type = type
        self.open: dict[int, Block] = {}
        self.last: Block | None = None


class Block:
    """A block of ours and its place in the vendor's item.

    chars: of its text that came so far. tail: the last delta.
    """

    __slots__ = ("chars", "cited", "ended", "item", "item_id", "kind", "number", "part", "tail")

    def __init__(self, number: int, kind: BlockKind, part: int, item: Item) -> None:
        self.number = number
        self.kind = kind
        self.part = part
        self.item = item
        self.item_id = item.id
        self.chars = 0
        self.tail = ""
        self.cited = 0
        self.ended = False


class Pieces:
    """Opens, finds and ends blocks; numbers them as `fold` numbers a message's parts.

    gone: ids of items whose index another item has now.
    """

    __slots__ = ("_parts", "blocks", "count", "gone", "items")

    def __init__(self) -> None:
        self.items: dict[int, Item] = {}
        self.blocks: dict[Key, Block] = {}
        self.gone: set[str] = set()
        self.count = 0
        self._parts = 0

    def item(self, index: int, id: str = "", type: str = "") -> Item:
        """The item at `index`, made where there is none. Raises TooManyPieces."""
        found = self.items.get(index)
        if found is None:
            if len(self.items) >= MAX_PIECES:
                raise TooManyPieces
            found = self.items[index] = Item(index, id, type)
        return found

    def renew(self, item: Item, id: str) -> None:
        """Another item begins at the index of one that came before."""
        if id and item.id and id != item.id and len(self.gone) < MAX_PIECES:
            self.gone.add(item.id)
            item.id, item.last = id, None

    def open(
        self,
        item: Item,
        kind: BlockKind,
        slot: Slot,
        at: int,
        out: list[Chunk],
        *,
        event: Fields | None = None,
        id: str = "",
        name: str = "",
        data: Fields | None = None,
    ) -> Block:
        """Start a block. Raises TooManyPieces.

        event: the one that said so, None where none did; data: its item then, where it is known.
        """
        if self.count >= MAX_PIECES:
            raise TooManyPieces
        known = self.blocks.get((item.index, slot, at))
        if known is not None:
            self.end(known, out)
        part = -1
        if kind in _IN_MESSAGES:
            part, self._parts = self._parts, self._parts + 1
        block = Block(self.count, kind, part, item)
        self.count += 1
        self.blocks[(item.index, slot, at)] = block
        item.open[block.number] = item.last = block
        place: Fields = {"slot": slot, "output_index": item.index, "item_id": item.id, "index": at}
        if item.type:
            place["item_type"] = item.type
        if event is not None:
            event.pop("sequence_number", None)
            place["event"] = event
        elif data is not None:
            place["item"] = data
        out.append(BlockStart(block.number, kind, id, name, 0, Opaque(WIRE_NAME, place)))
        return block

    def end(self, block: Block, out: list[Chunk], vendor: Opaque | None = None) -> None:
        """End a block, once. vendor: the template of the event that said so."""
        if not block.ended:
            block.ended = True
            block.item.open.pop(block.number, None)
            out.append(BlockEnd(block.number, 0, vendor or _NAMELESS))

    def end_item(self, item: Item, out: list[Chunk], *, but: Block | None = None) -> None:
        """End the blocks of an item that are still open; no event said so."""
        for block in [*item.open.values()]:
            if block is not but:
                self.end(block, out)

    def end_all(self, out: list[Chunk]) -> None:
        """The same for the whole answer."""
        for item in self.items.values():
            self.end_item(item, out)


def say(
    block: Block,
    text: str,
    out: list[Chunk],
    tokens: tuple[Token, ...] = (),
    vendor: Opaque | None = None,
) -> None:
    """Append `text` to a block, as the delta of its kind."""
    block.chars += len(text)
    block.tail = text
    number = block.number
    match block.kind:
        case "text":
            out.append(TextDelta(number, text, tokens, 0, vendor))
        case "reasoning":
            out.append(ReasoningDelta(number, text, tokens, 0, vendor))
        case "refusal":
            out.append(RefusalDelta(number, text, tokens, 0, vendor))
        case _:
            out.append(ToolCallDelta(number, text, 0, vendor))


def catch_up(block: Block, text: Any, out: list[Chunk]) -> bool:
    """Whether `text`, said whole, is the block's; what of it no delta brought is said now."""
    if not isinstance(text, str):
        return False
    missed = text[block.chars :]
    if missed and text[: block.chars].endswith(block.tail):
        if block.ended:
            return bool(block.chars)  # too late to say it; where nothing was said it stays where it is
        say(block, missed, out, vendor=SILENT)
    return True


def hole(block: Block, *path: str | int, way: str = "") -> Fields:
    """Where the content of `block` stood in an event."""
    found: Fields = {"at": list(path), "block": block.number, "part": block.part}
    if way:
        found["as"] = way
    return found
