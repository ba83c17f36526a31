"""One block between its beginning and its end: what is noted of it until it is whole."""

from __future__ import annotations

from typing import Any

import msgspec

from headrace.core.chunk import BlockKind
from headrace.wire.arguments import tool_input
from headrace.wire.bedrock.schema import STOP, Fields
from headrace.wire.failing import Misplaced

MAX_HELD_BYTES = 16 * 2**20  # of an image, or of a block that is kept opaque
MAX_CITATIONS = 1024  # of one block, kept for the next turn


class OpenBlock:
    """A block that has begun.

    block: our number. said: whether a tool call has arguments. own: what goes back to the vendor with the
    finished block, beside what chunks say themselves. data: the pieces of an image. name: an image's format,
    or an opaque block's kind. body: an opaque block's content, as far as it has come.
    """

    __slots__ = (
        "_cited",
        "_held_bytes",
        "_input",
        "_results",
        "block",
        "body",
        "data",
        "kind",
        "name",
        "own",
        "said",
    )

    def __init__(self, block: int, kind: BlockKind) -> None:
        self.block = block
        self.kind: BlockKind = kind
        self.said = False
        self.own: Fields = {}
        self.data: list[bytes] = []
        self.name = ""
        self.body: Fields = {}
        self._cited: list[Fields] = []
        self._input: list[str] = []  # of an opaque tool call
        self._results: list[Any] = []  # of an opaque tool result
        self._held_bytes = 0

    def cite(self, source: Fields) -> None:
        """Note a source, as far as the bound."""
        if len(self._cited) < MAX_CITATIONS:
            self._cited.append(source)

    def grow(self, data: bytes) -> None:
        """Note a piece of an image. Raises Misplaced where it grows beyond its bound."""
        self._hold(len(data))
        self.data.append(data)

    def take(self, delta: Any) -> None:
        """Note a piece of an opaque block. Raises Misplaced where it grows beyond its bound."""
        if not isinstance(delta, dict):
            return
        self._hold(len(msgspec.json.encode(delta)))
        for name, one in delta.items():
            if name == "toolUse" and isinstance(one, dict) and isinstance(one.get("input"), str):
                self._input.append(one["input"])
            elif name == "toolResult" and isinstance(one, list):
                self._results += one
            elif isinstance(one, dict):
                self.body.update(one)

    def end(self, beside: Fields) -> Fields:
        """What goes back to the vendor with the finished block. beside: unknown fields of its last event."""
        own = {self.name: self._whole()} if self.kind == "opaque" else self.own
        cited = {"citations": self._cited} if self._cited else {}
        return {**own, **cited, **({STOP: beside} if beside else {})}

    def _whole(self) -> Fields:
        """The content of an opaque block, complete."""
        if self._input:
            self.body["input"] = tool_input("".join(self._input))
        if self._results:
            self.body["content"] = _joined(self._results)
        return self.body

    def _hold(self, more_bytes: int) -> None:
        self._held_bytes += more_bytes
        if self._held_bytes > MAX_HELD_BYTES:
            raise Misplaced(f"a block has grown beyond the {MAX_HELD_BYTES} bytes that are kept")


def _joined(items: list[Any]) -> list[Any]:
    """The items of a tool's result, pieces of text that stand together as one."""
    joined: list[Any] = []
    texts: list[str] = []
    for item in [*items, None]:
        if isinstance(item, dict) and item.keys() == {"text"} and isinstance(item["text"], str):
            texts.append(item["text"])
            continue
        if texts:
            joined.append({"text": "".join(texts)})
            texts = []
        if item is not None:
            joined.append(item)
    return joined
