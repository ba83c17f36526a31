"""In which ways places that speak this wire differ."""

from __future__ import annotations

from headrace.wire.quirk import DROP, FLAG, Quirk, Quirks

QUIRKS: Quirks = {
    "effort": Quirk(FLAG, "false: its models take no effort"),
    "structured_output": Quirk(FLAG, "false: it takes no schema for its answer"),
    "drop": DROP,
}
