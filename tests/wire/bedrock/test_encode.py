"""The encoder: the events' order, and what other wires' chunks become; the official client reads it."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest
from botocore.exceptions import EventStreamError
from tests.wire.bedrock.events import (
    BEGIN,
    END,
    TEXT,
    TOOLS,
    arguments,
    cost,
    decode,
    event,
    piece,
    reason,
    start,
    stop,
    text,
    thought,
)
from tests.wire.bedrock.judge import client_answer, client_events, fold_events
from tests.wire.scripted import EVERYTHING, text_reply

from headrace.core.chunk import (
    AudioDelta,
    BlockEnd,
    BlockStart,
    Cancelled,
    CandidateEnd,
    Citation,
    Failure,
    Finish,
    ImageDelta,
    RefusalDelta,
    Start,
    TextDelta,
    ToolCallDelta,
    UsageReport,
    VendorPart,
)
from headrace.core.fold import fold
from headrace.core.opaque import Opaque
from headrace.core.usage import Usage
from headrace.framing.eventstream import EventStreamDecoder, Message
from headrace.testing import stages, work
from headrace.wire.bedrock import ConverseEncoder, converse_body

PNG = b"\x89PNG\r\n\x1a\n"


def encode(*chunks: Any) -> bytes:
    return b"".join(stages.run(ConverseEncoder(), [list(chunks)]))


def events(body: bytes) -> list[dict[str, Any]]:
    """The events with all their fields, also those that the official client does not know."""
    out: list[dict[str, Any]] = []
    for one in EventStreamDecoder().feed(body):
        assert isinstance(one, Message)
        assert one.text(":content-type") == "application/json"
        out.append({one.text(":event-type") or one.text(":exception-type"): json.loads(one.payload)})
    return out


def without_padding(*sent: bytes) -> list[dict[str, Any]]:
    return [
        {name: {field: value for field, value in body.items() if field != "p"} for name, body in one.items()}
        for one in events(b"".join(sent))
    ]


def test_reasoning_text_two_parallel_calls_and_usage_of_another_wire() -> None:
    read = client_events(encode(*EVERYTHING))
    added = fold_events(read)
    assert added["content"] == [
        {"thought": "Let me think."},
        {"text": "Hello é🙂"},
        {"call": {"toolUseId": "call_a", "name": "weather"}, "input": '{"city":"Oslo"}'},
        {"call": {"toolUseId": "call_b", "name": "time"}, "input": "{}"},
    ]
    assert added["stop"] == "tool_use"
    assert added["usage"] == {
        "inputTokens": 7,
        "outputTokens": 7,
        "totalTokens": 18,
        "cacheReadInputTokens": 4,
    }
    names = [next(iter(one)) for one in read]
    assert names[0] == "messageStart"
    assert names[-2:] == ["messageStop", "metadata"]
    assert names.count("contentBlockStop") == 4
    assert names.count("contentBlockStart") == 2


def test_the_whole_answer_says_the_same() -> None:
    answer = client_answer(converse_body(fold(EVERYTHING)))
    assert answer["output"]["message"] == {
        "role": "assistant",
        "content": [
            {"reasoningContent": {"reasoningText": {"text": "Let me think."}}},
            {"text": "Hello é🙂"},
            {"toolUse": {"toolUseId": "call_a", "name": "weather", "input": {"city": "Oslo"}}},
            {"toolUse": {"toolUseId": "call_b", "name": "time", "input": {}}},
        ],
    }
    assert answer["stopReason"] == "tool_use"
    assert answer["usage"]["inputTokens"] == 7


RICH = (
    event("messageStart", role="assistant", mood="glad"),
    thought(0, redactedContent="eA=="),
    stop(0),
    thought(1, text="hm"),
    thought(1, signature="sig"),
    stop(1),
    text(2, "a"),
    piece(2, citation={"title": "t", "location": {"web": {"url": "u"}}}),
    piece(2, emphasis=1),
    event("contentBlockStop", contentBlockIndex=2, why="done"),
    start(3, toolUse={"toolUseId": "s", "name": "n", "type": "server_tool_use"}),
    arguments(3, '{"q":1}'),
    stop(3),
    start(4, image={"format": "webp"}),
    piece(4, image={"source": {"bytes": b64encode(b"x" * 9).decode()}}),
    stop(4),
    event("weather", sky="blue"),
    reason("stop_sequence", additionalModelResponseFields={"stop_sequence": "END"}),
    cost(trace={"guardrail": {"a": 1}}, serviceTier={"type": "flex"}),
)


@pytest.mark.parametrize("sent", [TEXT, TOOLS, RICH], ids=["text", "tools", "rich"])
def test_what_came_goes_back_event_for_event(sent: tuple[bytes, ...]) -> None:
    """But for padding, and pieces of a call's input that are empty: one stands for a call without any."""
    empty = {"delta": {"toolUse": {"input": ""}}}
    got, wanted = (
        [one for one in all if not empty.items() <= one.get("contentBlockDelta", {}).items()]
        for all in (events(encode(*decode(*sent))), without_padding(*sent))
    )
    assert got == wanted


