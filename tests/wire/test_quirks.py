"""What a wire declares as its quirks is what it reads: no more, no less."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import pytest

from headrace.core.message import (
    AudioPart,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    message,
    user,
)
from headrace.core.request import GenerationSettings, Request, ResponseFormat, Tool
from headrace.wire import WIRES, wire_named
from headrace.wire.base import Wire
from headrace.wire.openai_audio.as_text import AS_TEXT
from headrace.wire.quirk import COUNT, FLAG, TEMPLATE, TEXT, TEXTS, one_of, some_of
from headrace.wire.sound import ASKED_FORMAT

# A request that says everything a quirk may be about, so that each is looked up.
SETTINGS = GenerationSettings(
    temperature=1, top_p=1, top_k=1, min_p=0.5, frequency_penalty=1, presence_penalty=1, seed=1,
    stop=("x",), reasoning_effort="low", logit_bias={"1": 1}, logprobs=True,
)  # fmt: skip
TALK = (
    message("system", "s"),
    message("developer", "d"),
    user("u"),
    message("assistant", (ReasoningPart("r"), TextPart("a"), ToolCallPart("c", "f", "{}"))),
    message("tool", (ToolResultPart("c", (TextPart("t"),)),)),
    message("user", (AudioPart(b"1234", "audio/wav"),)),
    message("assistant", (ReasoningPart("the last"),)),
)
ASK = Request(
    "m",
    TALK,
    SETTINGS,
    tools=(Tool("f", parameters={"type": "object"}),),
    response_format=ResponseFormat("json_schema", schema={"type": "object"}),
)
SPEECH = Request("m", (user("u"),), SETTINGS, task="speech", modalities=("audio",))
HEARD = Request("m", (user([AudioPart(b"1234", format="wav")]),), SETTINGS, task="transcription")
# What a decoder is told of the request, beside the quirks.
ASKED = {ASKED_FORMAT, AS_TEXT}
PLAIN = Request("m", (user("u"),), msgspec.structs.replace(SETTINGS, max_tokens=None))


class Asked(Mapping[str, Any]):
    """Quirks that write down which of them were looked for. values: what is answered."""

    def __init__(self, **values: Any) -> None:
        self.values_ = values
        self.names: set[str] = set()

    def __getitem__(self, name: str) -> Any:
        self.names.add(name)
        return self.values_[name]

    def __iter__(self) -> Iterator[str]:
        raise AssertionError("a wire looks up the quirks it knows and does not go through all")

    def __len__(self) -> int:
        return len(self.values_)


def read_by(wire: Wire) -> set[str]:
    """The names that all the wire's functions look up."""
    asked = Asked()
    for request in (ASK, PLAIN) if "llm" in wire.capabilities else (SPEECH, HEARD):
        wire.build(request, asked)
    templated = Asked(user_turn="{}")
    if "llm" in wire.capabilities:
        wire.build(ASK, templated)
    wire.decoder(asked)
    if wire.counting is not None:
        wire.counting.build(ASK, asked)
    if wire.relay is not None:
        wire.relay(True, asked)
    if wire.rebody is not None:
        wire.rebody(json.dumps({"model": "m", "messages": []}).encode(), "m", asked)
    return (asked.names | templated.names) - ASKED


@pytest.mark.parametrize("name", WIRES)
def test_every_quirk_declared_is_read_and_every_one_read_is_declared(name: str) -> None:
    wire = wire_named(name)
    assert read_by(wire) == set(wire.quirks)
    assert all(quirk.meaning for quirk in wire.quirks.values())


KINDS = {
    "flag": (FLAG, [True, False], [1, 0, "true", None]),
    "count": (COUNT, [1, 9], [0, -1, True, 1.5, "1"]),
    "text": (TEXT, ["", "x"], [1, None, ["x"]]),
    "texts": (TEXTS, [[], ["a"], ("a", "b")], ["a", [1]]),
    "template": (TEMPLATE, ["{}", "a{}b"], ["", "a", "{"]),
    "one of": (one_of("a", "b"), ["a", "b"], ["c", "", ["a"], None]),
    "some of": (some_of("a", "b"), [[], ["a"], ["b", "a"]], ["a", ["c"]]),
}


@pytest.mark.parametrize("name", KINDS)
def test_kinds_take_what_they_say(name: str) -> None:
    kind, good, bad = KINDS[name]
    for value in good:
        msgspec.convert(value, kind.type)
    for value in bad:
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(value, kind.type)
