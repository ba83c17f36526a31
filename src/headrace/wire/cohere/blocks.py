"""The blocks of a message being decoded: which are open, and what their events mean as chunks."""

from __future__ import annotations

from typing import Any, Literal

from headrace.core.chunk import (
    BlockEnd,
    BlockKind,
    BlockStart,
    Chunk,
    ReasoningDelta,
    TextDelta,
    Token,
    ToolCallDelta,
    VendorPart,
)
from headrace.core.opaque import Opaque
from headrace.wire.allowance import Allowance, Share
from headrace.wire.arguments import NO_ARGUMENTS
from headrace.wire.cohere.citations import citations_from
from headrace.wire.cohere.schema import IMPLIED, PLAN, STOP, WIRE_NAME, Content, Fields, opaque
from headrace.wire.failing import Misplaced
from headrace.wire.kept import put_back

MAX_OPEN_BLOCKS = 1024

# Content and calls are counted apart; there is one plan.
Place = tuple[Literal["content", "call", "plan"], int]
_PLAN: Place = ("plan", 0)
_KINDS: dict[str, BlockKind] = {"text": "text", "thinking": "reasoning"}


class _Open:
    """A block that has begun.

    said: whether a call has arguments. body: the pieces of an opaque block's content, by field.
    """

    __slots__ = ("_cited", "_share", "block", "body", "kind", "said")

    def __init__(self, block: int, kind: BlockKind, allowance: Allowance) -> None:
        self.block = block
        self.kind: BlockKind = kind
        self.said = False
        self.body: dict[str, list[Any]] = {}
        self._cited: list[Fields] = []
        self._share = Share(allowance)

    def take(self, content: Fields) -> None:
        """Note a piece of an opaque block. Raises Misplaced where it is too much, as `cite` does."""
        self._share.hold(content)
        for name, value in content.items():
            self.body.setdefault(name, []).append(value)

    def cite(self, citation: Fields) -> None:
        """Note a source."""
        self._share.hold(citation)
        self._cited.append(citation)

    def end(self, beside: Fields) -> Fields:
        """What goes back to the vendor with the finished block. beside: unknown fields of its last event."""
        self._share.release()
        own: Fields = {}
        if self.kind == "opaque":
            own["content"] = {name: _joined(values) for name, values in self.body.items()}
        if self._cited:
            own["citations"] = self._cited
        return {**own, STOP: beside} if beside else own