def test_a_whole_answer_has_what_is_kept_with_its_parts() -> None:
    answer = json.loads(converse_body(fold(decode(*RICH))))
    assert answer["output"]["message"]["content"] == [
        {"reasoningContent": {"redactedContent": "eA=="}},
        {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "sig"}}},
        {"citationsContent": {
            "content": [{"text": "a"}], "citations": [{"title": "t", "location": {"web": {"url": "u"}}}]}},
        {"toolUse": {"toolUseId": "s", "name": "n", "type": "server_tool_use", "input": {"q": 1}}},
        {"image": {"format": "webp", "source": {"bytes": b64encode(b"x" * 9).decode()}}},
    ]  # fmt: skip
    assert answer["additionalModelResponseFields"] == {"stop_sequence": "END"}
    assert client_answer(json.dumps(answer).encode())["stopReason"] == "stop_sequence"


@pytest.mark.parametrize(
    "chunks",
    [list(EVERYTHING), decode(*TEXT), decode(*TOOLS), decode(*RICH)],
    ids=["other", "text", "tools", "rich"],
)
def test_any_cut_and_any_truncation_give_the_same_bytes(chunks: list[Any]) -> None:
    stages.every_split(ConverseEncoder, chunks, normal=stages.joined)
    stages.every_truncation(ConverseEncoder, chunks, normal=stages.joined)
    stages.inert_after_close(ConverseEncoder, chunks)
    for place in range(len(chunks)):
        assert "modelStreamErrorException" in events(encode(*chunks[:place]))[-1]


def test_nothing_leaves_before_the_answer_begins_and_text_leaves_at_once() -> None:
    encoder = ConverseEncoder()
    assert encoder.feed([Start("a", "m"), UsageReport(Usage(5, 1))]) == []
    assert events(b"".join(encoder.feed([BlockStart(0, "text")]))) == [
        {"messageStart": {"role": "assistant"}}
    ]
    assert events(b"".join(encoder.feed([TextDelta(0, 'q"\u00e9')]))) == [
        {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": 'q"\u00e9'}}}
    ]


def test_work_is_linear() -> None:
    work.linear(ConverseEncoder, [TextDelta(0, "x"), ToolCallDelta(1, "")])


def test_a_call_that_goes_on_after_its_end_is_an_error_and_not_lost() -> None:
    chunks = [BlockStart(0, "tool-call", "a", "f"), ToolCallDelta(0, "{}"), BlockStart(1, "text"),
              ToolCallDelta(0, "{}"), Finish()]  # fmt: skip
    assert "went on" in events(encode(*chunks))[-1]["modelStreamErrorException"]["message"]


def test_images_of_another_wire_wait_for_their_format_and_previews_have_no_place() -> None:
    chunks = [
        BlockStart(0, "image"), ImageDelta(0, b"small", "image/png", partial=True),
        ImageDelta(0, PNG, "image/png"), BlockEnd(0), BlockStart(1, "image"), BlockEnd(1),
        BlockStart(2, "text"), TextDelta(2, "a"), BlockEnd(2), CandidateEnd("stop"), Finish(),
    ]  # fmt: skip
    data = b64encode(PNG).decode()
    assert events(encode(*chunks))[1:-1] == [
        {"contentBlockStart": {"contentBlockIndex": 0, "start": {"image": {"format": "png"}}}},
        {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"image": {"source": {"bytes": data}}}}},
        {"contentBlockStop": {"contentBlockIndex": 0}},
        {"contentBlockDelta": {"contentBlockIndex": 1, "delta": {"text": "a"}}},
        {"contentBlockStop": {"contentBlockIndex": 1}},
    ]
    assert fold(decode(encode(*chunks))).candidates[0].images[0].data == PNG
    answer = client_answer(converse_body(fold(chunks)))
    assert answer["output"]["message"]["content"][1] == {"image": {"format": "png", "source": {"bytes": PNG}}}


