"""In which ways places that speak this wire differ."""

from __future__ import annotations

from headrace.wire.quirk import DROP, FLAG, TEXT, Quirk, Quirks, one_of, some_of

QUIRKS: Quirks = {
    "max_tokens_field": Quirk(
        one_of("max_tokens", "max_completion_tokens"),
        "the field that bounds the answer; `max_tokens` where not said",
    ),
    "no_stream_options": Quirk(FLAG, "it refuses `stream_options`; usage comes as it likes"),
    "no_developer_role": Quirk(FLAG, '"developer" is sent as "system"'),
    "reasoning_effort": Quirk(FLAG, "false: it refuses the field"),
    "reasoning_field": Quirk(TEXT, "the message field for reasoning of earlier turns"),
    "reasoning_beside_output": Quirk(FLAG, "it leaves reasoning out of its output tokens; it is added"),
    "extra": Quirk(some_of("top_k", "min_p"), "settings beyond the standard that it takes"),
    "drop": DROP,
}