class Blocks:
    """Takes the events of content, plan and calls; our blocks count up from 0.

    Text, thinking, the plan (reasoning that is marked so) and calls are modelled. Content of another type is
    an opaque block: its beginning in `BlockStart`, a `VendorPart` for each piece, and the whole of it in
    `BlockEnd`. vendor, everywhere: the unknown fields of the event.
    """

    __slots__ = ("_allowance", "_next", "_open", "_text")

    def __init__(self) -> None:
        self._allowance = Allowance()
        self._open: dict[Place, _Open] = {}
        self._next = 0
        self._text = -1  # the last text

    @property
    def any(self) -> bool:
        """Whether a block has begun."""
        return self._next > 0

    def start_content(self, index: int, content: Fields, vendor: Opaque | None, out: list[Chunk]) -> None:
        """Content begins; what it says already is its first piece."""
        kind = _KINDS.get(str(content.get("type")), "opaque")
        place: Place = ("content", index)
        if kind == "opaque":
            own = put_back({"delta": {"message": {"content": content}}}, vendor.data if vendor else {})
            self._begin(place, kind, out, Opaque(WIRE_NAME, own)).take(content)
            return
        self._begin(place, kind, out, vendor)
        self.content(index, Content(*(content.get(name) for name in ("text", "thinking"))), out)

    def content(
        self,
        index: int,
        piece: Content,
        out: list[Chunk],
        vendor: Opaque | None = None,
        tokens: tuple[Token, ...] = (),
    ) -> None:
        """A piece of content: of text or of thinking. Content that did not begin begins with it."""
        place: Place = ("content", index)
        if piece.thinking is not None:
            to = self._of(place, "reasoning", out)
            if piece.thinking or vendor is not None:
                out.append(ReasoningDelta(to.block, piece.thinking, tokens, vendor=vendor))
        if piece.text is not None:
            to = self._of(place, "text", out)
            if piece.text or tokens or vendor is not None:
                out.append(TextDelta(to.block, piece.text, tokens, vendor=vendor))

    def odd_content(self, index: int, content: Fields, vendor: Opaque, out: list[Chunk]) -> None:
        """A piece that chunks do not model, kept with the content it belongs to."""
        to = self._open.get(("content", index)) or self._of(("content", index), "text", out)
        match to.kind:
            case "reasoning":
                out.append(ReasoningDelta(to.block, "", vendor=vendor))
            case "text":
                out.append(TextDelta(to.block, "", vendor=vendor))
            case _:
                to.take(content)
                out.append(VendorPart(vendor, to.block))

    def is_opaque(self, index: int) -> bool:
        """Whether the content at `index` is of a type that is not modelled."""
        found = self._open.get(("content", index))
        return found is not None and found.kind == "opaque"

    def plan(self, text: str, out: list[Chunk], vendor: Opaque | None = None) -> None:
        """A piece of the plan for the calls that follow."""
        to = self._open.get(_PLAN) or self._begin(_PLAN, "reasoning", out, Opaque(WIRE_NAME, {PLAN: True}))
        if text or vendor is not None:
            out.append(ReasoningDelta(to.block, text, vendor=vendor))

    def start_call(
        self, index: int, id: str, name: str, arguments: str, vendor: Opaque | None, out: list[Chunk]
    ) -> None:
        """A tool call begins; arguments: what of them stands there already."""
        self._begin(("call", index), "tool-call", out, vendor, id, name)
        self.arguments(index, arguments, out)

    def arguments(self, index: int, text: str, out: list[Chunk], vendor: Opaque | None = None) -> None:
        """A piece of a call's arguments."""
        to = self._open.get(("call", index))
        if to is None:
            raise Misplaced(f"tool call {index} has not begun")
        if text or vendor is not None:
            to.said = to.said or bool(text)
            out.append(ToolCallDelta(to.block, text, vendor=vendor))

    def cite(self, body: Fields, vendor: Opaque | None, out: list[Chunk]) -> bool:
        """A citation, at the content that it names or at the last text; False where nothing is there yet."""
        at = body.get("content_index")
        named = self._open.get(("content", at)) if isinstance(at, int) else None
        if body.get("type") == "PLAN":
            named = self._open.get(_PLAN)
        block = named.block if named is not None else max(self._text, 0)
        if not self.any:
            return False
        if named is not None:
            named.cite(body)
        out += citations_from(block, body, vendor.data if vendor is not None else {})
        return True

    def stop(self, place: Place, out: list[Chunk], vendor: Opaque | None = None) -> None:
        """A block is complete."""
        ended = self._open.pop(place, None)
        if ended is None:
            raise Misplaced(f"{place[0]} {place[1]} is not open")
        if ended.kind == "tool-call" and not ended.said:
            out.append(ToolCallDelta(ended.block, NO_ARGUMENTS, vendor=IMPLIED))
        own = ended.end(vendor.data if vendor is not None else {})
        out.append(BlockEnd(ended.block, vendor=opaque(own)))

    def stop_all(self, out: list[Chunk]) -> None:
        """Close what was left open."""
        for place in list(self._open):
            self.stop(place, out)

    def _of(self, place: Place, kind: BlockKind, out: list[Chunk]) -> _Open:
        found = self._open.get(place)
        return found if found is not None and found.kind == kind else self._begin(place, kind, out)

    def _begin(
        self,
        place: Place,
        kind: BlockKind,
        out: list[Chunk],
        vendor: Opaque | None = None,
        id: str = "",
        name: str = "",
    ) -> _Open:
        for ending in (place, _PLAN):  # a plan ends where what it plans begins
            if ending in self._open:
                self.stop(ending, out)
        if len(self._open) >= MAX_OPEN_BLOCKS:
            raise Misplaced(f"more than {MAX_OPEN_BLOCKS} blocks are open")
        block, self._next = self._next, self._next + 1
        self._text = block if kind == "text" else self._text
        opened = self._open[place] = _Open(block, kind, self._allowance)
        out.append(BlockStart(block, kind, id, name, vendor=vendor))
        return opened


def _joined(values: list[Any]) -> Any:
    """The pieces of one field: text goes on, of anything else the last stands."""
    if all(isinstance(one, str) for one in values):
        return "".join(values)
    return values[-1]
