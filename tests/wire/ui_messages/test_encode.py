from __future__ import annotations

from typing import Any

import pytest
from tests.wire import scripted
from tests.wire.ui_messages.checker import Reader, Refused

from headrace.core.chunk import (
    AudioDelta,
    BlockEnd,
    BlockStart,
    Cancelled,
    CandidateEnd,
    Chunk,
    Citation,
    Failure,
    Finish,
    ImageDelta,
    ReasoningDelta,
    RefusalDelta,
    Start,
    Step,
    TextDelta,
    ToolCallDelta,
    ToolResult,
    TranscriptDelta,
    UsageReport,
    VendorPart,
    Verdict,
)
from headrace.core.message import ImagePart, TextPart
from headrace.core.opaque import Opaque
from headrace.core.usage import Usage
from headrace.errors import RateLimited
from headrace.testing import stages
from headrace.wire.base import Says
from headrace.wire.ui_messages import UiEncoder, error_event

SAYS = Says("msg_1", "m", 1)


def read(chunks: Any) -> Reader:
    return Reader(b"".join(stages.run(UiEncoder(SAYS), [list(chunks)])))


def test_an_answer_of_another_wire_is_the_message_it_was() -> None:
    reader = read(scripted.EVERYTHING)
    assert reader.id == "msg_1"
    assert reader.message == [
        {"type": "step-start"},
        {"type": "reasoning", "text": "Let me think."},
        {"type": "text", "text": "Hello é🙂"},
        {"type": "tool-weather", "toolCallId": "call_a", "raw": '{"city":"Oslo"}', "input": {"city": "Oslo"}},
        {"type": "tool-time", "toolCallId": "call_b", "raw": "{}", "input": {}},
    ]
    assert reader.reason == "tool-calls"
    assert (reader.metadata["model"], reader.metadata["createdAt"]) == ("m", 1000)
    usage = reader.metadata["usage"]
    assert usage["raw"] == {"openai_chat": {"prompt_tokens": 11}}
    assert (usage["inputTokens"], usage["outputTokens"], usage["totalTokens"]) == (11, 7, 18)
    assert usage["inputTokenDetails"] == {"noCacheTokens": 7, "cacheReadTokens": 4, "cacheWriteTokens": 0}
    assert usage["outputTokenDetails"] == {"textTokens": 5, "reasoningTokens": 2}


def test_results_of_tools_that_were_run_come_before_the_next_step() -> None:
    results = [
        ToolResult("call_a", "weather", (TextPart('{"sky":"blue"}'),)),
        ToolResult("call_b", "time", (TextPart("no clock"),), is_error=True),
    ]
    said = [Start("c-2"), BlockStart(9, "text"), TextDelta(9, "Blue."), BlockEnd(9), Finish()]
    reader = read([*scripted.EVERYTHING[:-1], *results, *said])
    tools = [one for one in reader.message if one["type"].startswith("tool-")]
    assert [one.get("output") for one in tools] == [{"sky": "blue"}, None]
    assert tools[1]["errorText"] == "no clock"
    assert [one["type"] for one in reader.message[-2:]] == ["step-start", "text"]
    for output, told in (("plain", "plain"), ("[1", "[1"), ("[1]", [1]), ("7", "7")):
        result = ToolResult("call_a", "weather", (TextPart(output),))
        assert read([*scripted.EVERYTHING[:-1], result, Finish()]).message[3]["output"] == told
    image = ToolResult("call_a", "weather", (ImagePart(url="https://example.org/i.png"),))
    told = read([*scripted.EVERYTHING[:-1], image, Finish()]).message[3]["output"]
    assert told == [{"type": "image", "url": "https://example.org/i.png"}]


def test_results_find_their_calls_whatever_a_page_calls_those() -> None:
    steps: list[Chunk] = []
    for block in (0, 2):
        call = [BlockStart(block, "tool-call", "call_1", "add"), ToolCallDelta(block, "{}"), BlockEnd(block)]
        steps += [Start(), *call, ToolResult("call_1", "add", (TextPart(f"answer {block}"),))]
    reader = read([*steps, ToolResult("lost", "add", (TextPart("3"),)), Finish()])
    answered = [(one["toolCallId"], one["output"]) for one in reader.message if "toolCallId" in one]
    assert answered == [("call_1", "answer 0"), ("call_1-2", "answer 2")]
    assert reader.message[-1]["type"] == "data-tool-result"
    assert reader.message[-1]["data"]["parts"] == [{"type": "text", "text": "3"}]


def test_any_grouping_of_chunks_gives_the_same_bytes() -> None:
    stages.check(lambda: UiEncoder(SAYS), list(scripted.EVERYTHING), normal=stages.joined)


