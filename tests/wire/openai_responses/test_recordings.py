"""Recorded streams of OpenAI, Azure, Copilot, xAI and LM Studio, judged by the official client."""

from __future__ import annotations

import json
import random
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from tests.wire.openai_responses.conftest import Said, said_by, sdk_final, sdk_last

from headrace.core.chunk import TERMINALS, Failure, Finish, TextDelta
from headrace.core.fold import fold
from headrace.core.reply import Reply
from headrace.testing.stages import run
from headrace.wire.openai_responses.decode import ResponsesDecoder
from headrace.wire.openai_responses.encode import ResponsesEncoder
from headrace.wire.openai_responses.whole import response_body

pytestmark = pytest.mark.recordings

# Ids were replaced in these, or rotate (Copilot): the accumulator refuses, so the judge is the final
# response as the client reads it.
NO_IDENTITY = (
    "json_lines/openai/responses_github-copilot-id-rotation.1.jsonl",
    "json_lines/openai/responses_openai-client-tool-search.1.jsonl",
    "json_lines/xai/responses_xai-x-search-tool.jsonl",
)
# Deltas were taken out of this one and its texts changed: what was streamed counts, not what is said last.
SHORTENED = "json_lines/openai/responses_openai-shell-container.1.jsonl"
ERROR = "json_lines/openai/responses_openai-error.1.jsonl"  # quota exceeded, inside a 200


def decode(body: bytes, *cuts: int) -> list[Any]:
    edges = [0, *sorted(cuts), len(body)]
    return run(ResponsesDecoder(), [[body[a:b]] for a, b in pairwise(edges)])


def said(reply: Reply) -> tuple[Any, ...]:
    """The same fields as the judge's `Said`."""
    usage = reply.usage
    return (
        reply.text,
        reply.refusal,
        reply.reasoning,
        [(call.id, call.name, call.arguments) for call in reply.tool_calls],
        "completed" if reply.candidates[0].raw_reason == "completed" else "incomplete",
        usage and usage.input_tokens,
        usage and usage.output_tokens,
        usage and usage.reasoning_tokens,
    )


def judged(recording: Any, body: bytes = b"") -> Said:
    """What the official client makes of a recording, or of `body` in its place."""
    judge = sdk_last if recording.name in NO_IDENTITY else sdk_final
    return said_by(judge(body or recording.body))


def test_a_recording_adds_up_to_what_the_official_client_makes_of_it(recording: Any) -> None:
    reply = fold(decode(recording.body))
    if recording.name == ERROR:
        assert reply.failure is not None
        assert (reply.failure.kind, reply.failure.code) == ("rate_limited", "insufficient_quota")
        assert not reply.failure.retryable
        return
    assert isinstance(reply.terminal, Finish)
    theirs = judged(recording)
    if recording.name == SHORTENED:
        theirs = theirs._replace(text="The command ran successfully.")
    assert said(reply) == tuple(theirs)


def test_a_recording_cut_after_any_event_is_never_a_success(recording: Any) -> None:
    events = [event + b"\n\n" for event in recording.body.split(b"\n\n") if event]
    decoder = ResponsesDecoder()
    step = max(1, len(events) // 40)
    ended = (b'"response.completed"', b'"response.incomplete"', b'"response.failed"', b'"type":"error"')
    for place, event in enumerate(events):
        if any(word in event for word in ended):
            break
        decoder.feed([event])
        if place % step == 0:
            last = decode(b"".join(events[: place + 1]))[-1]
            assert isinstance(last, Failure)
            assert last.kind == "truncated"
    last = decoder.close()[-1]
    assert isinstance(last, Failure)
    assert last.kind == "truncated"
    assert last.retryable


def test_a_recording_decodes_the_same_for_any_cuts(recording: Any) -> None:
    whole = decode(recording.body)
    dice = random.Random(recording.name)  # repeatable cuts, others for each recording
    for _ in range(3):
        cuts = [dice.randrange(len(recording.body)) for _ in range(dice.randrange(1, 30))]
        assert decode(recording.body, *cuts) == whole
    if len(recording.body) < 6_000:
        assert decode(recording.body, *range(len(recording.body))) == whole


def test_chunks_have_one_terminal_and_blocks_are_opened_and_closed(recording: Any) -> None:
    chunks = decode(recording.body)
    assert [type(one) in TERMINALS for one in chunks].count(True) == 1
    kinds = [one for one in msgspec.to_builtins(chunks) if "block" in one]
    opened = [one["block"] for one in kinds if one["type"] == "block-start"]
    closed = [one["block"] for one in kinds if one["type"] == "block-end"]
    assert opened == list(range(len(opened)))
    assert sorted(closed) == opened
    live: set[int] = set()
    for one in kinds:
        if one["type"] == "block-start":
            live.add(one["block"])
        # a source may be named at the very end (the final response), when its text is long done
        assert one["block"] in live or one["type"] == "citation"
        if one["type"] == "block-end":
            live.remove(one["block"])


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


def test_encoded_again_it_is_the_same_message_for_the_official_client(recording: Any) -> None:
    if recording.name == ERROR:
        return  # the one above looks at it
    chunks = decode(recording.body)
    encoded = b"".join(run(ResponsesEncoder(), [[one] for one in chunks]))
    if recording.name != SHORTENED:
        assert judged(recording, encoded) == judged(recording)
    again = fold(decode(encoded))
    assert said(again) == said(fold(chunks))
    assert again.usage == fold(chunks).usage


def test_a_text_that_was_changed_on_the_way_is_nowhere_as_it_was(recording: Any) -> None:
    def redacted(chunk: Any) -> Any:
        if isinstance(chunk, TextDelta):
            return msgspec.structs.replace(chunk, text="#" * len(chunk.text), tokens=(), vendor=chunk.vendor)
        return chunk

    chunks = decode(recording.body)
    words = max(fold(chunks).text.split("\n"), key=len, default="") if recording.name != ERROR else ""
    if len(words) < 40 or recording.name == SHORTENED:
        return
    stream = b"".join(run(ResponsesEncoder(), [[redacted(one) for one in chunks]]))
    assert words not in json.dumps(events(stream), ensure_ascii=False)


def test_a_whole_body_is_the_final_response_as_it_came(recording: Any) -> None:
    if recording.name in (ERROR, SHORTENED):
        return
    body = json.loads(response_body(fold(decode(recording.body))))
    assert body == events(recording.body)[-1]["response"]
