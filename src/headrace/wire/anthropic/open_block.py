"""A block between its start and its stop: what is put together for its end."""

from __future__ import annotations

from typing import Any

from headrace.core.chunk import BlockKind
from headrace.core.opaque import Opaque
from headrace.wire.allowance import Allowance, Share
from headrace.wire.anthropic.schema import SIGNED, WIRE_NAME
from headrace.wire.arguments import tool_input


class OpenBlock:
    """A block of ours that has begun.

    input: of a tool call, what its start held, until a piece replaces it. extra: what its start said beyond
    the ordinary.
    """

    __slots__ = (
        "_body", "_cited", "_json", "_share", "_signed", "block", "extra", "input", "kind", "signature",
    )  # fmt: skip

    def __init__(self, block: int, kind: BlockKind, allowance: Allowance) -> None:
        self.block = block
        self.kind = kind
        self.input: Any = None
        self.signature: str | None = None
        self._signed: Opaque | None = None
        self.extra: Opaque | None = None
        self._share = Share(allowance)
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
        self._share.release()
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
        self._share.hold(value)

    def _whole(self) -> dict[str, Any]:
        """An opaque block, complete."""
        if "".join(self._json):
            self._body["input"] = tool_input("".join(self._json))
        return self._body
