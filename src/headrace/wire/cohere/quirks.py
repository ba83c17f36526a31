"""In which ways places that speak this wire differ."""

from __future__ import annotations

from headrace.wire.quirk import DROP, Quirks

QUIRKS: Quirks = {"drop": DROP}
