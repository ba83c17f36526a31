"""In which ways places that speak this wire differ."""

from __future__ import annotations

from headrace.wire.prompt import TURN_QUIRKS
from headrace.wire.quirk import FLAG, Quirk, Quirks

QUIRKS: Quirks = {
    "root_path": Quirk(FLAG, "it answers `POST /` only"),
    **TURN_QUIRKS,
}
