"""What the conformance suite is told of this wire."""

from __future__ import annotations

from typing import Any

from tests.wire.asking import asked
from tests.wire.openai_completions.events import DONE, LOGPROBS, USAGE, event

from headrace.core.usage import Usage
from headrace.testing.conformance import Said, Sample, WireCase
from headrace.wire.openai_completions import WIRE

COUNTED = Usage(3, 2)


def piece(text: str = "", index: int = 0, reason: str | None = None, **more: Any) -> bytes:
    choice = {"text": text, "index": index, "logprobs": None, "finish_reason": reason, **more}
    return event(choices=[choice], usage=None, system_fingerprint="fp_1")


LAST = event(choices=[], usage=USAGE, system_fingerprint="fp_1")
TEXT = (piece("Hel"), piece('lo "é"\n'), piece(reason="stop"), LAST, DONE)
EVERYTHING = (
    piece("Hello", logprobs=LOGPROBS),
    piece("Salut", 1, token_ids=[5, 6]),
    piece("", 0, "stop"),
    piece("", 1, "length", stop_reason=13),
    LAST,
    DONE,
)
ASK = {"model": "m", "prompt": "p", "stream": True, "stream_options": {"include_usage": True}}
FULL = {
    **ASK,
    "max_tokens": 5,
    "temperature": 0.5,
    "top_p": 0.9,
    "frequency_penalty": 0.1,
    "presence_penalty": 0.2,
    "seed": 7,
    "stop": ["a", "b"],
    "logprobs": 3,
    "n": 2,
    "best_of": 4,
    "suffix": "end",
    "logit_bias": {"50256": -100.0},
    "user": "u",
    "guided_regex": "x+",
}

CASE = WireCase(
    WIRE,
    (
        Sample("text", b"".join(TEXT), Said('Hello "é"\n', usage=COUNTED), enough=3),
        Sample(
            "everything", b"".join(EVERYTHING), Said("Hello", tokens=("Hel", "lo"), usage=COUNTED), enough=4
        ),
    ),
    asked=(asked(ASK), asked(FULL, warns=("suffix", "best_of"))),
    unknown_event={"choices": [], "later": {"a": 1}},
    forgets=("choices.*.logprobs",),
    free_form=("choices.*.top_logprobs.*",),
)
