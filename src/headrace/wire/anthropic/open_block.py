"""A block between its start and its stop: what is put together for its end, and how much that may be."""

from __future__ import annotations

from typing import Any

import msgspec

from headrace.core.chunk import BlockKind
from headrace.core.opaque import Opaque
from headrace.wire.anthropic.schema import SIGNED, WIRE_NAME
from headrace.wire.arguments import tool_input
from headrace.wire.failing import Misplaced

MAX_KEPT_BYTES = 32 * 2**20  # of all blocks that are open at once
_OBJECT_BYTES = 64  # what the smallest thing that is kept costs


class Allowance:
    """What open blocks may hold: counted here for all of them."""

    __slots__ = ("held_bytes",)

    def __init__(self) -> None:
        self.held_bytes = 0

    def take(self, value: Any) -> int:
        """Count `value` (a text, or JSON) and give its size. Raises Misplaced where it is too much."""
        text = value if isinstance(value, str) else msgspec.json.encode(value)
        size_bytes = _OBJECT_BYTES + len(text)
        self.held_bytes += size_bytes
        if self.held_bytes > MAX_KEPT_BYTES:
            raise Misplaced(f"open blocks hold more than {MAX_KEPT_BYTES} bytes")
        return size_bytes


class OpenBlock:
    """A block of ours that has begun.

    input: of a tool call, what its start held, until a piece replaces it. extra: what its start said beyond
    the ordinary.
    """

    __slots__ = (
        "_allowance", "_body", "_cited", "_held_bytes", "_json", "_signed", "block", "extra", "input",
        "kind", "signature",
    )  # fmt: skip

    def __init__(self, block: int, kind: BlockKind, allowance: Allowance) -> None:
        self.block = block
        self.kind = kind
        self.input: Any = None
        self.signature: str | None = None
        self._signed: Opaque | None = None
        self.extra: Opaque | None = None
        self._allowance = allowance
        self._held_bytes = 0
        self._cited: list[dict[str, Any]] = []
        self._body: dict[str, Any] = {}  # of an opaque one, as far as it has come
        self._json: list[str] = []  # pieces of an opaque one's input

    def begin(self, body: dict[str, Any]) -> None:
        """Note what an opaque block begins with. Raises Misplaced where it is too much, as all here."""
        self.hold(body)
        self._body = dict(body)

    def take(self, fields: dict[str, Any]) -> None:
        """Note a piece of an opaque block."""
        said = fields.get("partial_json")
        if isinstance(said, str):
            self.hold(said)
            self._json.append(said)
        else:
            self.hold(fields)
            self._body.update(fields)

    def sign(self, signature: str, more: Opaque | None) -> None:
        """Note the signature. more: unknown fields of what brought it."""
        self.hold(signature)
        self.signature, self._signed = signature, more

    def cite(self, citation: dict[str, Any]) -> None:
        """Note a source."""
        self.hold(citation)
        self._cited.append(citation)

    def end(self) -> Opaque | None:
        """What goes back to the vendor with the finished block, beside what chunks say themselves."""
        self._allowance.held_bytes -= self._held_bytes
        if self.kind == "opaque":
            return Opaque(WIRE_NAME, self._whole())
        own: dict[str, Any] = {}
        if self.signature:
            own["signature"] = self.signature
            if self._signed is not None:
                own[SIGNED] = self._signed.data
        if self._cited:
            own = {**(self.extra.data if self.extra is not None else {}), "citations": self._cited}
        return Opaque(WIRE_NAME, own) if own else None

    def hold(self, value: Any) -> None:
        """Count something that stays until the end."""
        self._held_bytes += self._allowance.take(value)

    def _whole(self) -> dict[str, Any]:
        """An opaque block, complete."""
        if "".join(self._json):
            self._body["input"] = tool_input("".join(self._json))
        return self._body
