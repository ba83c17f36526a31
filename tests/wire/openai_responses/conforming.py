"""What the conformance suite is told of this wire."""

from __future__ import annotations

from typing import Any

from tests.wire.asking import asked
from tests.wire.openai_responses.events import (
    CREATED,
    HELLO,
    added,
    completed,
    delta,
    event,
    item_done,
    message,
    text,
)

from headrace.core.usage import Usage
from headrace.testing.conformance import Said, Sample, WireCase
from headrace.wire.openai_responses import WIRE

USAGE = Usage(30, 12, cached_input_tokens=5, cache_write_tokens=2, reasoning_tokens=4)
CALL = {"id": "fc", "type": "function_call", "call_id": "call_1", "name": "f", "arguments": ""}
OTHER = {**CALL, "id": "fd", "call_id": "call_2", "name": "g"}
CALLED = ({**CALL, "arguments": '{"a":1}'}, {**OTHER, "arguments": "{}"})
CALLS = b"".join(
    [
        CREATED,
        added(CALL),
        delta("function_call_arguments", '{"a"', id="fc"),
        added(OTHER, 1),
        delta("function_call_arguments", "{}", 1, "fd"),
        delta("function_call_arguments", ":1}", id="fc"),
        event("function_call_arguments.done", item_id="fd", output_index=1, arguments="{}"),
        item_done(CALLED[1], 1),
        item_done(CALLED[0]),
        completed(*CALLED),
    ]
)
ITEM = {"id": "rs", "type": "reasoning", "summary": []}
THOUGHT = {**ITEM, "encrypted_content": "gAAA", "summary": [{"type": "summary_text", "text": "one"}]}
PLACE = {"item_id": "rs", "output_index": 0, "summary_index": 0}
PART = {"type": "summary_text", "text": ""}
REASONED = b"".join(
    [
        CREATED,
        added(ITEM),
        event("reasoning_summary_part.added", **PLACE, part=PART),
        event("reasoning_summary_text.delta", **PLACE, delta="one"),
        event("reasoning_summary_text.done", **PLACE, text="one"),
        event("reasoning_summary_part.done", **PLACE, part={**PART, "text": "one"}),
        item_done(THOUGHT),
        text("hi", at=1),
        completed(THOUGHT, message("hi")),
    ]
)
ASK: dict[str, Any] = {
    "model": "m",
    "input": [{"type": "message", "role": "user", "content": "hi"}],
    "stream": True,
    "store": False,
}


def spelling(said: Any) -> Any:
    """Numbers are given anew."""
    return {name: value for name, value in said.items() if name != "sequence_number"}


CASE = WireCase(
    WIRE,
    (
        Sample("hello", HELLO, Said("Hello", usage=USAGE)),
        Sample("calls", CALLS,
               Said(tool_calls=(("call_1", "f", '{"a":1}'), ("call_2", "g", "{}")), usage=USAGE,
                    finish_reason="tool_calls")),
        Sample("reasoned", REASONED, Said("hi", "one", usage=USAGE)),
    ),
    asked=(asked(ASK),),
    unknown_event={"type": "response.new_thing.begun", "x": [1, {"y": None}]},
    spelling=spelling,
)  # fmt: skip
