"""The decoder on hand-written streams: what every test run sees, with recordings or without."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.wire.openai_responses.events import (
    CREATED,
    HELLO,
    USAGE,
    added,
    completed,
    decode,
    delta,
    event,
    failure,
    item_done,
    message,
    reply,
    response,
    text,
)

from headrace.core.chunk import (
    BlockEnd,
    BlockStart,
    Cancelled,
    CandidateEnd,
    Finish,
    Start,
    TextDelta,
    UsageReport,
    VendorPart,
)
from headrace.core.message import ReasoningPart
from headrace.testing import stages
from headrace.wire.openai_responses import ResponsesDecoder, ResponsesEncoder

CALL = {"id": "fc", "type": "function_call", "call_id": "call_1", "name": "f", "arguments": ""}


def encoded_again(stream: bytes) -> list[Any]:
    out = b"".join(stages.run(ResponsesEncoder(), [stages.run(ResponsesDecoder(), [[stream]])]))
    return events(out)


def events(stream: bytes) -> list[Any]:
    found = [json.loads(one[one.index(b"data: ") + 6 :]) for one in stream.split(b"\n\n") if one]
    for one in found:
        one.pop("sequence_number", None)
    return found


def test_a_text_in_all_its_events() -> None:
    chunks = decode(HELLO)
    assert [type(one) for one in chunks] == [
        Start,
        VendorPart,  # in_progress
        VendorPart,  # item added
        BlockStart,
        TextDelta,
        TextDelta,
        VendorPart,  # text done
        BlockEnd,
        VendorPart,  # item done
        UsageReport,
        CandidateEnd,
        Finish,
    ]
    start = chunks[0]
    assert (start.id, start.model, start.created_s) == ("resp_1", "m", 7)
    assert [one.text for one in chunks if isinstance(one, TextDelta)] == ["Hel", "lo"]
    usage = reply(HELLO).usage
    assert usage is not None
    assert (usage.input_tokens, usage.output_tokens, usage.total_tokens) == (30, 12, 42)
    assert (usage.cached_input_tokens, usage.cache_write_tokens, usage.reasoning_tokens) == (5, 2, 4)


def test_crlf_a_bom_comments_and_a_late_done_change_nothing() -> None:
    odd = b"\xef\xbb\xbf" + (b": ping\n" + HELLO).replace(b"\n", b"\r\n") + b"data: [DONE]\r\n\r\n"
    assert decode(odd) == decode(HELLO)
    assert decode(CREATED, b"data: [DONE]\n\n" + text("a"), completed(message("a")))[-1].is_complete


def test_reasoning_summaries_are_blocks_and_the_last_brings_the_item() -> None:
    item = {"id": "rs", "type": "reasoning", "summary": []}
    whole = [{"type": "summary_text", "text": "one"}, {"type": "summary_text", "text": "two"}]
    done = {**item, "encrypted_content": "gAAA", "summary": whole}
    parts: list[bytes] = []
    for at, word in enumerate(("one", "two")):
        place = {"item_id": "rs", "output_index": 0, "summary_index": at}
        part = {"type": "summary_text", "text": ""}
        parts += [
            event("reasoning_summary_part.added", **place, part=part),
            event("reasoning_summary_text.delta", **place, delta=word),
            event("reasoning_summary_text.done", **place, text=word),
            event("reasoning_summary_part.done", **place, part={**part, "text": word}),
        ]
    stream = CREATED + added(item) + b"".join(parts) + item_done(done) + text("hi", at=1)
    stream += completed(done, message("hi"))
    first, second = (one for one in reply(stream).message.parts if isinstance(one, ReasoningPart))
    assert (first.text, second.text) == ("one", "two")
    assert second.vendor is not None
    assert second.vendor.data["event"]["item"]["encrypted_content"] == "gAAA"
    assert encoded_again(stream) == events(stream)


def test_reasoning_that_is_only_encrypted_is_an_empty_block_that_keeps_it() -> None:
    done = {"id": "rs", "type": "reasoning", "summary": [], "encrypted_content": "gAAA"}
    stream = CREATED + added({**done, "encrypted_content": None}) + item_done(done) + completed(done)
    (part,) = reply(stream).message.parts
    assert isinstance(part, ReasoningPart)
    assert part.text == ""
    assert part.vendor is not None
    assert part.vendor.data["event"]["item"]["encrypted_content"] == "gAAA"
    assert encoded_again(stream) == events(stream)


def test_calls_whose_pieces_interleave() -> None:
    other = {**CALL, "id": "fd", "call_id": "call_2", "name": "g"}
    first, second = {**CALL, "arguments": '{"a":1}'}, {**other, "arguments": "{}"}
    stream = b"".join(
        [
            CREATED,
            added(CALL),
            delta("function_call_arguments", '{"a"', id="fc"),
            added(other, 1),
            delta("function_call_arguments", "{}", 1, "fd"),
            delta("function_call_arguments", ":1}", id="fc"),
            event("function_call_arguments.done", item_id="fd", output_index=1, arguments="{}"),
            item_done(second, 1),
            item_done(first),
            completed(first, second),
        ]
    )
    got = reply(stream)
    assert [(one.id, one.name, one.arguments) for one in got.tool_calls] == [
        ("call_1", "f", '{"a":1}'),
        ("call_2", "g", "{}"),
    ]
    assert got.finish_reason == "tool_calls"
    assert encoded_again(stream) == events(stream)


def test_two_calls_with_one_number_are_two_calls() -> None:
    other = {**CALL, "id": "fd", "call_id": "call_2", "name": "g"}
    first, second = {**CALL, "arguments": '{"a":1}'}, {**other, "arguments": "{}"}
    stream = b"".join(
        [
            CREATED,
            added(CALL),
            delta("function_call_arguments", '{"a":1}', id="fc"),
            item_done(first),
            added(other),
            delta("function_call_arguments", "{}", id="fd"),
            item_done(second),
            completed(first, second),
        ]
    )
    got = reply(stream)
    assert [(one.id, one.arguments) for one in got.tool_calls] == [("call_1", '{"a":1}'), ("call_2", "{}")]
    numbers = [one["output_index"] for one in encoded_again(stream) if one["type"].endswith("item.added")]
    assert numbers == [0, 1]


@pytest.mark.parametrize("early", [True, False])
def test_what_no_delta_brought_is_said_when_it_comes(early: bool) -> None:
    whole = {**CALL, "arguments": "{}"}
    items = item_done(whole) + item_done(message("hi"), 1) if early else b""
    got = reply(CREATED, items, completed(whole, message("hi")))
    assert got.text == "hi"
    assert [(one.name, one.arguments) for one in got.tool_calls] == [("f", "{}")]


def test_what_the_last_deltas_were_lost_of_is_said_at_the_end() -> None:
    place = {"item_id": "i", "output_index": 0, "content_index": 0}
    lost = event("output_text.delta", **place, delta="Hel", logprobs=[])
    done = event("output_text.done", **place, text="Hello", logprobs=[])
    assert reply(CREATED, lost, done, completed(message("Hello"))).text == "Hello"


def test_a_custom_call_before_a_message_was_the_providers_own() -> None:
    call = {"id": "ct", "type": "custom_tool_call", "call_id": "c", "name": "sql", "input": "SELECT"}
    alone = reply(CREATED, added({**call, "input": ""}), item_done(call), completed(call))
    assert (alone.finish_reason, alone.tool_calls[0].arguments) == ("tool_calls", "SELECT")
    then = reply(CREATED, item_done(call), text("hi", at=1), completed(call, message("hi")))
    assert then.finish_reason == "stop"


def test_sources_of_a_text() -> None:
    cited = {"type": "url_citation", "url": "http://a", "title": "A", "start_index": 1, "end_index": 3}
    file = {"type": "file_citation", "file_id": "f", "filename": "a.pdf", "index": 2}
    place = {"item_id": "i", "output_index": 0, "content_index": 0}
    part = {"type": "output_text", "text": "abc", "annotations": [cited, file], "logprobs": []}
    stream = b"".join(
        [
            CREATED,
            added(message()),
            event("content_part.added", **place, part={**part, "text": "", "annotations": []}),
            event("output_text.delta", **place, delta="abc", logprobs=[]),
            event("output_text.annotation.added", **place, annotation=cited, annotation_index=0),
            event("content_part.done", **place, part=part),
            item_done(message("abc", content=[part])),
            completed(message("abc", content=[part])),
        ]
    )
    first, second = reply(stream).candidates[0].citations
    assert (first.url, first.title, first.start, first.end) == ("http://a", "A", 1, 3)
    assert (second.title, second.start) == ("a.pdf", 2)
    assert encoded_again(stream) == events(stream)


def test_images_and_their_previews() -> None:
    item = {"id": "ig", "type": "image_generation_call", "status": "in_progress"}
    done = {**item, "status": "completed", "result": "AAE=", "output_format": "png"}
    preview = {"partial_image_index": 0, "partial_image_b64": "AQ==", "output_format": "png"}
    stream = b"".join(
        [
            CREATED,
            added(item),
            event("image_generation_call.partial_image", item_id="ig", output_index=0, **preview),
            item_done(done),
            completed(done),
        ]
    )
    (image,) = reply(stream).candidates[0].images
    assert (image.data, image.format) == (b"\0\1", "image/png")
    assert encoded_again(stream) == events(stream)


def test_sound_and_its_transcript() -> None:
    stream = b"".join(
        [
            CREATED,
            event("audio.delta", delta="AAE=", response_id="resp_1"),
            event("audio.transcript.delta", delta="hi"),
            event("audio.transcript.done"),
            event("audio.done"),
            completed(),
        ]
    )
    candidate = reply(stream).candidates[0]
    assert candidate.audio is not None
    assert (candidate.audio.data, candidate.transcript) == (b"\0\1", "hi")
    assert encoded_again(stream) == events(stream)
    assert failure(CREATED, event("audio.delta", delta="?")).kind == "wire"


def test_unknown_events_items_and_fields_are_kept() -> None:
    ws = {"id": "ws", "type": "web_search_call", "status": "completed", "action": {"query": "q"}}
    place = {"item_id": "i", "output_index": 1, "content_index": 0}
    stream = b"".join(
        [
            CREATED,
            event("new_thing.begun", x=[1, {"y": None}]),
            added(ws),
            event("web_search_call.searching", item_id="ws", output_index=0),
            item_done(ws),
            added(message(), 1),
            event("output_text.delta", **place, delta="hi", logprobs=[], mood="calm"),
            item_done(message("hi"), 1),
            completed(ws, message("hi"), billing={"z": 1}),
        ]
    )
    assert reply(stream).text == "hi"
    assert encoded_again(stream) == events(stream)


@pytest.mark.parametrize(
    ("details", "reason", "raw"),
    [
        ({"reason": "max_output_tokens"}, "length", "max_output_tokens"),
        ({"reason": "content_filter"}, "content_filter", "content_filter"),
        ({"reason": "steered"}, "stop", "steered"),
        (None, "stop", "incomplete"),
    ],
)
def test_an_incomplete_answer_says_why(details: Any, reason: str, raw: str) -> None:
    last = response("incomplete", output=[message("a")], incomplete_details=details, usage=USAGE)
    got = reply(CREATED, text("a"), event("incomplete", response=last))
    assert (got.finish_reason, got.candidates[0].raw_reason) == (reason, raw)


FLAT = {"code": "server_error", "message": "broke", "param": None}


@pytest.mark.parametrize(
    ("stream", "kind", "code", "retryable"),
    [
        (event("error", **FLAT), "unavailable", "server_error", True),
        (event("error", error=FLAT), "unavailable", "server_error", True),
        (event("failed", response=response("failed", error=FLAT)), "unavailable", "server_error", True),
        (event("error", **{**FLAT, "code": "rate_limit_exceeded"}), "rate_limited", None, True),
        (event("error", error={"type": "insufficient_quota"}), "rate_limited", None, False),
        (event("error", error={**FLAT, "code": "invalid_prompt"}), "content_blocked", None, False),
        (event("error", error={**FLAT, "code": "context_length_exceeded"}), "context_overflow", None, False),
        (event("error", error={**FLAT, "code": "invalid_image_url"}), "bad_request", None, False),
        (b'data: {"error":{"type":"server_is_overloaded","message":"m"}}\n\n', "unavailable", None, True),
        (b"event: error\ndata: oh no\n\n", "unavailable", None, True),
        (event("failed", response=response("failed", error=None)), "unavailable", None, True),
    ],
)
def test_errors_flat_nested_and_failed(stream: bytes, kind: str, code: str | None, retryable: bool) -> None:
    got = failure(CREATED, text("a"), stream, event("failed", response=response("failed", error=FLAT)))
    assert (got.kind, got.retryable) == (kind, retryable)
    assert code is None or got.code == code


def test_a_cancelled_response_is_cancelled() -> None:
    for stream in (event("cancelled", response=response("cancelled")), completed(status="cancelled")):
        assert isinstance(decode(CREATED, stream)[-1], Cancelled)


@pytest.mark.parametrize(
    ("stream", "kind"),
    [
        (b"data: {\n\n", "wire"),
        (b"data: 3\n\n", "wire"),
        (b'data: {"x":1}\n\n', "wire"),
        (event("output_item.added", output_index=-1, item=CALL), "wire"),
        (event("output_text.delta", item_id="i", output_index="x", content_index=0, delta="a"), "wire"),
        (event("output_text.delta", item_id="i", output_index=0, content_index=-1, delta="a"), "wire"),
        (event("completed"), "wire"),
        (completed(usage={"input_tokens": "many"}), "wire"),
        (b'{"object":"response","output":[]}', "wire"),
        (b"<html><title>502 Bad</title></html>", "wire"),
        (b'{"error":{"code":"rate_limit_exceeded","message":"slow"}}', "rate_limited"),
    ],
)
def test_what_breaks_the_wire_is_one_failure(stream: bytes, kind: str) -> None:
    begun = b"" if stream[:1] in (b"{", b"<") else CREATED
    decoder = ResponsesDecoder()
    assert stages.inert_after_failure(lambda: decoder, [begun + stream]).kind == kind


def test_reasoning_counted_beside_the_output_is_converted() -> None:
    usage = reply(HELLO, reasoning_beside_output=True).usage
    assert usage is not None
    assert usage.output_tokens == 16


def test_a_stream_of_many_items_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headrace.wire.openai_responses.pieces.MAX_PIECES", 3)
    got = failure(CREATED, *(added(message(), at) for at in range(5)))
    assert got.kind == "wire"
    assert "more than 3" in got.message
