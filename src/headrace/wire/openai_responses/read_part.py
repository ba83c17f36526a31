"""Events about a part of an item: a text, a refusal, a piece of reasoning or of its summary, a source."""

from __future__ import annotations

from typing import Any

from headrace.core.chunk import BlockKind, Chunk, Citation, VendorPart
from headrace.core.opaque import Opaque
from headrace.wire.openai_responses.pieces import Block, Fields, Pieces, Slot, catch_up, hole, say
from headrace.wire.openai_responses.schema import WIRE_NAME
from headrace.wire.openai_responses.template import SILENT, template

# Type of a part -> (our kind, the slot it stands in, the field its text has).
PARTS: dict[str, tuple[BlockKind, Slot, str]] = {
    "output_text": ("text", "content", "text"),
    "refusal": ("refusal", "content", "refusal"),
    "reasoning_text": ("reasoning", "content", "text"),
    "summary_text": ("reasoning", "summary", "text"),
}

# Type of an event that says a text whole -> (our kind, slot, the field its text has, the field of its place).
WHOLE: dict[str, tuple[BlockKind, Slot, str, str]] = {
    "response.output_text.done": ("text", "content", "text", "content_index"),
    "response.refusal.done": ("refusal", "content", "refusal", "content_index"),
    "response.reasoning_text.done": ("reasoning", "content", "text", "content_index"),
    "response.reasoning_summary_text.done": ("reasoning", "summary", "text", "summary_index"),
    "response.function_call_arguments.done": ("tool-call", "input", "arguments", ""),
    "response.custom_tool_call_input.done": ("tool-call", "input", "input", ""),
}


def form_of(part: Any) -> tuple[BlockKind, Slot, str] | None:
    """What `PARTS` says of a part; None for one of an unknown type, or for what is no part."""
    kind = part.get("type") if isinstance(part, dict) else None
    return PARTS.get(kind) if isinstance(kind, str) else None


def part_added(event: Fields, pieces: Pieces, out: list[Chunk]) -> bool:
    """`content_part.added` and `reasoning_summary_part.added`. False where the part is of an unknown type."""
    part = event.get("part")
    known = form_of(part)
    if known is None or not isinstance(part, dict):
        return False
    kind, slot, field = known
    item = pieces.item(_index(event, "output_index"), _text(event.get("item_id")))
    if kind == "reasoning":
        pieces.end_item(item, out)  # its last block waits for the item's end, which brings its vendor's
    at = _index(event, "summary_index" if slot == "summary" else "content_index")
    block = pieces.open(item, kind, slot, at, out, event=event)
    if part.get(field) and isinstance(part[field], str):
        say(block, part[field], out, vendor=SILENT)
    return True


def part_done(event: Fields, pieces: Pieces, out: list[Chunk]) -> bool:
    """`content_part.done` and `reasoning_summary_part.done`."""
    part = event.get("part")
    known = form_of(part)
    if known is None or not isinstance(part, dict):
        return False
    _, slot, _ = known
    at = _index(event, "summary_index" if slot == "summary" else "content_index")
    block = pieces.blocks.get((_index(event, "output_index"), slot, at))
    if block is None:
        return False
    kept = template(event, part_holes(part, block, ("part",), out))
    if block.kind == "reasoning" or block.ended:
        out.append(VendorPart(kept))
    else:
        pieces.end(block, out, kept)
    return True


def part_holes(part: Fields, block: Block, path: tuple[str | int, ...], out: list[Chunk]) -> list[Fields]:
    """Take the text of a part at `path` out of it; sources that no event brought are said now."""
    holes: list[Fields] = []
    for field in ("text", "refusal"):
        if field in part and catch_up(block, part[field], out):
            part[field] = ""
            holes.append(hole(block, *path, field))
    if part.get("logprobs"):
        part["logprobs"] = []
        holes.append(hole(block, *path, "logprobs", way="logprobs"))
    annotations = part.get("annotations")
    if isinstance(annotations, list) and not block.ended:
        for annotation in annotations[block.cited :]:
            cite(annotation, block, out, Opaque(WIRE_NAME, {"silent": True, "annotation": annotation}))
    return holes


def text_done(event: Fields, pieces: Pieces, out: list[Chunk]) -> bool:
    """An event that says a text whole."""
    kind, slot, field, place = WHOLE[event["type"]]
    at = _index(event, place) if place else 0
    item = pieces.item(_index(event, "output_index"), _text(event.get("item_id")))
    block = pieces.blocks.get((item.index, slot, at))
    if block is None:
        if kind == "tool-call":
            return False  # its name comes with the item
        block = pieces.open(item, kind, slot, at, out)
    holes: list[Fields] = []
    if catch_up(block, event.get(field), out):
        event[field] = ""
        holes.append(hole(block, field))
    if event.get("logprobs"):
        event["logprobs"] = []
        holes.append(hole(block, "logprobs", way="logprobs"))
    out.append(VendorPart(template(event, holes)))
    return True


def annotation_added(event: Fields, pieces: Pieces, out: list[Chunk]) -> bool:
    """A source of a text."""
    key = (_index(event, "output_index"), "content", _index(event, "content_index"))
    block = pieces.blocks.get(key)  # type: ignore[arg-type]
    if block is None:
        return False
    cite(event.get("annotation"), block, out, template(event))
    return True


def cite(annotation: Any, block: Block, out: list[Chunk], vendor: Opaque) -> None:
    """A source as a citation; what of it is not modelled rides in `vendor`."""
    block.cited += 1
    said: Fields = annotation if isinstance(annotation, dict) else {}
    out.append(
        Citation(
            block.number,
            url=_text(said.get("url")),
            title=_text(said.get("title")) or _text(said.get("filename")),
            start=_offset(said.get("start_index", said.get("index"))),
            end=_offset(said.get("end_index")),
            vendor=vendor,
        )
    )


def _index(event: Fields, name: str) -> int:
    """A place in the event. Raises ValueError for what is none."""
    value = event.get(name, 0)
    if not isinstance(value, int) or value < 0:
        raise ValueError(f"{name} is no index")
    return value


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _offset(value: Any) -> int:
    return value if isinstance(value, int) else -1
