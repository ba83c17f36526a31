"""Events about a whole item: added, done, and all of them in the final response."""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from typing import Any

from headrace.core.chunk import Chunk, ImageDelta, VendorPart
from headrace.core.opaque import Opaque
from headrace.wire.openai_responses.pieces import Block, Fields, Item, Pieces, catch_up, hole
from headrace.wire.openai_responses.read_part import form_of, part_holes
from headrace.wire.openai_responses.schema import WIRE_NAME
from headrace.wire.openai_responses.template import SILENT, template

CALLS = {"function_call": "arguments", "custom_tool_call": "input"}
_LISTS = {"message": ("content",), "reasoning": ("summary", "content")}


def item_added(event: Fields, pieces: Pieces, out: list[Chunk]) -> bool:
    """An item begins; a call or an image is a block of its own, a message's parts follow."""
    data = event.get("item")
    if not isinstance(data, dict):
        return False
    item = _item(event, data, pieces)
    pieces.renew(item, _text(data.get("id")))
    if item.type in CALLS:
        _open_call(item, data, pieces, out, event)
    elif item.type == "image_generation_call":
        pieces.open(item, "image", "image", 0, out, event=event, id=item.id)
    elif item.type not in _LISTS:
        pieces.open(item, "opaque", "item", 0, out, event=event, id=item.id, name=item.type)
    else:
        out.append(VendorPart(template(event)))
    return True


def item_done(event: Fields, pieces: Pieces, out: list[Chunk]) -> bool:
    """An item is complete; what it says that no event brought is said now."""
    data = event.get("item")
    if not isinstance(data, dict):
        return False
    item = _item(event, data, pieces)
    holes = item_holes(data, item, ("item",), pieces, out)
    kept = template(event, holes)
    last = item.last
    if last is None or last.ended or item.type == "message":
        pieces.end_item(item, out)
        out.append(VendorPart(kept))
    else:
        pieces.end_item(item, out, but=last)
        pieces.end(last, out, kept)
    return True


def item_holes(
    data: Fields, item: Item, path: tuple[str | int, ...], pieces: Pieces, out: list[Chunk]
) -> list[Fields]:
    """Take what our blocks hold out of an item at `path`; blocks that no event brought are made."""
    if item.type in CALLS:
        return _call_holes(data, item, path, pieces, out)
    if item.type == "image_generation_call":
        return _image_holes(data, item, path, pieces, out)
    if item.type in _LISTS:
        return _list_holes(data, item, path, pieces, out)
    if item.last is None:
        block = pieces.open(item, "opaque", "item", 0, out, id=item.id, name=item.type)
        pieces.end(block, out, Opaque(WIRE_NAME, {"item": data}))
    return []


def _list_holes(
    data: Fields, item: Item, path: tuple[str | int, ...], pieces: Pieces, out: list[Chunk]
) -> list[Fields]:
    """The same for an item whose texts stand in lists of parts."""
    holes: list[Fields] = []
    for name in _LISTS[item.type]:
        parts = data.get(name)
        for at, part in enumerate(parts if isinstance(parts, list) else ()):
            known = form_of(part)
            if known is None:
                continue
            kind, slot, field = known
            block = pieces.blocks.get((item.index, slot, at))
            if block is None:
                if kind == "reasoning":
                    pieces.end_item(item, out)
                block = pieces.open(item, kind, slot, at, out)
            if field in part:
                holes += part_holes(part, block, (*path, name, at), out)
    if item.type == "reasoning" and item.last is None:
        pieces.open(item, "reasoning", "summary", 0, out)  # what it says is encrypted: kept with the block
    return holes


def final_output(response: Fields, pieces: Pieces, out: list[Chunk]) -> list[Fields]:
    """Take what our blocks hold out of the final response's items."""
    output = response.get("output")
    if not isinstance(output, list):
        return []
    by_id = {item.id: item for item in pieces.items.values() if item.id}
    ordered = [pieces.items[index] for index in sorted(pieces.items)]
    holes: list[Fields] = []
    for at, data in enumerate(output):
        if not isinstance(data, dict):
            continue
        if _text(data.get("id")) in pieces.gone:
            continue
        kind = data.get("type")
        item = by_id.get(_text(data.get("id")))
        if item is None and at < len(ordered) and ordered[at].type == kind:
            item = ordered[at]
        if item is None:
            item = pieces.item(max(pieces.items, default=-1) + 1, _text(data.get("id")), _text(kind))
        holes += item_holes(data, item, ("response", "output", at), pieces, out)
        pieces.end_item(item, out)
    return holes


def _item(event: Fields, data: Fields, pieces: Pieces) -> Item:
    index = event.get("output_index", 0)
    if not isinstance(index, int) or index < 0:
        raise ValueError("output_index is no index")
    item = pieces.item(index, _text(data.get("id")), _text(data.get("type")))
    item.type = _text(data.get("type"))
    return item


def _open_call(
    item: Item, data: Fields, pieces: Pieces, out: list[Chunk], event: Fields | None = None
) -> Block:
    id, name = _text(data.get("call_id")) or item.id, _text(data.get("name"))
    kept = {field: value for field, value in data.items() if field != CALLS[item.type]}
    return pieces.open(item, "tool-call", "input", 0, out, event=event, id=id, name=name, data=kept)


def _call_holes(
    data: Fields, item: Item, path: tuple[str | int, ...], pieces: Pieces, out: list[Chunk]
) -> list[Fields]:
    field = CALLS[item.type]
    block = pieces.blocks.get((item.index, "input", 0)) or _open_call(item, data, pieces, out)
    if not catch_up(block, data.get(field), out):
        return []
    data[field] = ""
    return [hole(block, *path, field)]


def _image_holes(
    data: Fields, item: Item, path: tuple[str | int, ...], pieces: Pieces, out: list[Chunk]
) -> list[Fields]:
    block = pieces.blocks.get((item.index, "image", 0))
    if block is None:
        block = pieces.open(item, "image", "image", 0, out, id=item.id)
    result = data.get("result")
    image = image_bytes(result)
    if image is None:
        return []
    if not block.ended:
        out.append(ImageDelta(block.number, image, media_type(data), vendor=SILENT))
    data["result"] = ""
    return [hole(block, *path, "result", way="base64")]


def partial_image(event: Fields, pieces: Pieces, out: list[Chunk]) -> bool:
    """A preview of an image. False where it cannot be read, so that it is kept as it came."""
    block = pieces.blocks.get((_text_index(event), "image", 0))
    image = image_bytes(event.get("partial_image_b64"))
    if block is None or image is None:
        return False
    event["partial_image_b64"] = ""
    vendor = template(event, [hole(block, "partial_image_b64", way="base64")])
    out.append(ImageDelta(block.number, image, media_type(event), partial=True, vendor=vendor))
    return True


def image_bytes(data: Any) -> bytes | None:
    """The bytes behind base64; None where it is not readable, or would not be written so again."""
    if not isinstance(data, str) or not data:
        return None
    try:
        image = b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        return None
    return image if b64encode(image).decode() == data else None


def media_type(data: Fields) -> str:
    """What kind of image an item or event says that it holds; empty where it does not."""
    named = data.get("output_format")
    return f"image/{named}" if isinstance(named, str) and named else ""


def _text_index(event: Fields) -> int:
    index = event.get("output_index", 0)
    return index if isinstance(index, int) else -1


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
