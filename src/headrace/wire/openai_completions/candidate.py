"""One candidate of a reply being decoded: one block of text from its first piece to its finish_reason."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from headrace.core.chunk import BlockEnd, BlockStart, CandidateEnd, Chunk, FinishReason, TextDelta
from headrace.core.opaque import Opaque
from headrace.wire.openai_completions.finish import reason_from
from headrace.wire.openai_completions.logprobs import tokens_from
from headrace.wire.openai_completions.schema import WIRE_NAME, Choice

# Kept of a piece that came in one event with its candidate's finish_reason.
WITH_REASON = "with_reason"


class Candidate:
    """block is -1 and `open` false until the first piece has come. reason: set when it has ended."""

    __slots__ = ("_numbers", "block", "index", "open", "raw_reason", "reason")

    def __init__(self, index: int, numbers: Iterator[int]) -> None:
        self.index = index
        self.block = -1
        self.open = False
        self.reason: FinishReason | None = None
        self.raw_reason = ""
        self._numbers = numbers

    def take(self, choice: Choice, odd: dict[str, Any] | None, out: list[Chunk]) -> None:
        """Append what `choice` says; odd: its fields that we do not know."""
        own = dict(odd) if odd else {}
        logprobs = choice.logprobs
        if logprobs is not None and logprobs.text_offset:
            own["text_offset"] = logprobs.text_offset
        tokens = tokens_from(logprobs)
        if choice.text or tokens or (own and not choice.finish_reason):
            if choice.finish_reason:
                own[WITH_REASON] = True
            vendor = Opaque(WIRE_NAME, own) if own else None
            own = {}
            out.append(TextDelta(self._opened(out), choice.text or "", tokens, self.index, vendor))
        elif not choice.finish_reason:
            self._opened(out)
        if choice.finish_reason:
            self.end(choice.finish_reason, Opaque(WIRE_NAME, own) if own else None, out)

    def end(self, raw: str, vendor: Opaque | None, out: list[Chunk]) -> None:
        """End the candidate for the vendor's reason `raw` (empty where it gave none)."""
        if self.open:
            self.open = False
            out.append(BlockEnd(self.block, self.index))
        self.raw_reason = raw
        self.reason = reason_from(raw) if raw else "stop"
        out.append(CandidateEnd(self.reason, raw, "", self.index, vendor))

    def _opened(self, out: list[Chunk]) -> int:
        if not self.open:
            self.open = True
            self.reason = None
            self.block = next(self._numbers)
            out.append(BlockStart(self.block, "text", candidate=self.index))
        return self.block
