"""What another wire needs back with reasoning (a signature, say), carried through a client of this one.

This protocol's clients send `encrypted_content` back as they got it, whatever it is. So what came with
reasoning over another wire is put there, marked as ours, and taken out again when the next turn comes.
"""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

import msgspec

from headrace.core.opaque import Opaque
from headrace.wire.openai_responses.schema import WIRE_NAME
from headrace.wire.reading import UNREADABLE

MARK = "headrace.1."
MAX_CARRIED_CHARS = 2**20


def carry(vendor: Opaque | None) -> str | None:
    """Another wire's own data as `encrypted_content`; None where there is none."""
    if vendor is None or vendor.wire == WIRE_NAME or not vendor.data:
        return None
    return MARK + urlsafe_b64encode(msgspec.json.encode(vendor)).decode()


def carried(content: Any) -> Opaque | None:
    """What `carry` put there; None for what is not ours or cannot be read."""
    if not isinstance(content, str) or not content.startswith(MARK) or len(content) > MAX_CARRIED_CHARS:
        return None
    try:
        found = msgspec.json.decode(urlsafe_b64decode(content[len(MARK) :]), type=Opaque)
    except (*UNREADABLE, binascii.Error, ValueError):
        return None
    return found if isinstance(found.data, dict) and found.wire != WIRE_NAME else None
