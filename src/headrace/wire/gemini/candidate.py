"""One candidate of a reply being decoded: its open block, its call in pieces, how it ends."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator

from headrace.core.chunk import BlockEnd, BlockKind, BlockStart, CandidateEnd, Chunk, FinishReason
from headrace.core.opaque import Opaque
from headrace.wire.answer_text import AnswerText
from headrace.wire.gemini.finish import REASONS, reason_from
from headrace.wire.gemini.partial_args import ArgumentsWriter
from headrace.wire.gemini.schema import WIRE_NAME, kept

_OURS = Opaque(WIRE_NAME, {})  # says that an event of this wire ended here


class Candidate:
    """Opens and closes the blocks of one candidate: one at a time, in the order its parts come."""

    __slots__ = (
        "_numbers",
        "_text_blocks",
        "answer",
        "answer_block",
        "arguments",
        "block",
        "called",
        "cited",
        "index",
        "kind",
        "raw_reason",
        "reason",
        "spoke",
    )

    def __init__(self, index: int, numbers: Iterator[int]) -> None:
        self.index = index
        self.block = -1
        self.kind: BlockKind | None = None  # of the open block
        self.answer_block = -1  # the latest block of text, which citations are about
        self.answer = AnswerText()
        self.arguments: ArgumentsWriter | None = None  # of the open call, where it comes in pieces
        self.called = False
        self.spoke = False
        self.cited: set[tuple[str, int, int]] = set()
        self.reason: FinishReason | None = None  # set while the candidate is ended
        self.raw_reason = ""
        self._numbers = numbers
        self._text_blocks: list[tuple[int, int]] = []  # (where in the answer each begins, its number)

    def turn_to(self, kind: BlockKind, out: list[Chunk]) -> int:
        """The open block of `kind`, opened if it is not: the open one of another kind ends."""
        if self.kind == kind:
            return self.block
        return self.open(kind, out)

    def open(
        self, kind: BlockKind, out: list[Chunk], id: str = "", name: str = "", vendor: Opaque | None = None
    ) -> int:
        """A new block; the open one ends."""
        self.end_block(out)
        self.spoke = True
        self.reason = None
        self.kind = kind
        self.block = next(self._numbers)
        if kind == "text":
            self.answer_block = self.block
            self._text_blocks.append((self.answer.chars, self.block))
        out.append(BlockStart(self.block, kind, id, name, self.index, vendor))
        return self.block

    def place(self, start: int, end: int) -> tuple[int, int, int]:
        """(block, characters of it) for bytes of the answer; the latest block, whole, where none is known."""
        first, last = self.answer.chars_at(start), self.answer.chars_at(end)
        if not 0 <= first <= last or not self._text_blocks:
            return self.answer_block, -1, -1
        begins, block = self._text_blocks[bisect_right(self._text_blocks, (first, self.block)) - 1]
        return block, first - begins, last - begins

    def end_block(self, out: list[Chunk]) -> None:
        """End the open block."""
        if self.kind is not None:
            self.kind = None
            self.arguments = None
            out.append(BlockEnd(self.block, self.index))

    def end(self, raw: str, more: bool, out: list[Chunk]) -> None:
        """End the candidate for the vendor's reason `raw`; more: its event goes on."""
        self.end_block(out)
        self.raw_reason = raw
        self.reason = reason_from(raw, self.called)
        out.append(CandidateEnd(self.reason, raw, "", self.index, kept({}, more) or _OURS))


def is_bad_end(raw: str | None) -> bool:
    """Whether a finishReason says that the vendor gave up."""
    return raw is not None and REASONS.get(raw) == "error"
