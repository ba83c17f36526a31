"""Answers that are not streamed, and the wire's record as a server and a caller use it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from openai.types.responses import Response
from tests.wire.openai_responses.events import (
    CREATED,
    HELLO,
    added,
    completed,
    item_done,
    message,
    reply,
    text,
)
from tests.wire.openai_responses.judge import said_by
from tests.wire.openai_responses.test_encode import CHAT, bodies

from headrace.core.chunk import (
    BlockEnd,
    BlockStart,
    CandidateEnd,
    Chunk,
    Citation,
    Failure,
    Finish,
    ReasoningDelta,
    Start,
    TextDelta,
    Token,
    ToolCallDelta,
    TranscriptDelta,
)
from headrace.core.fold import fold
from headrace.core.message import ReasoningPart
from headrace.core.opaque import Opaque
from headrace.errors import RateLimited
from headrace.testing import stages
from headrace.wire.base import Says
from headrace.wire.openai_responses import WIRE, parse_request, response_body

SAYS = Says("resp_9", "alias", 9)


def asked(**fields: Any) -> Any:
    return parse_request(json.dumps({"model": "m", "input": "hi", **fields}).encode())


def answered(*chunks: Chunk, **fields: Any) -> Any:
    assert WIRE.front is not None
    return json.loads(WIRE.front.body(fold(chunks), SAYS, asked(**fields)))


def streamed(*chunks: Chunk, **fields: Any) -> list[Any]:
    assert WIRE.front is not None
    return bodies(b"".join(stages.run(WIRE.front.encoder(SAYS, asked(**fields)), [list(chunks)])))


def test_an_answer_from_another_wire_is_the_streams_last_word() -> None:
    whole = answered(*CHAT, instructions="be short", temperature=0.5, metadata={"a": "b"})
    Response.model_validate(whole, strict=True)
    assert (
        whole
        == streamed(*CHAT, instructions="be short", temperature=0.5, metadata={"a": "b"})[-1]["response"]
    )
    assert (whole["id"], whole["model"], whole["created_at"]) == ("resp_9", "alias", 9)
    assert (whole["instructions"], whole["temperature"], whole["metadata"]) == ("be short", 0.5, {"a": "b"})
    said = said_by(Response.model_validate(whole))
    assert (said.reasoning, len(said.tool_calls), said.input_tokens) == ("Let me see.", 2, 30)


def test_an_answer_from_this_wire_is_as_it_came() -> None:
    ws = {"id": "ws", "type": "web_search_call", "status": "completed"}
    call = {"id": "fc", "type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
    last = completed(ws, message("Hello"), call, service_tier="flex")
    stream = CREATED + item_done(ws) + text("Hel", "lo", at=1) + added({**call, "arguments": ""}, 2)
    stream += item_done(call, 2) + last
    assert json.loads(response_body(reply(stream))) == json.loads(last.partition(b"data: ")[2])["response"]


def test_each_text_of_an_answer_from_another_wire_keeps_its_sources_and_tokens() -> None:
    first, second = Token("Zü", logprob=-1.0), Token("rich.", logprob=-2.0)
    whole = answered(
        Start("r"),
        BlockStart(0, "text"),
        Citation(0, "https://a"),
        TextDelta(0, "Zürich.", (first, second)),
        BlockEnd(0),
        BlockStart(1, "text"),
        TextDelta(1, "Bern", (Token("Bern", logprob=-3.0),)),
        Citation(1, "https://b", start=1, end=3),
        BlockEnd(1),
        BlockStart(2, "transcript"),
        TranscriptDelta(2, "Sound says this."),
        BlockEnd(2),
        CandidateEnd("stop"),
        Finish(),
    )
    parts = [item["content"][0] for item in whole["output"]]
    cited = [[(one["url"], one["start_index"], one["end_index"]) for one in p["annotations"]] for p in parts]
    assert cited == [[("https://a", 0, 7)], [("https://b", 1, 3)], []]
    assert [[one["token"] for one in p["logprobs"]] for p in parts] == [["Zü", "rich."], ["Bern"], []]
    assert parts[2]["text"] == "Sound says this."


def test_a_reply_that_lost_a_part_is_told_from_what_is_left() -> None:
    got = reply(HELLO)
    bare = type(got)(**{**{name: getattr(got, name) for name in got.__struct_fields__}, "candidates": ()})
    assert json.loads(response_body(bare))["output"] == []


def test_a_custom_tools_free_text_comes_out_of_a_functions_arguments() -> None:
    tools = [{"type": "custom", "name": "sql"}]
    chunks: list[Chunk] = [
        Start("r", "m", 1),
        BlockStart(0, "tool-call", "c", "sql"),
        ToolCallDelta(0, '{"input":'),
        ToolCallDelta(0, ' "SELECT"}'),
        BlockEnd(0),
        Finish("tool_calls"),
    ]
    events = streamed(*chunks, tools=tools)
    assert [one["type"].removeprefix("response.") for one in events[2:-1]] == [
        "output_item.added",
        "custom_tool_call_input.delta",
        "custom_tool_call_input.done",
        "output_item.done",
    ]
    assert events[3]["delta"] == "SELECT"
    (call,) = events[-1]["response"]["output"]
    assert (call["type"], call["call_id"], call["input"]) == ("custom_tool_call", "c", "SELECT")


def test_another_wires_signature_goes_through_a_client_of_this_one() -> None:
    signed = Opaque("anthropic", {"signature": "abc"})
    chunks: list[Chunk] = [
        Start("r", "m", 1),
        BlockStart(0, "reasoning"),
        ReasoningDelta(0, "hm"),
        BlockEnd(0, vendor=signed),
        Finish(),
    ]
    item = streamed(*chunks)[-1]["response"]["output"][0]
    assert item == answered(*chunks)["output"][0]
    back = asked(input=[item, {"role": "user", "content": "q"}]).request.messages[0]
    assert back.parts == (ReasoningPart("hm", signed),)


@pytest.mark.parametrize("content", ["headrace.1.!!", "headrace.1.e30=", "headrace.1.", "gAAA", 3])
def test_encrypted_content_that_is_not_ours_stays_what_it_is(content: Any) -> None:
    item = {"type": "reasoning", "id": "rs", "summary": [], "encrypted_content": content}
    (part,) = asked(input=[item]).request.messages[0].parts
    assert part.vendor == Opaque("openai_responses", {"item": item})


def test_an_error_body() -> None:
    front = WIRE.front
    assert front is not None
    broken = Failure.of(RateLimited("slow down"))
    error = {"message": "slow down", "type": "rate_limit_error", "param": None, "code": "rate_limited"}
    assert json.loads(front.error_body(broken)) == {"error": error}


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, {"error": {"message": "bad key", "code": "invalid_api_key"}}, "auth"),
        (429, {"error": {"message": "slow", "code": "rate_limit_exceeded"}}, "rate_limited"),
        (429, {"error": {"message": "pay", "code": "insufficient_quota"}}, "rate_limited"),
        (400, {"error": {"message": "no", "code": "invalid_prompt"}}, "content_blocked"),
        (400, {"error": {"message": "no", "code": "context_length_exceeded"}}, "context_overflow"),
        (404, {"error": {"message": "no", "code": "model_not_found"}}, "bad_request"),
        (503, "busy", "unavailable"),
    ],
)
def test_an_answer_with_an_error_status_is_a_typed_failure(status: int, body: Any, kind: str) -> None:
    got = WIRE.failure(status, {"Retry-After": "2"}, json.dumps(body).encode(), "openai")
    assert got.kind == kind
    assert got.detail["retry_after_s"] == 2
    assert got.detail["status"] == status