def test_sources_of_another_wire_and_what_has_no_place() -> None:
    chunks = [
        Start("a", "m"), BlockStart(0, "audio"), AudioDelta(0, b"x"), BlockEnd(0), BlockStart(1, "text"),
        TextDelta(1, "s"), Citation(1, "http://a", "A", "q"), Citation(1), BlockEnd(1),
        TextDelta(1, "other", candidate=1), VendorPart(Opaque("openai_chat", {"type": "odd"})),
        CandidateEnd("stop"), Finish(),
    ]  # fmt: skip
    web = {"title": "A", "sourceContent": [{"text": "q"}], "location": {"web": {"url": "http://a"}}}
    read = client_events(encode(*chunks))
    assert fold_events(read)["content"] == [{"text": "s", "citations": [web]}]
    content = client_answer(converse_body(fold(chunks)))["output"]["message"]["content"]
    assert content == [{"citationsContent": {"content": [{"text": "s"}], "citations": [web]}}]


def test_a_refusal_in_words_is_text() -> None:
    chunks = [BlockStart(0, "refusal"), RefusalDelta(0, "no"), BlockEnd(0), CandidateEnd("stop"), Finish()]
    assert fold_events(client_events(encode(*chunks)))["content"] == [{"text": "no"}]


@pytest.mark.parametrize(
    ("ours", "raw", "word"),
    [
        ("stop", "stop", "end_turn"), ("length", "length", "max_tokens"),
        ("content_filter", "SAFETY", "content_filtered"), ("tool_calls", "", "tool_use"),
        ("content_filter", "guardrail_intervened", "guardrail_intervened"),
        ("length", "model_context_window_exceeded", "model_context_window_exceeded"),
        ("stop_sequence", "", "stop_sequence"),
    ],
)  # fmt: skip
def test_stop_reasons_of_others(ours: Any, raw: str, word: str) -> None:
    chunks = [Start(), CandidateEnd(ours, raw, "END" if ours == "stop_sequence" else ""), Finish(ours)]
    last = events(encode(*chunks))[-1]["messageStop"]
    assert last["stopReason"] == word
    told = {"stop_sequence": "END"} if ours == "stop_sequence" else None
    assert last.get("additionalModelResponseFields") == told
    whole = json.loads(converse_body(fold(chunks)))
    assert (whole["stopReason"], whole.get("additionalModelResponseFields")) == (word, told)


def test_counts_that_nobody_told_are_not_made_up() -> None:
    assert "messageStop" in events(encode(*text_reply("hi")))[-1]
    last = events(encode(*text_reply("hi", usage=Usage(100, 50, 60, 10, 20))))[-1]
    assert last == {"metadata": {"usage": {
        "inputTokens": 30, "outputTokens": 50, "totalTokens": 150,
        "cacheReadInputTokens": 60, "cacheWriteInputTokens": 10,
    }}}  # fmt: skip


def test_an_answer_that_its_model_spoilt_goes_back_as_it_came() -> None:
    sent = (BEGIN, text(0, "a"), stop(0), reason("malformed_tool_use"), END)
    assert events(encode(*decode(*sent))) == without_padding(*sent)


@pytest.mark.parametrize("end", [Failure("unavailable", "busy", http_status=503), Cancelled("enough")])
def test_what_ends_badly_ends_in_an_exception(end: Any) -> None:
    body = encode(*decode(*TEXT)[:4], end, *decode(*TEXT))
    with pytest.raises(EventStreamError, match=r"busy|enough"):
        client_events(body)
