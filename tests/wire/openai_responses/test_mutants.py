"""Any value in any place: the decoder gives one terminal, the parser a request or an error that says why."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from tests.wire.openai_responses.events import (
    CREATED,
    added,
    completed,
    delta,
    event,
    item_done,
    message,
    text,
)

from headrace.errors import RequestError
from headrace.testing import stages
from headrace.wire.openai_responses import ResponsesDecoder, ResponsesEncoder, build, parse_request

VALUES: tuple[Any, ...] = (None, True, -1, 3, 1.5, "x", "", [], [3], {}, {"type": "x"}, "drop")
_PLACE = {"item_id": "i", "output_index": 0, "content_index": 0}
_PART = {"type": "output_text", "text": "a", "annotations": [{"type": "url_citation"}], "logprobs": []}
_CALL = {"id": "fc", "type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
_THOUGHT = {"id": "rs", "type": "reasoning", "summary": [{"type": "summary_text", "text": "s"}]}
_IMAGE = {"id": "ig", "type": "image_generation_call", "result": "AAE=", "output_format": "png"}
STREAM = [
    CREATED,
    text("a"),
    added(_CALL, 1),
    delta("function_call_arguments", "{}", 1, "fc"),
    item_done(_CALL, 1),
    event("reasoning_summary_part.added", **_PLACE, summary_index=0, part=_THOUGHT["summary"][0]),
    item_done(_THOUGHT, 2),
    event("image_generation_call.partial_image", output_index=3, partial_image_b64="AAE="),
    item_done(_IMAGE, 3),
    event("output_text.annotation.added", **_PLACE, annotation={"type": "x"}),
    event("content_part.done", **_PLACE, part=_PART),
    event("audio.delta", delta="AAE="),
    event("audio.done"),
    completed(message("a"), _CALL, _THOUGHT, _IMAGE),
]
BODY: dict[str, Any] = {
    "model": "m",
    "input": [
        {
            "role": "user",
            "content": [{"type": "input_text", "text": "a"}, {"type": "input_image", "image_url": "u"}],
        },
        {"role": "user", "content": [{"type": "input_file", "file_id": "f"}]},
        {**_THOUGHT, "encrypted_content": "headrace.1.eyJ3aXJlIjoidyIsImRhdGEiOnt9fQ=="},
        {"type": "message", "role": "assistant", "content": [_PART], "id": "m"},
        _CALL,
        {"type": "function_call_output", "call_id": "c", "output": [{"type": "input_text", "text": "a"}]},
        {"type": "item_reference", "id": "x"},
    ],
    "tools": [{"type": "function", "name": "f"}, {"type": "custom", "name": "g"}, {"type": "web_search"}],
    "tool_choice": {"type": "function", "name": "f"},
    "reasoning": {"effort": "low", "summary": "auto"},
    "text": {"format": {"type": "json_schema", "name": "p", "schema": {}}, "verbosity": "low"},
    "include": ["x"],
    "metadata": {"a": "b"},
}


def mutants(value: Any) -> Iterator[Any]:
    """`value` with each part of it, one at a time, replaced by each of `VALUES` or left out."""
    if isinstance(value, dict):
        for key, below in value.items():
            yield from ({**value, key: one} for one in (*VALUES, *mutants(below)) if one != "drop")
            yield {name: one for name, one in value.items() if name != key}
    elif isinstance(value, list):
        for place, below in enumerate(value):
            for one in (*VALUES, *mutants(below)):
                yield [*value[:place], one, *value[place + 1 :]]


FRAMES = [frame + b"\n\n" for frame in b"".join(STREAM).split(b"\n\n") if frame]


@pytest.mark.parametrize("place", range(len(FRAMES)))
def test_any_value_in_any_event_gives_one_terminal_that_can_be_encoded(place: int) -> None:
    head, _, data = FRAMES[place].partition(b"\ndata: ")
    before, after = b"".join(FRAMES[:place]), b"".join(FRAMES[place + 1 :])
    for mutant in mutants(json.loads(data)):
        frame = head + b"\ndata: " + json.dumps(mutant).encode() + b"\n\n"
        chunks = stages.run(ResponsesDecoder(), [[before + frame + after]])
        stages.one_terminal(chunks)
        assert b"".join(stages.run(ResponsesEncoder(), [chunks]))


def test_any_value_in_any_field_of_a_request_is_taken_or_named() -> None:
    for mutant in mutants(BODY):
        try:
            request = parse_request(json.dumps(mutant).encode()).request
        except RequestError:
            continue
        assert build(request, {}).body
