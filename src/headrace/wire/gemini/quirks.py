"""In which ways places that speak this wire differ."""

from __future__ import annotations

from headrace.wire.quirk import FLAG, TEXT, Quirk, Quirks, one_of

QUIRKS: Quirks = {
    "thinking": Quirk(
        one_of("level", "budget", "none"), "how its models take an effort; by their names where not said"
    ),
    "schema_fields": Quirk(
        one_of("openapi"),
        "it refuses `parametersJsonSchema` and `responseJsonSchema`: schemas are sent as they are in "
        "`parameters` and `responseSchema`",
    ),
    "call_signature": Quirk(
        TEXT,
        "the `thoughtSignature` for calls of earlier turns that another vendor's model made: without one "
        "Gemini 3 refuses them",
    ),
    "no_call_ids": Quirk(FLAG, "it refuses the ids of calls"),
    "no_count": Quirk(FLAG, "it has no endpoint that counts tokens: counts are estimates"),
}
