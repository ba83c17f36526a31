"""In which ways places that speak this wire differ."""

from __future__ import annotations

from headrace.wire.quirk import DROP, FLAG, Quirk, Quirks, some_of

EXTRA = ("top_k", "min_p", "frequency_penalty", "presence_penalty", "seed", "logit_bias", "stop")

QUIRKS: Quirks = {
    "store": Quirk(FLAG, "true: it may keep the answers; it is asked not to where not said"),
    "no_store": Quirk(FLAG, "it refuses the field `store`"),
    "encrypted_reasoning": Quirk(
        FLAG, "whether encrypted reasoning is asked for; only where reasoning is wanted if not said"
    ),
    "reasoning_input": Quirk(FLAG, "it takes reasoning of earlier turns back as text (LM Studio, vLLM)"),
    "reasoning_beside_output": Quirk(FLAG, "it leaves reasoning out of its output tokens; it is added"),
    "audio_input": Quirk(FLAG, "it takes sound as `input_audio`, as chat completions do"),
    "no_instructions": Quirk(FLAG, "the system prompt must be a message"),
    "extra": Quirk(some_of(*EXTRA), "settings beyond the standard that it takes"),
    "drop": DROP,
}
