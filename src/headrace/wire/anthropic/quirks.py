"""In which ways places that speak this wire differ."""

from __future__ import annotations

from headrace.wire.quirk import COUNT, DROP, FLAG, Quirk, Quirks, one_of, some_of

SAMPLING = ("temperature", "top_p", "top_k")

QUIRKS: Quirks = {
    "max_tokens": Quirk(COUNT, "asked for where the request says nothing: the protocol requires a number"),
    "sampling": Quirk(
        some_of(*SAMPLING),
        "sampling settings that it takes; none where not said: version 2026-10-21 of the API refuses them",
    ),
    "thinking": Quirk(
        one_of("adaptive", "budget", "none"),
        "how an effort is said: as an effort (where not said), as a number of tokens (models before "
        "Claude 4.6), not at all",
    ),
    "structured_output": Quirk(FLAG, "false: it takes no schema for its answer"),
    "drop": DROP,
    "no_count": Quirk(FLAG, "it has no endpoint that counts tokens: counts are estimates"),
}
