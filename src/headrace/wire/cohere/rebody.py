"""A client's own body, readdressed: what a relay sends where client and provider speak this protocol."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headrace.wire.relay import raw_fields, renamed


def rebody(body: bytes, model: str, quirks: Mapping[str, Any]) -> bytes | None:
    """A client's body for another model; None where it has what the provider refuses (see `renamed`)."""
    return renamed(raw_fields(body), model, quirks.get("drop", ()))
