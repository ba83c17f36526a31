"""A client's own body, readdressed: what a relay sends where client and provider speak this protocol."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headrace.wire.anthropic.quirks import SAMPLING
from headrace.wire.relay import raw_fields, renamed

_FORMAT = ("output_config", "output_format")


def rebody(body: bytes, model: str, quirks: Mapping[str, Any]) -> bytes | None:
    """A client's body for another model; None where it has what the provider refuses (see `renamed`)."""
    refused = {*quirks.get("drop", ()), *SAMPLING} - {*quirks.get("sampling", ())}
    if not quirks.get("structured_output", True):
        refused.update(_FORMAT)
    return renamed(raw_fields(body), model, refused)
