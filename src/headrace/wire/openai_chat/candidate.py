"""One candidate of a reply being decoded: which blocks are open, which tool call a piece belongs to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from headrace.core.chunk import (
    BlockEnd,
    BlockKind,
    BlockStart,
    CandidateEnd,
    Chunk,
    FinishReason,
    ToolCallDelta,
)
from headrace.core.opaque import Opaque
from headrace.wire.openai_chat.finish import reason_from
from headrace.wire.openai_chat.schema import WIRE_NAME, ToolCall
from headrace.wire.sticky import size_bytes

MAX_OPEN_CALLS = 1024
MAX_NAME_CHARS = 1024  # of a call's id or name
MAX_WAITING_BYTES = 4096  # of what we do not model, held for a call without a name


class TooManyCalls(Exception):
    """More tool calls (or indices of them) are open in one candidate than `MAX_OPEN_CALLS`."""


class OpenCall:
    """A tool call not yet ended. block is -1 until a name or an argument has come."""

    __slots__ = ("block", "custom", "id", "name", "vendor")

    def __init__(self, id: str, custom: bool) -> None:
        self.block = -1
        self.id = id
        self.name = ""
        self.custom = custom
        self.vendor: dict[str, Any] = {}


class Candidate:
    """Opens and closes the blocks of one candidate, in the order its deltas come.

    Text, reasoning and refusal take turns: one ends where another begins. Sound, transcript and tool calls
    may interleave and stay open to the candidate's end. sound_format: what was asked for, empty where nothing
    was.
    """

    __slots__ = ("_by_id", "_by_index", "_calls", "_last_call", "_numbers", "_side", "block", "in_text",
                 "index", "kind", "raw_reason", "reason", "sound_format", "speaking")  # fmt: skip

    def __init__(self, index: int, numbers: Iterator[int], sound_format: str = "") -> None:
        self.index = index
        self.sound_format = sound_format
        self.block = -1
        self.kind: BlockKind | None = None  # of the open block
        self.reason: FinishReason | None = None  # set while the candidate is ended
        self.raw_reason = ""
        self.in_text = False  # in the middle of its answer, with the text's block open
        self.speaking = False  # it has said something since it began, or since its last end
        self._numbers = numbers
        self._side: dict[BlockKind, int] = {}
        self._calls: list[OpenCall] = []
        self._by_id: dict[str, OpenCall] = {}
        self._by_index: dict[int, OpenCall] = {}
        self._last_call: OpenCall | None = None

    def speaks(self) -> None:
        """A part of the answer came: the candidate is in the middle of it, also where it had ended."""
        self.speaking = True
        self.reason = None

    @property
    def has_open(self) -> bool:
        """Whether a block or a call is open; behind an end, what is no part of the answer may open one."""
        return self.kind is not None or bool(self._side or self._calls)

    def turn_to(self, kind: BlockKind, out: list[Chunk], vendor: Opaque | None = None) -> int:
        """The open block of `kind`, opened if it is not: the open one of another kind ends."""
        if self.kind == kind:
            return self.block
        self.end_turn(out)
        self.block = self._open(kind, out, vendor=vendor)
        self.kind = kind
        return self.block

    def beside(self, kind: BlockKind, out: list[Chunk], id: str = "") -> int:
        """The block of `kind` that stays open beside the others."""
        if kind not in self._side:
            self._side[kind] = self._open(kind, out, id)
        return self._side[kind]

    def _open(
        self, kind: BlockKind, out: list[Chunk], id: str = "", name: str = "", vendor: Opaque | None = None
    ) -> int:
        block = next(self._numbers)
        out.append(BlockStart(block, kind, id, name, self.index, vendor))
        return block

    def end_turn(self, out: list[Chunk]) -> None:
        """End the open block of those that take turns."""
        if self.kind is not None:
            out.append(BlockEnd(self.block, self.index))
            self.kind = None

    def call(self, piece: ToolCall, odd: dict[str, Any] | None, out: list[Chunk]) -> None:
        """Take a piece of a tool call. Raises TooManyCalls; ValueError for what is too long to keep."""
        name, arguments = _said(piece)
        if len(name) > MAX_NAME_CHARS or len(piece.id or "") > MAX_NAME_CHARS:
            raise ValueError(f"a tool call's id or name is longer than {MAX_NAME_CHARS} characters")
        call = self._call_of(piece, name)
        if odd and (call.block < 0 or "field" not in odd):
            call.vendor.update(odd)
        if call.block < 0:
            call.name = name
            if not name and not arguments:
                if call.vendor and size_bytes(call.vendor) > MAX_WAITING_BYTES:
                    raise ValueError(f"more than {MAX_WAITING_BYTES} bytes came before the call's name")
                return  # an id alone: wait for the name
            self._open_call(call, out)
        elif name and name != call.name:
            call.vendor["other_name"] = name  # a second name for the same call: kept, not obeyed
        if arguments or call.vendor:
            vendor = Opaque(WIRE_NAME, call.vendor) if call.vendor else None
            call.vendor = {}
            out.append(ToolCallDelta(call.block, arguments, self.index, vendor))

    def _open_call(self, call: OpenCall, out: list[Chunk]) -> None:
        self.end_turn(out)
        if call.custom:
            call.vendor["type"] = "custom"
        vendor = Opaque(WIRE_NAME, call.vendor) if call.vendor else None
        call.vendor = {}
        call.block = self._open("tool-call", out, call.id, call.name, vendor)

    def _call_of(self, piece: ToolCall, name: str) -> OpenCall:
        """The call a piece belongs to: by its id, else by its index, else the latest one.

        An index that repeats for a new id (or, without ids, a new name) is a new call: some providers send
        index 0 always. A new id without a name at a known index is the same call: others make up an id for
        each piece.
        """
        call = self._by_id.get(piece.id) if piece.id else None
        if call is None and piece.index is not None:
            call = self._by_index.get(piece.index)
            if call is not None and name and self._is_new(call, piece, name):
                call = None
        elif call is None and not name and not piece.id:
            call = self._last_call
        if call is None:
            call = self._new_call(piece)
        if piece.index is not None:
            if len(self._by_index) >= MAX_OPEN_CALLS and piece.index not in self._by_index:
                raise TooManyCalls
            self._by_index[piece.index] = call
        self._last_call = call
        return call

    def _is_new(self, call: OpenCall, piece: ToolCall, name: str) -> bool:
        if piece.id:
            return bool(call.id) and call.id != piece.id
        return bool(call.name) and call.name != name

    def _new_call(self, piece: ToolCall) -> OpenCall:
        if len(self._calls) >= MAX_OPEN_CALLS:
            raise TooManyCalls
        call = OpenCall(piece.id or "", piece.custom is not None)
        self._calls.append(call)
        if piece.id:
            self._by_id[piece.id] = call
        return call

    def end_blocks(self, out: list[Chunk]) -> None:
        """End whatever is open."""
        self.end_turn(out)
        for call in self._calls:
            if call.block < 0:
                self._open_call(call, out)
            out.append(BlockEnd(call.block, self.index))
        out.extend(BlockEnd(block, self.index) for block in self._side.values())
        self._calls.clear()
        self._by_id.clear()
        self._by_index.clear()
        self._side.clear()
        self._last_call = None

    def end(self, raw: str, out: list[Chunk], vendor: Opaque | None = None) -> None:
        """End the candidate for the vendor's reason `raw` (empty where it gave none)."""
        self.end_blocks(out)
        self.speaking = False
        self.raw_reason = raw
        self.reason = reason_from(raw) if raw else "stop"
        out.append(CandidateEnd(self.reason, raw, "", self.index, vendor))


def _said(piece: ToolCall) -> tuple[str, str]:
    """The piece's name and arguments, as text; arguments that came as an object are written as JSON."""
    if piece.custom is not None:
        return piece.custom.name or "", piece.custom.input or ""
    if piece.function is None:
        return "", ""
    arguments = piece.function.arguments
    if isinstance(arguments, dict):
        arguments = msgspec.json.encode(arguments).decode()
    return piece.function.name or "", arguments or ""
