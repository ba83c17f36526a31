"""What another vendor needs back with its reasoning, in a thought's `thoughtSignature`."""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from collections.abc import Iterable

from headrace.core.message import Part, ReasoningPart
from headrace.core.opaque import Opaque
from headrace.wire.carried import Carried, carried, carry
from headrace.wire.gemini.schema import WIRE_NAME, Fields, own

SIGNATURE = "thoughtSignature"


def signature_for(vendor: Opaque | None, chars: int) -> Fields:
    """The signature of a thought of `chars` characters, as a part's field; none where nothing is needed."""
    needed = carry(vendor, WIRE_NAME, chars=chars)
    return {} if needed is None else {SIGNATURE: b64encode(needed.encode()).decode()}


def with_needed(parts: Iterable[Part]) -> tuple[Part, ...]:
    """A turn whose thoughts are again those of the vendor that signed them.

    A thought comes in pieces here, and the last one, signed, says how long it was.
    """
    found: list[Part] = []
    for part in parts:
        needed = _needed(part) if isinstance(part, ReasoningPart) else None
        if needed is None:
            found.append(part)
        else:
            found += _joined(found, part.text, needed)  # type: ignore[union-attr]
    return tuple(found)


def _joined(found: list[Part], text: str, needed: Carried) -> list[ReasoningPart]:
    """Takes the pieces of the signed thought off the end of `found`: (what stood before it, the thought)."""
    said, chars = [text], len(text)
    while found and isinstance(found[-1], ReasoningPart) and not 0 <= needed.chars <= chars:
        piece = found.pop()
        said.append(piece.text)  # type: ignore[union-attr]
        chars += len(said[-1])
    whole = "".join(reversed(said))
    begin = max(0, chars - needed.chars) if needed.chars >= 0 else 0
    before = [ReasoningPart(whole[:begin])] if begin else []
    return [*before, ReasoningPart(whole[begin:], needed.vendor)]


def _needed(part: ReasoningPart) -> Carried | None:
    signature = own(part.vendor).get(SIGNATURE)
    if not isinstance(signature, str):
        return None
    plain = signature.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        text = b64decode(plain + "=" * (-len(plain) % 4), validate=True).decode()
        return carried(text, WIRE_NAME)
    except (binascii.Error, ValueError):
        return None
