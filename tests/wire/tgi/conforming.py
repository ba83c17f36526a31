"""What the conformance suite is told of this wire."""

from __future__ import annotations

from dataclasses import replace

from tests.wire.asking import asked
from tests.wire.tgi.events import CUT_OFF, TEXT

from headrace.core.usage import Usage
from headrace.testing.conformance import Said, Sample, WireCase
from headrace.wire.tgi import GENERATE_FRONT, GENERATE_STREAM_FRONT, WIRE

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}
DETAILS = {"inputs": "Once", "parameters": {"details": True, "return_full_text": False}}
FULL = {
    "inputs": "Once",
    "parameters": {
        "max_new_tokens": 5,
        "do_sample": True,
        "temperature": 0.5,
        "top_p": 0.9,
        "top_k": 20,
        "frequency_penalty": 0.5,
        "seed": 7,
        "stop": ["x"],
        "top_n_tokens": 3,
        "grammar": {"type": "json", "value": SCHEMA},
        "details": True,
        "return_full_text": False,
        "repetition_penalty": 1.1,
        "adapter_id": "lora",
    },
    "novel": 1,
}

ROOT = WireCase(
    WIRE,
    (
        Sample(
            "text", b"".join(TEXT), Said("Hello é", tokens=("Hel", "lo", " é", "</s>"), usage=Usage(3, 4))
        ),
        Sample(
            "cut_off",
            b"".join(CUT_OFF),
            Said(
                "One two three", tokens=("One", " two", " three"), finish_reason="length", usage=Usage(9, 3)
            ),
        ),
    ),
    asked=(
        asked(DETAILS, path={"model": "m"}),
        asked(FULL, path={"model": "m"}, warns=("repetition_penalty", "adapter_id")),
    ),
    unknown_event={"later": 1},
    fails_as={
        **dict.fromkeys(("auth", "rate_limited"), "unavailable"),
        **dict.fromkeys(("context_overflow", "content_blocked"), "bad_request"),
    },
    uncounted=("cached_input_tokens", "cache_write_tokens", "reasoning_tokens"),
)
# The other fronts differ in requests and whole bodies only.
GENERATE = replace(ROOT, samples=ROOT.samples[:1], front=GENERATE_FRONT, name="tgi-generate")
GENERATE_STREAM = replace(GENERATE, front=GENERATE_STREAM_FRONT, name="tgi-generate_stream")
