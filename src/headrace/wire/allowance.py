"""How much the blocks of an answer may hold until their ends, as what goes back with the next turn."""

from __future__ import annotations

from typing import Any

import msgspec

from headrace.wire.failing import Misplaced

MAX_KEPT_BYTES = 32 * 2**20  # of all blocks that are open at once
_OBJECT_BYTES = 64  # what the smallest thing that is kept costs


class Allowance:
    """What all open blocks of an answer hold, in bytes."""

    __slots__ = ("held_bytes",)

    def __init__(self) -> None:
        self.held_bytes = 0


class Share:
    """What one of them holds."""

    __slots__ = ("_allowance", "_held_bytes")

    def __init__(self, allowance: Allowance) -> None:
        self._allowance = allowance
        self._held_bytes = 0

    def hold(self, value: Any) -> None:
        """Count a text, bytes or JSON that stays until the block's end. Raises Misplaced for too much."""
        held = value if isinstance(value, str | bytes) else msgspec.json.encode(value)
        size_bytes = _OBJECT_BYTES + len(held)
        self._held_bytes += size_bytes
        self._allowance.held_bytes += size_bytes
        if self._allowance.held_bytes > MAX_KEPT_BYTES:
            raise Misplaced(f"open blocks hold more than {MAX_KEPT_BYTES} bytes")

    def release(self) -> None:
        """The block has ended."""
        self._allowance.held_bytes -= self._held_bytes
        self._held_bytes = 0
