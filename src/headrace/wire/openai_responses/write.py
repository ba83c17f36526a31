"""Events of items and blocks: as they came over this wire, or made for those that came over another."""

from __future__ import annotations

from typing import Any

import msgspec

from headrace.core.chunk import BlockKind, BlockStart, Citation, ImageDelta
from headrace.wire.carried import carry, carry_call
from headrace.wire.openai_responses.schema import WIRE_NAME
from headrace.wire.openai_responses.template import filled, own
from headrace.wire.openai_responses.written import WrittenBlock, WrittenItem

Fields = dict[str, Any]
_json = msgspec.json.encode

# Our kind -> (type of the item made for it, what its id begins with, the slot its text stands in).
_MADE: dict[BlockKind, tuple[str, str, str]] = {
    "text": ("message", "msg", "content"),
    "refusal": ("message", "msg", "content"),
    "reasoning": ("reasoning", "rs", "content"),
    "tool-call": ("function_call", "fc", "input"),
    "image": ("image_generation_call", "ig", "image"),
}
_SOUND = {"audio": "response.audio.done", "transcript": "response.audio.transcript.done"}


class Writer:
    """Writes events and remembers what they said. number: the next event's.

    foreign: whether an item was made here. An item that came over this wire keeps its place, unless one of
    ours has it already.
    """

    __slots__ = ("_custom", "_items", "_moved", "_name", "blocks", "foreign", "number")

    def __init__(self, custom: frozenset[str]) -> None:
        self._custom = custom
        self._name = ""
        self._items: dict[int, WrittenItem] = {}
        self._moved: dict[int, int] = {}
        self.blocks: dict[int, WrittenBlock] = {}
        self.foreign = False
        self.number = 0

    def name_after(self, id: str) -> None:
        """Items made here carry the response's id in theirs."""
        self._name = id.partition("_")[2] or id

    def emit(self, event: Fields, out: list[bytes]) -> None:
        """Write an event under the next number."""
        data = _json({**event, "sequence_number": self.number})
        self.number += 1
        out.append(b"event: %b\ndata: %b\n\n" % (event["type"].encode("utf-8", "replace"), data))

    def content(self, hole: Fields) -> Any:
        """What belongs into a hole of a template."""
        block = self.blocks.get(hole["block"])
        if block is None:
            return [] if hole.get("as") == "logprobs" else ""
        return block.content(hole)

    def kept(self, event: Fields, out: list[bytes]) -> None:
        """Write an event that came over this wire."""
        index = event.get("output_index")
        kind = event["type"]
        if isinstance(index, int):
            if kind == "response.output_item.added":
                index = self._place(index)
            index = self._moved.get(index, index)
            if index != event["output_index"]:
                event = {**event, "output_index": index}
            item = event.get("item")
            if isinstance(item, dict):
                known = self._known(index, str(item.get("id") or ""), str(item.get("type") or ""))
                known.body = item
                known.done = known.done or kind == "response.output_item.done"
        self.emit(event, out)

    def _place(self, index: int) -> int:
        held = self._items.get(index)
        if held is not None and (held.done or held.blocks):
            self._moved[index] = index = max(self._items) + 1
        return index

    def _known(self, index: int, id: str, type: str) -> WrittenItem:
        found = self._items.get(index)
        if found is None:
            found = self._items[index] = WrittenItem(index, id, type)
        return found

    def open(self, chunk: BlockStart, out: list[bytes]) -> WrittenBlock | None:
        """Write that a block begins. None for sound, which has no item."""
        place = own(chunk.vendor)
        if "slot" in place:
            return self._open_own(chunk, place, out)
        made = _MADE.get(chunk.kind)
        if made is None:
            self.blocks[chunk.block] = WrittenBlock(WrittenItem(-1, "", ""), chunk.kind, "", 0, False)
            return None
        self.foreign = True
        type, prefix, slot = made
        if chunk.kind == "tool-call" and chunk.name in self._custom:
            type, prefix = "custom_tool_call", "ctc"
        needed = carry_call(chunk.vendor, WIRE_NAME) if chunk.kind == "tool-call" else None
        if needed is not None:
            self._carry(needed, out)
        index = max(self._items, default=-1) + 1
        id = f"{prefix}_{self._name}{index}"
        item = WrittenItem(index, id, type, chunk.id or f"call_{index}", chunk.name)
        self._items[index] = item
        added = {
            "type": "response.output_item.added",
            "output_index": index,
            "item": item.whole("in_progress"),
        }
        self.emit(added, out)
        block = WrittenBlock(item, chunk.kind, slot, 0, False)
        block.carried = carry(chunk.vendor, WIRE_NAME) if chunk.kind == "reasoning" else None
        item.blocks.append(block)
        self.blocks[chunk.block] = block
        if slot == "content":
            self.emit({"type": "response.content_part.added", **block.place, "part": block.empty_part()}, out)
        elif slot == "image":
            self.emit({"type": "response.image_generation_call.in_progress", **block.place}, out)
        return block

    def _carry(self, needed: str, out: list[bytes]) -> None:
        """What a call's vendor needs back: reasoning without a text, before the call."""
        index = max(self._items, default=-1) + 1
        item = self._items[index] = WrittenItem(index, f"rs_{self._name}{index}", "reasoning")
        added = {
            "type": "response.output_item.added",
            "output_index": index,
            "item": item.whole("in_progress"),
        }
        self.emit(added, out)
        item.body = {"encrypted_content": needed}
        self._item_done(item, out)

    def _open_own(self, chunk: BlockStart, place: Fields, out: list[bytes]) -> WrittenBlock:
        index: int = place["output_index"]
        id, type = place["item_id"], place.get("item_type", "")
        if "event" in place and place["event"]["type"] == "response.output_item.added":
            index = self._place(index)
        index = self._moved.get(index, index)
        item = WrittenItem(-1, id, type) if index < 0 else self._known(index, id, type or _type(chunk.kind))
        item.call_id, item.name = chunk.id, chunk.name
        block = WrittenBlock(item, chunk.kind, place["slot"], place["index"], True)
        item.blocks.append(block)
        self.blocks[chunk.block] = block
        if "event" in place:
            self.kept_opening(filled(place, self.content), index, out)
        return block

    def kept_opening(self, event: Fields, index: int, out: list[bytes]) -> None:
        """Write the event that opened a block, at the item's place."""
        if event.get("output_index") != index:
            event = {**event, "output_index": index}
        if isinstance(event.get("item"), dict):
            self._items[index].body = event["item"]
        self.emit(event, out)

    def find(self, number: int, kind: BlockKind, out: list[bytes]) -> WrittenBlock:
        """The block of a delta; one whose source forgot to open it is opened."""
        found = self.blocks.get(number)
        if found is None or found.kind != kind:
            self.open(BlockStart(number, kind), out)
            found = self.blocks[number]
        return found

    def image(self, block: WrittenBlock, chunk: ImageDelta, out: list[bytes]) -> None:
        """Write a preview of an image; the image itself is said with its item."""
        block.image = chunk.data
        data = own(chunk.vendor)
        if "event" in data:
            self.kept(filled(data, self.content), out)
        elif chunk.partial and not data.get("silent"):
            event = {"type": "response.image_generation_call.partial_image", **block.place}
            self.emit({**event, "partial_image_index": block.at, "partial_image_b64": block.base64()}, out)
            block.at += 1

    def cite(self, block: WrittenBlock, chunk: Citation, out: list[bytes]) -> None:
        """Write a source of a text."""
        data = own(chunk.vendor)
        if "event" in data:
            block.annotations.append(data["event"].get("annotation"))
            self.kept(data["event"], out)
            return
        if chunk.start < 0 and "annotation" not in data and block.kind == "text" and not block.closed:
            block.cited.append(chunk)  # it is about the whole block: how long that is shows when it ends
            return
        annotation = data.get("annotation") or annotation_body(chunk, block)
        if block.kind != "text" or block.closed or data.get("silent"):
            block.annotations.append(annotation)
            return
        place = {**block.place, "annotation_index": len(block.annotations), "annotation": annotation}
        block.annotations.append(annotation)
        self.emit({"type": "response.output_text.annotation.added", **place}, out)

    def close(self, block: WrittenBlock, out: list[bytes]) -> None:
        """Write that a block is complete, and its item where it was made for it."""
        if block.closed:
            return
        cited, block.cited = block.cited, []
        for one in cited:
            self.cite(block, msgspec.structs.replace(one, start=0, end=block.chars), out)
        block.closed = True
        if block.kind in _SOUND:
            self.emit({"type": _SOUND[block.kind]}, out)
            return
        if block.kind == "opaque":
            self._item_done(block.item, out)
            return
        if block.wrapped:
            block.unwrap()
            self.emit({"type": f"{block.stem}.delta", **block.place, "delta": block.text()}, out)
        if block.kind == "image":
            self.emit({"type": "response.image_generation_call.completed", **block.place}, out)
        else:
            self.emit(block.whole_text(), out)
        if block.slot in ("content", "summary"):
            stem = "content_part" if block.slot == "content" else "reasoning_summary_part"
            self.emit({"type": f"response.{stem}.done", **block.place, "part": block.whole_part()}, out)
        if not block.own or block.slot == "input":
            self._item_done(block.item, out)

    def _item_done(self, item: WrittenItem, out: list[bytes]) -> None:
        item.done = True
        item.body = item.whole("completed")
        item.blocks = []  # they know it: no cycle is left
        self.emit({"type": "response.output_item.done", "output_index": item.index, "item": item.body}, out)

    def finish(self, out: list[bytes]) -> bool:
        """End what is still open. Returns whether nothing was."""
        whole = True
        for block in [*self.blocks.values()]:
            if not block.closed:
                whole = False
                self.close(block, out)
        for item in self._items.values():
            if not item.done:
                whole = False
                self._item_done(item, out)
        return whole

    def output(self) -> list[Fields]:
        """The items so far, in order; an unfinished one as far as it came."""
        ordered = [self._items[index] for index in sorted(self._items)]
        return [item.body if item.done else item.whole("incomplete") for item in ordered]


def _type(kind: BlockKind) -> str:
    return _MADE[kind][0] if kind in _MADE else ""


def annotation_body(chunk: Citation, block: WrittenBlock | None) -> Fields:
    """A source as an annotation; where its place is not known, it is all of the text."""
    end = block.chars if block is not None else 0
    return {
        "type": "url_citation",
        "url": chunk.url,
        "title": chunk.title,
        "start_index": max(chunk.start, 0),
        "end_index": chunk.end if chunk.end >= 0 else end,
    }