def test_nothing_leaves_before_the_answer_begins() -> None:
    encoder = UiEncoder(SAYS)
    assert encoder.feed([Start("c", "m", 1)]) == []
    assert encoder.feed([BlockStart(0, "text")])


def test_signatures_ride_in_the_metadata() -> None:
    signed = Opaque("anthropic", {"signature": "abc"})
    chunks = [BlockStart(0, "reasoning"), ReasoningDelta(0, "Hm."), BlockEnd(0, vendor=signed)]
    reader = read([Start(), *chunks, *scripted.text_reply()[-2:]])
    assert reader.message[1]["providerMetadata"] == {"anthropic": {"signature": "abc"}}


def test_what_the_protocol_does_not_model_is_data() -> None:
    chunks = [
        Start(),
        Step("look", 1, 2),
        Verdict("safe"),
        BlockStart(0, "text"),
        TextDelta(0, "x"),
        Citation(0, "https://x", "X"),
        Citation(0, quote="q"),
        BlockEnd(0),
        BlockStart(1, "image"),
        ImageDelta(1, b"old", "image/png", partial=True),
        ImageDelta(1, b"png", "image/png"),
        BlockEnd(1),
        AudioDelta(2, b"pcm", "pcm16"),
        TranscriptDelta(3, "hi"),
        VendorPart(Opaque("anthropic", {"type": "novel"})),
        *scripted.text_reply()[-2:],
    ]
    kinds = [one["type"] for one in read(chunks).message]
    assert kinds == [
        "step-start",
        "data-step",
        "data-verdict",
        "text",
        "source-url",
        "data-citation",
        "file",
        "data-transcript",
    ]


@pytest.mark.parametrize("arguments", ["{cut", '{"a":1}x'])
def test_arguments_that_are_no_json_are_an_error_of_the_call_alone(arguments: str) -> None:
    call = [BlockStart(0, "tool-call", "c", "f"), ToolCallDelta(0, arguments), BlockEnd(0)]
    reader = read([Start(), *call, *scripted.text_reply()[-2:]])
    assert reader.message[1]["input"] == arguments
    assert "no JSON" in reader.message[1]["errorText"]
    assert reader.ended == "finish"


def test_blocks_that_were_not_opened_or_ended_are_made_good() -> None:
    chunks = [TextDelta(0, "a"), ReasoningDelta(1, "b"), ToolCallDelta(2, "{}"), BlockEnd(9), Finish()]
    assert [one["type"] for one in read(chunks).message] == ["step-start", "text", "reasoning", "tool-"]
    mixed = [TextDelta(0, "a"), ReasoningDelta(0, "b"), ToolCallDelta(0, "{}"), TextDelta(0, "c"), Finish()]
    kinds = [one["type"] for one in read(mixed).message]
    assert kinds == ["step-start", "text", "reasoning", "tool-", "text"]


def test_a_further_start_is_a_further_step() -> None:
    first = scripted.text_reply("a")[:-1]
    second = [Start(), BlockStart(1, "text"), TextDelta(1, "b"), BlockEnd(1)]
    reader = read([*first, *second, CandidateEnd("length"), Finish("length")])
    assert [one.get("text") for one in reader.message] == [None, "a", None, "b"]
    assert reader.reason == "length"


def test_an_empty_answer_is_a_message_all_the_same() -> None:
    assert read([Start(), Finish()]).message == [{"type": "step-start"}]


def test_a_refusal_is_text_and_other_candidates_are_left_out() -> None:
    chunks = [BlockStart(0, "refusal"), RefusalDelta(0, "No."), BlockEnd(0), TextDelta(5, "other", (), 1)]
    reader = read([Start(), *chunks, CandidateEnd("content_filter"), Finish()])
    marked = {"headrace": {"refusal": True}}
    assert reader.message[1:] == [{"type": "text", "text": "No.", "providerMetadata": marked}]
    assert reader.reason == "content-filter"


@pytest.mark.parametrize(
    ("terminal", "ended"),
    [(Failure.of(RateLimited("slow down")), "error"), (Cancelled("stopped"), "abort"), (None, "error")],
    ids=["failure", "cancelled", "no terminal"],
)
def test_a_bad_end_is_told(terminal: Any, ended: str) -> None:
    for before in (0, 3):
        chunks = scripted.text_reply("Hel")[:before] + ([terminal] if terminal is not None else [])
        assert read(chunks).ended == ended


