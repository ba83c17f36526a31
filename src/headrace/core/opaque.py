"""What a vendor sent that we do not model: kept whole, for the same wire only."""

from __future__ import annotations

from typing import Any

import msgspec


class Opaque(msgspec.Struct, frozen=True):
    """Parsed JSON that belongs to `wire` (such as "openai_chat") and means nothing to any other."""

    wire: str
    data: Any
