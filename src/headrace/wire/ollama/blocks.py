"""The blocks of an answer being decoded: thinking and text take turns, a tool call or an image is whole."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

from headrace.core.chunk import (
    BlockEnd,
    BlockKind,
    BlockStart,
    Chunk,
    ImageDelta,
    ReasoningDelta,
    TextDelta,
    Token,
    ToolCallDelta,
)
from headrace.core.opaque import Opaque
from headrace.wire.media_type import media_type_of
from headrace.wire.ollama.schema import WIRE_NAME, ToolCall

Fields = dict[str, Any]


class Blocks:
    """Opens and closes blocks. kind: of the open one; called: whether a tool call came."""

    __slots__ = ("_number", "block", "called", "kind")

    def __init__(self) -> None:
        self.block = -1
        self.kind: BlockKind | None = None
        self.called = False
        self._number = 0

    def think(self, text: str, tokens: tuple[Token, ...], vendor: Opaque | None, out: list[Chunk]) -> None:
        """A piece of thinking."""
        out.append(ReasoningDelta(self._turn_to("reasoning", out), text, tokens, 0, vendor))

    def say(self, text: str, tokens: tuple[Token, ...], vendor: Opaque | None, out: list[Chunk]) -> None:
        """A piece of text."""
        out.append(TextDelta(self._turn_to("text", out), text, tokens, 0, vendor))

    def call(self, call: ToolCall, more: Fields, out: list[Chunk]) -> None:
        """A whole tool call. Its arguments stay the text that came. more: what of it is not modelled."""
        function = call.function
        arguments = bytes(function.arguments).decode()
        own = more if function.index is None else {"index": function.index, **more}
        self.end_turn(out)
        self.called = True
        block = self._open("tool-call", out, call.id, function.name, Opaque(WIRE_NAME, own))
        out.append(ToolCallDelta(block, "{}" if arguments == "null" else arguments))
        out.append(BlockEnd(block))

    def image(self, data: str, out: list[Chunk]) -> None:
        """A whole image. Raises ValueError for base64 that cannot be read."""
        raw = b64decode(data, validate=True)
        self.end_turn(out)
        block = self._open("image", out)
        out.append(ImageDelta(block, raw, media_type_of(raw)))
        out.append(BlockEnd(block))

    def end_turn(self, out: list[Chunk]) -> None:
        """End the open block."""
        if self.kind is not None:
            self.kind = None
            out.append(BlockEnd(self.block))

    def _turn_to(self, kind: BlockKind, out: list[Chunk]) -> int:
        if self.kind != kind:
            self.end_turn(out)
            self.block = self._open(kind, out)
            self.kind = kind
        return self.block

    def _open(
        self, kind: BlockKind, out: list[Chunk], id: str = "", name: str = "", vendor: Opaque | None = None
    ) -> int:
        block = self._number
        self._number += 1
        out.append(BlockStart(block, kind, id, name, vendor=vendor))
        return block