def test_an_error_tells_its_class_and_what_has_been_spent() -> None:
    failed = Failure.of(RateLimited("slow down", retry_after_s=3.0))
    reader = read([*scripted.text_reply("Hel")[:3], UsageReport(Usage(3, 2)), failed])
    assert reader.error == "slow down"
    usage, told = reader.told
    assert usage["messageMetadata"]["usage"]["totalTokens"] == 5
    assert told["transient"]
    assert told["data"] == {
        "kind": "rate_limited", "code": "rate_limited", "retryable": True, "http_status": 429,
        "retry_after_s": 3.0,
    }  # fmt: skip
    assert Reader(error_event(failed)).error == "slow down"


def test_what_repeats_the_request_is_not_the_pages() -> None:
    secret = {"type": "response.in_progress", "response": {"instructions": "the system prompt"}}
    told = VendorPart(Opaque("openai_responses", {"event": secret}))
    shown = VendorPart(Opaque("openai_responses", {"event": {"type": "response.web_search_call.searching"}}))
    start = Start("r", "m", 1, Opaque("openai_responses", {"event": secret}))
    end = Finish("stop", vendor=Opaque("openai_responses", {"event": secret}))
    body = b"".join(stages.run(UiEncoder(SAYS), [[start, told, shown, end]]))
    assert b"system prompt" not in body
    assert b"web_search" in body


def test_calls_of_the_same_id_are_told_apart() -> None:
    calls: list[Any] = []
    for block in range(3):
        calls += [
            BlockStart(block, "tool-call", "c", f"f{block}"),
            ToolCallDelta(block, "{}"),
            BlockEnd(block),
        ]
    reader = read([Start(), *calls, Finish()])
    assert [one.get("toolCallId") for one in reader.message[1:]] == ["c", "c-2", "c-3"]


def test_an_answer_that_goes_on_with_a_message_takes_its_id_and_names_nothing_in_it_twice() -> None:
    """The rest is named after the answer: a page puts both answers into one message."""
    blocks = [BlockStart(0, "tool-call", "", "f"), BlockEnd(0), BlockStart(1, "opaque"), BlockEnd(1)]

    def ids(says: str) -> tuple[str | None, set[str]]:
        encoder = UiEncoder(Says(says, "m", 1), "msg_0")
        reader = Reader(b"".join(stages.run(encoder, [[Start(), *blocks, Finish()]])))
        return reader.id, {one.get("toolCallId") or one["id"] for one in reader.message[1:]}

    assert ids("msg_1") == ("msg_0", {"msg_1_0", "msg_1:1"})
    assert ids("msg_2")[1].isdisjoint(ids("msg_1")[1])


def test_names_that_a_vendor_gives_its_texts_stay() -> None:
    named = [BlockStart(0, "text", "msg_a"), TextDelta(0, "x"), BlockStart(1, "text", "msg_a"), BlockEnd(0)]
    body = b"".join(stages.run(UiEncoder(SAYS), [[Start(), *named, Finish()]]))
    assert body.count(b'"id":"msg_a"') == 3
    assert body.count(b'"id":"part-1"') == 2


def test_what_a_part_ends_with_is_what_the_next_turn_needs() -> None:
    first, piece = Opaque("gemini", {"a": 1}), Opaque("gemini", {"more": True})
    chunks = [BlockStart(0, "text", vendor=first), TextDelta(0, "x", vendor=piece), BlockEnd(0)]
    assert read([Start(), *chunks, Finish()]).message[1]["providerMetadata"] == {"gemini": {"a": 1}}
    chunks = [BlockStart(0, "text"), TextDelta(0, "x", vendor=piece), BlockEnd(0)]
    assert read([Start(), *chunks, Finish()]).message[1]["providerMetadata"] == {}


def test_a_reason_without_its_candidate_and_a_stop_text_are_told() -> None:
    assert read([Start(), TextDelta(0, "x"), Finish("length", "max")]).reason == "length"
    stopped = CandidateEnd("stop_sequence", "stop_sequence", "END")
    metadata = read([Start(), TextDelta(0, "x"), stopped, Finish("stop")]).metadata
    assert metadata["stopSequence"] == "END"
    assert metadata["rawFinishReason"] == "stop_sequence"


@pytest.mark.parametrize(
    "parts",
    [
        b'data: {"type":"text-delta","id":"0","delta":"x"}\n\n',
        b'data: {"type":"start"}\n\ndata: {"type":"novel"}\n\n',
        b'data: {"type":"start"}\n\ndata: {"type":"start-step"}\n\ndata: {"type":"text-end","id":"0"}\n\n',
        b'data: {"type":"start"}\n\n',
    ],
)
def test_the_checker_refuses_what_the_package_refuses(parts: bytes) -> None:
    with pytest.raises(Refused):
        Reader(parts + b"data: [DONE]\n\n")
