"""In which ways places that speak this wire differ."""

from __future__ import annotations

from headrace.wire.quirk import DROP, FLAG, TEXT, Quirk, Quirks

QUIRKS: Quirks = {
    "no_stream": Quirk(
        FLAG, "it refuses `stream`, or streams in a protocol of its own: it is asked for whole answers"
    ),
    "voice": Quirk(TEXT, "the voice to ask for where the request names none; `alloy` otherwise"),
    "drop": DROP,
}
