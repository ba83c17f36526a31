"""What one vendor needs back with the next turn (a signature, say), carried through a client of another wire.

Several protocols have a field that clients send back as they got it, whatever it is: `encrypted_content`, a
`signature`, a `thoughtSignature`, `reasoning_details`. What came over another wire is put there, marked as
ours, and taken out again when the next turn comes.
"""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

import msgspec

from headrace.core.opaque import Opaque
from headrace.wire.plain import shallow
from headrace.wire.reading import UNREADABLE

MARK = "headrace.1."
MAX_CARRIED_CHARS = 2**20
_MARKS = (MARK.encode(), b"aGVhZHJhY2UuMS5")  # as it is, and in base64 again
# A call's own data means nothing to the next turn, but for what its vendor refuses the call without.
_NEEDED = {"gemini": "thoughtSignature"}


class Carried(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is carried: data of `wire`'s own.

    call: it belongs to the tool call that follows, not to reasoning. For clients that join several pieces of
    reasoning, chars: of the piece that it came with, begin: where that stood; -1 where it is not told.
    """

    wire: str
    data: dict[str, Any]
    call: bool = False
    chars: int = -1
    begin: int = -1

    @property
    def vendor(self) -> Opaque:
        """As it was."""
        return Opaque(self.wire, self.data)


def carry(vendor: Opaque | None, through: str, *, chars: int = -1, begin: int = -1) -> str | None:
    """What came with reasoning as text for a client of the wire `through`; None where nothing is to be."""
    if vendor is None or vendor.wire == through or not vendor.data:
        return None
    return _text(Carried(vendor.wire, vendor.data, chars=chars, begin=begin))


def carry_call(vendor: Opaque | None, through: str) -> str | None:
    """The same for what came with a tool call."""
    needed = _NEEDED.get(vendor.wire) if vendor is not None and vendor.wire != through else None
    if vendor is None or needed is None or needed not in vendor.data:
        return None
    return _text(Carried(vendor.wire, {needed: vendor.data[needed]}, call=True))


def carried(text: Any, through: str) -> Carried | None:
    """What was put there; None for what is not ours or cannot be read."""
    if not isinstance(text, str) or not text.startswith(MARK) or len(text) > MAX_CARRIED_CHARS:
        return None
    try:
        found = msgspec.json.decode(urlsafe_b64decode(text[len(MARK) :]), type=Carried)
        shallow(found.data, len(text))
    except (*UNREADABLE, binascii.Error, ValueError):
        return None
    return found if found.wire != through else None


def holds_carried(body: bytes) -> bool:
    """Whether a client's body may hold something of ours: then it must be read before it goes to a vendor."""
    return _MARKS[0] in body or _MARKS[1] in body


def _text(what: Carried) -> str | None:
    text = MARK + urlsafe_b64encode(msgspec.json.encode(what)).decode()
    return text if len(text) <= MAX_CARRIED_CHARS else None
