"""Block numbers and usage of several replies that become one."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

import msgspec

from headrace.core.chunk import TERMINALS, Chunk, UsageReport
from headrace.core.usage import Usage


class Joined:
    """What the merged replies share: block numbers given so far, and the usage of each."""

    def __init__(self) -> None:
        self._blocks = count()
        self._usages: dict[int, Usage] = {}

    def block(self) -> int:
        """The next free block number."""
        return next(self._blocks)

    def usage(self, reply: int, usage: Usage) -> Usage:
        """The sum, after `reply` (any number of its own) reported `usage`."""
        self._usages[reply] = usage
        parts = self._usages.values()
        return Usage(
            input_tokens=sum(one.input_tokens for one in parts),
            output_tokens=sum(one.output_tokens for one in parts),
            cached_input_tokens=sum(one.cached_input_tokens for one in parts),
            cache_write_tokens=sum(one.cache_write_tokens for one in parts),
            reasoning_tokens=sum(one.reasoning_tokens for one in parts),
            estimated=any(one.estimated for one in parts),
        )


class Renumber:
    """A reply's chunks with block numbers that no other reply of the same `joined` uses, and summed usage."""

    def __init__(self, joined: Joined, reply: int) -> None:
        self._joined = joined
        self._reply = reply
        self._blocks: dict[int, int] = {}
        self._over = False

    def feed(self, batch: Sequence[Chunk]) -> list[Chunk]:
        if self._over:
            return []
        self._over = bool(batch) and isinstance(batch[-1], TERMINALS)
        return [self._one(chunk) for chunk in batch]

    def close(self) -> list[Chunk]:
        self._over = True
        return []

    def _one(self, chunk: Chunk) -> Chunk:
        if isinstance(chunk, UsageReport):
            return msgspec.structs.replace(chunk, usage=self._joined.usage(self._reply, chunk.usage))
        block = getattr(chunk, "block", None)
        if block is None or block < 0:  # a vendor's event that belongs to no block
            return chunk
        number = self._blocks.get(block)
        if number is None:
            number = self._blocks[block] = self._joined.block()
        return chunk if number == block else msgspec.structs.replace(chunk, block=number)
