"""In which ways places that speak this wire differ."""

from __future__ import annotations

from headrace.wire.prompt import TURN_QUIRKS
from headrace.wire.quirk import DROP, FLAG, Quirk, Quirks, some_of

QUIRKS: Quirks = {
    "no_stream_options": Quirk(FLAG, "it refuses `stream_options`; usage comes as it likes"),
    "extra": Quirk(some_of("top_k", "min_p"), "settings beyond the standard that it takes"),
    "drop": DROP,
    **TURN_QUIRKS,
}
