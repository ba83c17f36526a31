"""One block between its beginning and its end: what is noted of it until it is whole."""

from __future__ import annotations

from typing import Any

from headrace.core.chunk import BlockKind
from headrace.wire.allowance import Allowance, Share
from headrace.wire.arguments import tool_input
from headrace.wire.bedrock.schema import STOP, Fields


class OpenBlock:
    """A block that has begun.

    block: our number. said: whether a tool call has arguments. own: what goes back to the vendor with the
    finished block, beside what chunks say themselves. data: the pieces of an image. name: an image's format,
    or an opaque block's kind. body: an opaque block's content, as far as it has come.
    """

    __slots__ = (
        "_cited",
        "_input",
        "_results",
        "_share",
        "block",
        "body",
        "data",
        "kind",
        "name",
        "own",
        "said",
    )

    def __init__(self, block: int, kind: BlockKind, allowance: Allowance) -> None:
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
        self._share = Share(allowance)

    def cite(self, source: Fields) -> None:
        """Note a source. Raises Misplaced where it is too much, as all here that note something."""
        self._share.hold(source)
        self._cited.append(source)

    def keep(self, name: str, value: str) -> None:
        """Note a field of its own; a later one replaces it."""
        self._share.hold(value)
        self.own[name] = value

    def begin(self, name: str, body: Fields) -> None:
        """Note what an opaque block begins with."""
        self._share.hold(body)
        self.name, self.body = name, dict(body)

    def grow(self, data: bytes) -> None:
        """Note a piece of an image."""
        self._share.hold(data)
        self.data.append(data)

    def take(self, delta: Any) -> None:
        """Note a piece of an opaque block."""
        if not isinstance(delta, dict):
            return
        self._share.hold(delta)
        for name, one in delta.items():
            if name == "toolUse" and isinstance(one, dict) and isinstance(one.get("input"), str):
                self._input.append(one["input"])
            elif name == "toolResult" and isinstance(one, list):
                self._results += one
            elif isinstance(one, dict):
                self.body.update(one)

    def end(self, beside: Fields) -> Fields:
        """What goes back to the vendor with the finished block. beside: unknown fields of its last event."""
        self._share.release()
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
