"""Recorded streams of the Gemini API and Vertex AI, judged by the official client."""

from __future__ import annotations

import json
import random
from base64 import b64decode
from itertools import pairwise
from typing import Any

import msgspec
import pytest

from headrace.core.chunk import TERMINALS, BlockStart, Failure, Finish
from headrace.core.fold import fold
from headrace.core.reply import Reply
from headrace.testing.stages import run
from headrace.wire.gemini import GeminiDecoder, GeminiEncoder
from headrace.wire.gemini.failure import failure_from_response
from headrace.wire.gemini.response import response_body

pytestmark = pytest.mark.recordings


def decode(body: bytes, *cuts: int) -> list[Any]:
    edges = [0, *sorted(cuts), len(body)]
    return run(GeminiDecoder(), [[body[a:b]] for a, b in pairwise(edges)])


def events(body: bytes) -> list[Any]:
    return [json.loads(one.removeprefix(b"data: ")) for one in body.split(b"\r\n\r\n") if one]


def as_array(body: bytes) -> bytes:
    """The same answer as it comes without alt=sse."""
    return b"[" + b"\n,\r\n".join(json.dumps(one, indent=1).encode() for one in events(body)) + b"\n]\n"


def said(reply: Reply, chunks: list[Any]) -> tuple[Any, ...]:
    """The same fields as the judge's `Said`."""
    usage = reply.usage
    assert usage is not None
    answer, thoughts = usage.output_tokens - usage.reasoning_tokens, usage.reasoning_tokens
    assert usage.vendor is not None
    used_by_tools = usage.vendor.data.get("toolUsePromptTokenCount", 0)
    starts = [one.vendor.data for one in chunks if isinstance(one, BlockStart) and one.vendor]
    return (
        reply.text,
        reply.reasoning,
        [(call.name, json.loads(call.arguments)) for call in reply.tool_calls],
        [b64decode(start["thoughtSignature"]) for start in starts if "thoughtSignature" in start],
        reply.candidates[0].raw_reason,
        (usage.input_tokens - used_by_tools, answer, thoughts, usage.total_tokens),
    )


def test_a_recording_adds_up_to_what_the_official_client_makes_of_it(
    recording: Any, official: Any, said_by: Any
) -> None:
    chunks = decode(recording.body)
    reply = fold(chunks)
    assert isinstance(reply.terminal, Finish)
    assert reply.terminal.clean
    assert said(reply, chunks) == tuple(said_by(official(recording.body).stream()))
    assert reply.finish_reason == (
        "tool_calls" if reply.tool_calls else "length" if "max_tokens" in recording.name else "stop"
    )


def test_the_same_answer_as_a_json_array_is_the_same_chunks(recording: Any) -> None:
    body = as_array(recording.body)
    whole = decode(recording.body)
    assert decode(body) == whole
    dice = random.Random(recording.name)
    assert decode(body, *[dice.randrange(len(body)) for _ in range(40)]) == whole


def test_a_recording_cut_after_any_event_is_never_a_success(recording: Any) -> None:
    pieces = recording.body.split(b"\r\n\r\n")[:-1]
    assert b"finishReason" in pieces[-1]
    for count in range(len(pieces)):
        last = decode(b"".join(piece + b"\r\n\r\n" for piece in pieces[:count]))[-1]
        assert isinstance(last, Failure)
        assert last.kind == "truncated"
        array = as_array(b"".join(piece + b"\r\n\r\n" for piece in pieces[:count])).rstrip(b"\n]")
        assert decode(array)[-1].kind == "truncated"


def test_a_recording_decodes_the_same_for_any_cuts(recording: Any) -> None:
    whole = decode(recording.body)
    dice = random.Random(recording.name)  # repeatable cuts, others for each recording
    for _ in range(4):
        cuts = [dice.randrange(len(recording.body)) for _ in range(dice.randrange(1, 40))]
        assert decode(recording.body, *cuts) == whole
    if len(recording.body) < 3_000:
        assert decode(recording.body, *range(len(recording.body))) == whole


def test_chunks_have_one_terminal_and_blocks_are_opened_and_closed(recording: Any) -> None:
    chunks = decode(recording.body)
    assert [type(one) in TERMINALS for one in chunks].count(True) == 1
    live: set[int] = set()
    opened = 0
    for one in msgspec.to_builtins(chunks):
        if one["type"] == "block-start":
            assert one["block"] == opened
            live.add(opened)
            opened += 1
        if "block" in one and one["type"] != "citation":
            assert one["block"] in live
        if one["type"] == "block-end":
            live.remove(one["block"])
    assert not live


def test_citations_quote_the_answer(recording: Any) -> None:
    reply = fold(decode(recording.body))
    cited = reply.candidates[0].citations
    assert bool(cited) == (b"groundingSupports" in recording.body)
    for one in cited:
        assert one.url.startswith("https://")
        assert one.title
    segments = {
        support["segment"]["text"]
        for event in events(recording.body)
        for candidate in event.get("candidates", ())
        for support in candidate.get("groundingMetadata", {}).get("groundingSupports", ())
    }
    assert {reply.text[one.start : one.end] for one in cited} == segments


def test_a_recorded_refusal_is_typed(refusal_recording: Any) -> None:
    missing = "model_not_found" in refusal_recording.name
    status = 404 if missing else 400
    failure = failure_from_response(
        status, {"Content-Type": "application/json"}, refusal_recording.body, "google"
    )
    assert failure.kind == ("bad_request" if missing else "auth")
    assert failure.detail["status"] == status
    assert not failure.retryable
    (same,) = decode(refusal_recording.body)
    assert same.kind == failure.kind
    assert same.code == failure.code == ("NOT_FOUND" if missing else "INVALID_ARGUMENT")


def plain(body: bytes) -> list[Any]:
    """The events, less what the vendor itself sometimes leaves out: index 0, usage that counts nothing."""
    read = events(body)
    for event in read:
        if "totalTokenCount" not in event.get("usageMetadata", {}):
            event.pop("usageMetadata", None)
        for candidate in event["candidates"]:
            if candidate.get("index") == 0:
                del candidate["index"]
    return read


def test_decoded_and_encoded_again_it_is_the_same_events(recording: Any) -> None:
    chunks = decode(recording.body)
    assert plain(b"".join(run(GeminiEncoder(), [chunks]))) == plain(recording.body)
    array = b"".join(run(GeminiEncoder(array=True), [chunks]))
    assert json.loads(array) == events(b"".join(run(GeminiEncoder(), [chunks])))
    assert decode(array) == decode(b"".join(run(GeminiEncoder(), [chunks])))


def test_encoded_again_the_official_client_takes_it_for_the_same(
    recording: Any, official: Any, said_by: Any
) -> None:
    encoded = b"".join(run(GeminiEncoder(), [decode(recording.body)]))
    assert said_by(official(encoded).stream()) == said_by(official(recording.body).stream())
    assert official(encoded).history() == official(recording.body).history()
    again, first = fold(decode(encoded)), fold(decode(recording.body))
    assert again == first


def test_the_whole_answer_says_the_same_to_the_official_client(
    recording: Any, official: Any, said_by: Any
) -> None:
    body = response_body(fold(decode(recording.body)))
    whole = official(body, content_type="application/json").whole()
    streamed = said_by(official(recording.body).stream())
    assert said_by([whole]) == streamed
    assert (whole.text or "") == streamed.text
