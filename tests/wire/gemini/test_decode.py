"""Streams the schema allows and recordings do not hold: every split, every end."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.wire.gemini.events import (
    RICH,
    TEXT,
    USAGE,
    call,
    decode,
    event,
    failure,
    piece,
    reply,
    said,
    text,
    thought,
)

from headrace.core.chunk import (
    AudioDelta,
    BlockEnd,
    BlockStart,
    CandidateEnd,
    Finish,
    ImageDelta,
    Start,
    TextDelta,
    UsageReport,
    VendorPart,
)
from headrace.core.fold import fold
from headrace.core.message import OpaquePart, TextPart
from headrace.testing import stages
from headrace.wire.gemini import GeminiDecoder
from headrace.wire.gemini.finish import REASONS

DECODER = stages.reads(GeminiDecoder)


def as_array(*events: bytes) -> bytes:
    return b"[" + b",\r\n".join(one[6:-4] for one in events) + b"]"


def test_text_is_a_block_that_ends_with_the_candidate() -> None:
    start, opened, first, second, usage, ended, end, finish = decode(*TEXT)
    assert start == Start("r-1", "m")
    assert opened == BlockStart(0, "text")
    assert (first, second) == (TextDelta(0, "Hel"), TextDelta(0, "lo"))
    assert isinstance(usage, UsageReport)
    assert ended == BlockEnd(0)
    assert isinstance(end, CandidateEnd)
    assert (end.finish_reason, end.raw_reason) == ("stop", "STOP")
    assert finish == Finish("stop", "STOP")


def test_usage_is_converted() -> None:
    counts = {**USAGE, "toolUsePromptTokenCount": 5, "cachedContentTokenCount": 2, "totalTokenCount": 14}
    usage = reply(TEXT[0], said(reason="STOP", usage=counts)).usage
    assert usage is not None
    assert (usage.input_tokens, usage.output_tokens, usage.reasoning_tokens) == (8, 6, 4)
    assert usage.cached_input_tokens == 2
    assert usage.total_tokens == 14


def test_thoughts_text_and_parallel_calls() -> None:
    answer = reply(*RICH)
    assert (answer.reasoning, answer.text, answer.finish_reason) == ("Let me see", "Hé", "tool_calls")
    assert [(one.id, one.name, one.arguments) for one in answer.tool_calls] == [
        ("c-1", "add", '{"a":1}'),
        ("call_r-1_1", "sub", '{"b":[2]}'),
    ]
    assert [part.__class__.__name__ for part in answer.message.parts] == [
        "ReasoningPart",
        "TextPart",
        "ToolCallPart",
        "ToolCallPart",
    ]


@pytest.mark.parametrize("stream", [TEXT, RICH], ids=["text", "rich"])
def test_the_same_answer_in_both_framings_is_the_same_chunks(stream: tuple[bytes, ...]) -> None:
    assert decode(as_array(*stream)) == decode(*stream)


def test_a_signed_part_is_a_block_of_its_own_and_keeps_its_signature() -> None:
    answer = reply(
        said(text("a")), said(text("b", thoughtSignature="c2ln")), said(text("c")), said(reason="STOP")
    )
    assert answer.text == "abc"
    parts: Any = answer.message.parts
    assert [part.text for part in parts] == ["a", "b", "c"]
    assert [part.vendor and part.vendor.data for part in parts] == [None, {"thoughtSignature": "c2ln"}, None]


def test_arguments_in_pieces_grow_as_json() -> None:
    chunks = decode(
        said({**piece(name="cook"), "thoughtSignature": "c2ln"}),
        said(piece({"jsonPath": "$.a[0].b", "stringValue": 'x"', "willContinue": True})),
        said(piece({"jsonPath": "$.a[0].b", "stringValue": "é"})),
        said(piece({"jsonPath": "$.a[1].b", "numberValue": 2}, {"jsonPath": "$.ok", "boolValue": False})),
        said(piece({"jsonPath": "$.none", "nullValue": "NULL_VALUE"})),
        said(piece(goes_on=False)),
        said(call("next", {}), reason="STOP"),
    )
    deltas = [one.arguments for one in chunks if hasattr(one, "arguments")]
    assert deltas[0] == '{"a":[{"b":"x\\"'
    cook, following = fold(chunks).tool_calls
    assert json.loads(cook.arguments) == {"a": [{"b": 'x"é'}, {"b": 2}], "ok": False, "none": None}
    assert (following.name, following.arguments) == ("next", "{}")
    assert cook.vendor is not None
    assert cook.vendor.data["thoughtSignature"] == "c2ln"


@pytest.mark.parametrize(("reason", "whole"), [("STOP", True), ("MAX_TOKENS", False)])
def test_arguments_whose_last_piece_never_came(reason: str, whole: bool) -> None:
    start = {"jsonPath": "$.a", "stringValue": "x", "willContinue": True}
    answer = reply(said(piece(name="f")), said(piece(start)), said(text(""), reason=reason))
    assert answer.tool_calls[0].arguments == ('{"a":"x"}' if whole else '{"a":"x')
    assert answer.finish_reason == ("tool_calls" if whole else "length")


def test_media() -> None:
    image = {"inlineData": {"mimeType": "image/webp", "data": "-_8"}, "thoughtSignature": "c2ln"}
    sound = {"inlineData": {"mimeType": "audio/L16;codec=pcm;rate=24000", "data": "AQI="}}
    chunks = decode(said(image), said(sound), said(sound, reason="STOP"))
    (picture,) = [one for one in chunks if isinstance(one, ImageDelta)]
    assert (picture.data, picture.media_type) == (b"\xfb\xff", "image/webp")
    first, second = [one for one in chunks if isinstance(one, AudioDelta)]
    assert first.block == second.block
    assert (first.format, first.sample_rate_hz, first.data) == ("pcm16", 24000, b"\x01\x02")


def test_what_we_do_not_model_is_kept_in_its_place() -> None:
    code = {"executableCode": {"language": "PYTHON", "code": "print(1)"}}
    chunks = decode(said(text("a")), said(code, text("b")), said(reason="STOP", safetyRatings=[{"x": 1}]))
    assert [type(one).__name__ for one in chunks[2:8]] == [
        "TextDelta",
        "BlockEnd",
        "BlockStart",
        "BlockEnd",
        "BlockStart",
        "TextDelta",
    ]
    kinds = [type(part) for part in fold(chunks).message.parts]
    assert kinds == [TextPart, OpaquePart, TextPart]
    opaque = fold(chunks).message.parts[1].vendor
    assert opaque is not None
    assert opaque.data["part"] == code
    (kept,) = [one.part.data for one in chunks if isinstance(one, VendorPart)]
    assert kept["candidates"] == [{"index": 0, "safetyRatings": [{"x": 1}]}]
    odd = decode(event(candidates=[], newField=1, modelStatus={"a": 1}), *TEXT)
    assert {"newField": 1, "modelStatus": {"a": 1}} in [
        one.part.data for one in odd if isinstance(one, VendorPart)
    ]
    assert fold(odd).text == "Hello"


def test_tokens_with_their_alternatives() -> None:
    result = {
        "chosenCandidates": [{"token": "Hi", "tokenId": 7, "logProbability": -0.5}],
        "topCandidates": [{"candidates": [{"token": "Yo", "logProbability": -1}]}],
    }
    (token,) = reply(said(text("Hi"), logprobsResult=result, reason="STOP")).tokens
    assert (token.text, token.id, token.logprob) == ("Hi", 7, -0.5)
    assert token.top[0].text == "Yo"


def test_candidates_have_blocks_of_their_own() -> None:
    answer = reply(
        said(text("a")),
        said(text("b"), index=1),
        said(reason="STOP"),
        said(text("c"), index=1),
        said(reason="MAX_TOKENS", index=1),
    )
    assert [(one.text, one.finish_reason) for one in answer.candidates] == [("a", "stop"), ("bc", "length")]
    assert failure(said(text("a")), said(text("b"), index=1), said(reason="STOP")).kind == "truncated"


@pytest.mark.parametrize("raw", REASONS)
def test_every_finish_reason(raw: str) -> None:
    last = decode(TEXT[0], said(reason=raw, finishMessage="why"))[-1]
    if REASONS[raw] == "error":
        assert (last.kind, last.code) == ("unavailable", raw)
        assert "why" in last.message
    else:
        assert last == Finish(REASONS[raw], raw)
    assert decode(TEXT[0], said(reason="NEW_WORD"))[-1] == Finish("stop", "NEW_WORD")
    assert failure(TEXT[0], said(reason="FINISH_REASON_UNSPECIFIED")).kind == "truncated"


def test_a_blocked_prompt_is_not_truncated() -> None:
    feedback = {"blockReason": "SAFETY", "blockReasonMessage": "no", "safetyRatings": []}
    blocked = failure(event(promptFeedback=feedback, usageMetadata=USAGE))
    assert (blocked.kind, blocked.code, blocked.retryable) == ("content_blocked", "SAFETY", False)
    assert "no" in blocked.message
    harmless = reply(said(text("a")), event(promptFeedback={"safetyRatings": []}), said(reason="STOP"))
    assert harmless.finish_reason == "stop"


ERROR = {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}


@pytest.mark.parametrize(
    "stream",
    [
        TEXT[0] + b'data: {"error":' + json.dumps(ERROR).encode() + b"}\r\n\r\n",
        b"[" + TEXT[0][6:-4] + b',{"error":' + json.dumps(ERROR).encode() + b"}]",
        b'[{"error":' + json.dumps(ERROR).encode() + b"}]",
        b'\n{"error":' + json.dumps(ERROR).encode() + b"}",
        TEXT[0] + b"event: error\ndata: " + json.dumps(ERROR).encode() + b"\n\n",
    ],
    ids=["event", "value", "array", "object", "named"],
)
def test_an_error_inside_a_200(stream: bytes) -> None:
    out = stages.check(DECODER, stream, chunks=True)
    assert (out[-1].kind, out[-1].code, out[-1].retryable) == ("unavailable", "UNAVAILABLE", True)
    assert "overloaded" in out[-1].message


@pytest.mark.parametrize(
    ("stream", "kind", "said_so"),
    [
        (b"", "truncated", "without a finishReason"),
        (b"[]", "truncated", "any candidate"),
        (b"<html><title>Bad gateway</title>", "wire", "Bad gateway"),
        (b"data: {]\r\n\r\n", "wire", "event 1"),
        (b'data: {"candidates":[{"content":{"parts":[{"text":1}]}}]}\r\n\r\n', "wire", "event 1"),
        (b'data: {"candidates":[{"content":{"parts":"null"}}]}\r\n\r\n', "truncated", "candidate 0"),
        (b'data: {"candidates":[{"index":-1}]}\r\n\r\n', "wire", "index"),
        (said({"inlineData": {"mimeType": "image/png", "data": "*"}}), "wire", "base64"),
        (said(piece({"jsonPath": "x", "boolValue": True}, name="f")), "wire", "path"),
        (said(text("a"), usage={"promptTokenCount": "many"}), "wire", "promptTokenCount"),
    ],
)
def test_broken_answers(stream: bytes, kind: str, said_so: str) -> None:
    last = failure(stream)
    assert last.kind == kind
    assert said_so in last.message
    assert stages.inert_after_failure(DECODER, stream) == last


def test_the_array_that_ends_without_its_bracket_is_not_clean() -> None:
    cut = as_array(*TEXT).removesuffix(b"]")
    assert decode(cut)[-1] == Finish("stop", "STOP", clean=False)
    assert stages.run(GeminiDecoder(), [[as_array(*TEXT)], [b" more"]])[-1] == Finish("stop", "STOP")


def test_a_whole_answer_is_read_too() -> None:
    assert reply(said(thought("t"), text("a"), reason="STOP", usage=USAGE)[6:-4]).text == "a"


def test_bounded() -> None:
    small = GeminiDecoder(max_event_bytes=100)
    (last,) = small.feed([b"[{" + b" " * 200])
    assert (last.kind, last.code) == ("wire", "value_too_long")
    small = GeminiDecoder(max_event_bytes=100)
    (last,) = small.feed([b"data: " + b" " * 200])
    assert last.code == "event_too_long"
    page = GeminiDecoder()
    page.feed([b"<" + b"x" * 100_000] * 10)
    assert page.close()[-1].kind == "wire"
