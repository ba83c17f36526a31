"""Recorded streams of OpenAI, Azure, Copilot, xAI and LM Studio: every event goes back as it came."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from tests.wire.openai_responses.judge import ERROR, JUDGE, NOT_JSON, SHORTENED

from headrace.core.chunk import TextDelta
from headrace.core.fold import fold
from headrace.testing.stages import run
from headrace.wire.openai_responses.decode import ResponsesDecoder
from headrace.wire.openai_responses.encode import ResponsesEncoder
from headrace.wire.openai_responses.whole import response_body

pytestmark = pytest.mark.recordings


def decode(body: bytes) -> list[Any]:
    return run(ResponsesDecoder(), [[body]])


def events(stream: bytes) -> list[Any]:
    """The events as plain data, without their numbers and the padding that is not kept."""
    found: list[Any] = []
    for frame in stream.split(b"\n\n"):
        if frame:
            event = json.loads(frame[frame.index(b"data: ") + 6 :])
            event.pop("sequence_number", None)
            event.pop("obfuscation", None)
            if event["type"] == "response.output_text.delta":
                event.setdefault("logprobs", [])  # LM Studio and others leave the empty list out
            found.append(event)
    return found


def test_decoded_and_encoded_again_every_event_is_the_same(recording: Any) -> None:
    if recording.name == NOT_JSON:
        return
    encoded = b"".join(run(ResponsesEncoder(), [decode(recording.body)]))
    numbers = [
        json.loads(frame[frame.index(b"data: ") + 6 :])["sequence_number"]
        for frame in encoded.split(b"\n\n")
        if frame
    ]
    assert numbers == list(range(len(numbers)))
    if recording.name == ERROR:
        assert [one["type"] for one in events(encoded)] == [one["type"] for one in events(recording.body)]
    elif recording.name == SHORTENED:
        assert len(events(encoded)) == len(events(recording.body))
    else:
        assert events(encoded) == events(recording.body)


def test_a_text_that_was_changed_on_the_way_is_nowhere_as_it_was(recording: Any) -> None:
    def redacted(chunk: Any) -> Any:
        if isinstance(chunk, TextDelta):
            return msgspec.structs.replace(chunk, text="#" * len(chunk.text), tokens=(), vendor=chunk.vendor)
        return chunk

    chunks = decode(recording.body)
    words = (
        max(fold(chunks).text.split("\n"), key=len, default="") if recording.name not in JUDGE.fails else ""
    )
    if len(words) < 40 or recording.name == SHORTENED:
        return
    stream = b"".join(run(ResponsesEncoder(), [[redacted(one) for one in chunks]]))
    assert words not in json.dumps(events(stream), ensure_ascii=False)


def test_a_whole_body_is_the_final_response_as_it_came(recording: Any) -> None:
    if recording.name in JUDGE.fails or recording.name == SHORTENED:
        return
    body = json.loads(response_body(fold(decode(recording.body))))
    assert body == events(recording.body)[-1]["response"]
