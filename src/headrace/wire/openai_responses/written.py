"""What of an answer has been written: its items and blocks, and how each is said whole."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import msgspec

from headrace.core.chunk import BlockKind, Citation
from headrace.wire.plain import read_plain
from headrace.wire.reading import UNREADABLE

Fields = dict[str, Any]
_json = msgspec.json.encode

# (our kind, slot) -> (the stem of its events, the field of its place, the type of its part, its text's field)
_FORMS: dict[tuple[str, str], tuple[str, str, str, str]] = {
    ("text", "content"): ("response.output_text", "content_index", "output_text", "text"),
    ("refusal", "content"): ("response.refusal", "content_index", "refusal", "refusal"),
    ("reasoning", "content"): ("response.reasoning_text", "content_index", "reasoning_text", "text"),
    ("reasoning", "summary"): ("response.reasoning_summary_text", "summary_index", "summary_text", "text"),
    ("tool-call", "input"): ("response.function_call_arguments", "", "", "arguments"),
    ("custom", "input"): ("response.custom_tool_call_input", "", "", "input"),
}


class WrittenItem:
    """An output item. body: it whole, once it is done."""

    __slots__ = ("blocks", "body", "call_id", "done", "id", "index", "name", "type")

    def __init__(self, index: int, id: str, type: str, call_id: str = "", name: str = "") -> None:
        self.index = index
        self.id = id
        self.type = type
        self.call_id = call_id
        self.name = name
        self.blocks: list[WrittenBlock] = []
        self.done = False
        self.body: Fields = {}

    def whole(self, status: str) -> Fields:
        """The item as we know it."""
        head: Fields = {"id": self.id, "type": self.type, "status": status}
        match self.type:
            case "message":
                content = [block.whole_part() for block in self.blocks]
                return {**head, "role": "assistant", "content": content}
            case "reasoning":
                parts: dict[str, list[Fields]] = {"summary": [], "content": []}
                for block in self.blocks:
                    if block.pieces or block.slot == "content":
                        parts[block.slot].append(block.whole_part())
                carried = next((block.carried for block in self.blocks if block.carried), None)
                kept = {**self.body, "encrypted_content": carried} if carried else self.body
                return {**kept, **head, **parts}
            case "function_call":
                return {**head, **self._call(), "arguments": self._text()}
            case "custom_tool_call":
                return {**head, **self._call(), "input": self._text()}
            case "image_generation_call":
                return {**head, "result": self.blocks[0].base64() if self.blocks else None}
        return {**self.body, "status": status} if "status" in self.body else self.body

    def _call(self) -> Fields:
        return {"call_id": self.call_id, "name": self.name}

    def _text(self) -> str:
        return self.blocks[0].text() if self.blocks else ""


class WrittenBlock:
    """A block of ours and where it stands. before: a delta's event up to its text."""

    __slots__ = (
        "annotations",
        "at",
        "before",
        "carried",
        "chars",
        "cited",
        "closed",
        "image",
        "item",
        "kind",
        "logprobs",
        "own",
        "part_type",
        "pieces",
        "place",
        "slot",
        "stem",
        "text_field",
    )

    def __init__(self, item: WrittenItem, kind: BlockKind, slot: str, at: int, own: bool) -> None:
        self.item = item
        self.kind = kind
        self.slot = slot
        self.at = at
        self.own = own  # whether it came over this wire
        self.carried: str | None = None  # what another wire needs back with reasoning
        self.closed = False
        self.pieces: list[str] = []
        self.chars = 0
        self.logprobs: list[Any] = []
        self.annotations: list[Any] = []
        self.cited: list[Citation] = []  # about all of its text, which is still coming
        self.image = b""
        self.before = b""
        custom = item.type == "custom_tool_call"
        form = _FORMS.get(("custom" if custom else kind, slot), ("", "", "", ""))
        self.stem, index, self.part_type, self.text_field = form
        self.place: Fields = {"item_id": item.id, "output_index": item.index}
        if index:
            self.place[index] = at
        if self.stem:
            name = f"{self.stem}.delta"
            head = _json({"type": name, **self.place})[:-1]
            self.before = b'event: %b\ndata: %b,"delta":' % (name.encode(), head)

    def take(self, text: str) -> None:
        """Note a piece of its text."""
        self.pieces.append(text)
        self.chars += len(text)

    def text(self) -> str:
        """All of it, joined once."""
        if len(self.pieces) > 1:
            self.pieces = ["".join(self.pieces)]
        return self.pieces[0] if self.pieces else ""

    @property
    def wrapped(self) -> bool:
        """Whether it is a custom call that another wire's model was given as a function."""
        return not self.own and self.item.type == "custom_tool_call"

    def unwrap(self) -> None:
        """Its text is a function's arguments: take the free text out of them."""
        try:
            arguments = read_plain(self.text())
        except UNREADABLE:
            return
        given = arguments.get("input") if isinstance(arguments, dict) else None
        if isinstance(given, str):
            self.pieces = [given]

    def base64(self) -> str:
        """Its image."""
        return b64encode(self.image).decode()

    def content(self, hole: Fields) -> Any:
        """What belongs into a hole of a template."""
        way = hole.get("as", "text")
        if way == "base64":
            return self.base64()
        return self.logprobs if way == "logprobs" else self.text()

    def empty_part(self) -> Fields:
        """The part as it begins."""
        part: Fields = {"type": self.part_type, self.text_field: ""}
        if self.kind == "text":
            part.update(annotations=[], logprobs=[])
        return part

    def whole_part(self) -> Fields:
        """The part as it ends."""
        part: Fields = {"type": self.part_type, self.text_field: self.text()}
        if self.kind == "text":
            part.update(annotations=self.annotations, logprobs=self.logprobs)
        return part

    def whole_text(self) -> Fields:
        """The event that says its text whole."""
        event: Fields = {"type": f"{self.stem}.done", **self.place, self.text_field: self.text()}
        if self.kind == "text":
            event["logprobs"] = self.logprobs
        if self.kind == "tool-call" and self.item.type == "function_call":
            event["name"] = self.item.name
        return event
