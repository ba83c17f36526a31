"""The parts of a message being decoded: which are open, and what their events mean as chunks."""

from __future__ import annotations

import re

from headrace.core.chunk import (
    BlockEnd,
    BlockKind,
    BlockStart,
    Chunk,
    ReasoningDelta,
    RefusalDelta,
    TextDelta,
    ToolCallDelta,
)
from headrace.core.opaque import Opaque
from headrace.wire.answer_text import AnswerText
from headrace.wire.halves import ends_in_half, mended
from headrace.wire.ui_messages.metadata import FIELD, WIRE_NAME, Part, read_beside
from headrace.wire.ui_messages.parts import PART_ID

MAX_OPEN_PARTS = 1024
LOST = "\ufffd"

_MADE_ID = re.compile(PART_ID + r"\d+")
_TEXT = frozenset({"type", "id", "delta"})
IMPLIED = Opaque(WIRE_NAME, {"implied": True})  # a block that no event of its own begins or ends


class OpenPart:
    """A part between its start and its end. vendor: what came with its start; last: what was said last."""

    __slots__ = ("arguments", "block", "half", "kind", "last", "name", "text", "vendor")

    def __init__(self, block: int, kind: BlockKind, vendor: Opaque | None, name: str = "") -> None:
        self.block = block
        self.kind = kind
        self.name = name
        self.vendor = self.last = vendor
        self.half = ""  # of a character that was cut
        self.arguments: list[str] = []  # of a tool call
        self.text = AnswerText("utf-16-le")


class OpenParts:
    """Takes the events of parts by their ids; our blocks count up from 0.

    Raises ValueError, which says why, for an event that has no place where it stands.
    """

    __slots__ = ("_open", "answer", "by_block", "held_chars", "marked", "number", "sources")

    def __init__(self) -> None:
        self._open: dict[tuple[str, str], OpenPart] = {}
        self.sources = 0
        self.marked: set[str] = set()  # ids of the open texts' sources that said where they are, in our marks
        self.held_chars = 0  # of the input of open tool calls
        self.by_block: dict[int, OpenPart] = {}
        self.answer = 0  # the last text's block
        self.number = 0

    def add(
        self,
        key: tuple[str, str] | None,
        kind: BlockKind,
        vendor: Opaque | None,
        out: list[Chunk],
        id: str = "",
        name: str = "",
    ) -> OpenPart:
        """Begin a block. key: by which later events find it; one that is open under it ends."""
        if key is not None:
            self.drop(key, out)
        if len(self.by_block) >= MAX_OPEN_PARTS:
            raise ValueError(f"more than {MAX_OPEN_PARTS} parts are open")
        part = OpenPart(self.number, kind, vendor, name)
        self.number += 1
        self.by_block[part.block] = part
        if key is not None:
            self._open[key] = part
        if kind == "text":
            self.answer = part.block
        out.append(BlockStart(part.block, kind, id, name, vendor=vendor))
        return part

    def drop(self, key: tuple[str, str], out: list[Chunk]) -> None:
        """End the part of that name, where one is open."""
        part = self._open.pop(key, None)
        if part is not None:
            self.end(part, None, out)

    def at(self, family: str, id: str) -> OpenPart:
        """The open part of that name."""
        found = self._open.get((family, id))
        if found is None:
            raise ValueError(f"{family} {id!r} is not open")
        return found

    def find(self, family: str, id: str) -> OpenPart | None:
        """The open part of that name, None where there is none."""
        return self._open.get((family, id))

    def take(self, family: str, id: str) -> OpenPart:
        """The same, which ends now."""
        part = self.at(family, id)
        del self._open[family, id]
        return part

    def text_start(self, family: str, event: Part, out: list[Chunk]) -> None:
        """A text or reasoning begins."""
        id = text_of(event, "id")
        vendor, marks = read_beside(event, _TEXT)
        kind: BlockKind = "reasoning" if family == "reasoning" else "text"
        if marks.get("refusal") is True:
            kind = "refusal"
        self.add((family, id), kind, vendor, out, "" if _MADE_ID.fullmatch(id) else id)

    def text_delta(self, family: str, event: Part, out: list[Chunk]) -> None:
        """A piece of it."""
        part = self.at(family, text_of(event, "id"))
        vendor = None
        if len(event) > len(_TEXT):
            vendor, _ = read_beside(event, _TEXT)
            part.last = vendor or part.last
        text = joined(part, text_of(event, "delta"))
        part.text.add(text)
        if text or vendor is not None:
            out.append(_delta(part, text, vendor))

    def text_end(self, family: str, event: Part, out: list[Chunk]) -> None:
        """It is complete."""
        part = self.take(family, text_of(event, "id"))
        if FIELD in event or len(event) > 2:
            vendor, _ = read_beside(event, _TEXT)
            part.last = vendor if FIELD in event else vendor or part.last
        self.end(part, part.last if part.last != part.vendor else None, out)
        if self.marked and all(other.kind != "text" for other in self.by_block.values()):
            self.marked.clear()

    def end(self, part: OpenPart, vendor: Opaque | None, out: list[Chunk]) -> None:
        """End a block."""
        if part.half:
            part.half = ""
            out.append(_delta(part, LOST, None))
        self.by_block.pop(part.block, None)
        self.held_chars -= sum(map(len, part.arguments))
        out.append(BlockEnd(part.block, vendor=vendor))

    def end_texts(self, out: list[Chunk]) -> None:
        """A step is over: what its texts do not say now they never will."""
        for key in [key for key in self._open if key[0] in ("text", "reasoning")]:
            self.drop(key, out)

    def end_all(self, out: list[Chunk]) -> None:
        """Close what was left open."""
        self._open.clear()
        for part in list(self.by_block.values()):
            self.end(part, None, out)


def joined(part: OpenPart, text: str) -> str:
    """The text with the half of a character that waited for it; a half at its own end waits."""
    if not part.half and text.isascii():
        return text
    text = part.half + text
    part.half = text[-1] if text and ends_in_half(text) else ""
    whole: str = mended(text[:-1] if part.half else text)
    return whole


def _delta(part: OpenPart, text: str, vendor: Opaque | None) -> Chunk:
    match part.kind:
        case "reasoning":
            return ReasoningDelta(part.block, text, vendor=vendor)
        case "refusal":
            return RefusalDelta(part.block, text, vendor=vendor)
        case "tool-call":
            return ToolCallDelta(part.block, text, vendor=vendor)
        case _:
            return TextDelta(part.block, text, vendor=vendor)


def text_of(event: Part, name: str) -> str:
    """A field that is a text. Raises ValueError where it is none."""
    value = event.get(name)
    if not isinstance(value, str):
        raise ValueError(f"{name} is no text")
    return value
