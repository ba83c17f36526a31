"""Recorded streams of OpenAI, Azure, Copilot, xAI and LM Studio, judged by the official client."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from tests.wire.openai_responses.conftest import Said, said_by, sdk_final, sdk_last

from headrace.core.chunk import TERMINALS, Failure, Finish
from headrace.core.fold import fold
from headrace.core.reply import Reply
from headrace.testing.stages import run
from headrace.wire.openai_responses.decode import ResponsesDecoder

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
