"""Recorded streams of the Gemini API and Vertex AI, judged by the official client."""

from __future__ import annotations

import json
import random
from itertools import pairwise
from typing import Any

import pytest

from headrace.core.fold import fold
from headrace.testing.stages import run
from headrace.wire.gemini import GeminiDecoder, GeminiEncoder
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


def test_the_same_answer_as_a_json_array_is_the_same_chunks(recording: Any) -> None:
    body = as_array(recording.body)
    whole = decode(recording.body)
    assert decode(body) == whole
    dice = random.Random(recording.name)
    assert decode(body, *[dice.randrange(len(body)) for _ in range(40)]) == whole


def test_an_answer_cut_as_a_json_array_is_never_a_success(recording: Any) -> None:
    said = events(recording.body)
    for count in range(len(said)):
        cut = b"[" + b",".join(json.dumps(one).encode() for one in said[:count])
        assert decode(cut)[-1].kind == "truncated"


def test_the_reason_is_ours(recording: Any) -> None:
    reply = fold(decode(recording.body))
    cut = "max_tokens" in recording.name
    assert reply.finish_reason == ("tool_calls" if reply.tool_calls else "length" if cut else "stop")


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


def test_the_whole_answer_says_the_same_to_the_official_client(
    recording: Any, official: Any, said_by: Any
) -> None:
    body = response_body(fold(decode(recording.body)))
    whole = official(body, content_type="application/json").whole()
    streamed = said_by(official(recording.body).stream())
    assert said_by([whole]) == streamed
    assert (whole.text or "") == streamed.text
