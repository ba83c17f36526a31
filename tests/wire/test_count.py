"""Counting a prompt's tokens: what asks a vendor, its answer as chunks, and clients' questions."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from headrace.core.chunk import Failure, Finish, UsageReport
from headrace.core.message import system, user
from headrace.core.request import GenerationSettings, Request, ResponseFormat, Tool
from headrace.core.usage import Usage
from headrace.errors import RequestError
from headrace.testing import stages
from headrace.wire import wire_named
from headrace.wire.anthropic import parse_count as parse_anthropic
from headrace.wire.anthropic import parse_request as parse_message
from headrace.wire.count import MAX_BODY_BYTES, CountStage
from headrace.wire.gemini import count_body, parse_count

ASK = Request(
    "m/1",
    (system("be brief"), user("hi")),
    GenerationSettings(temperature=1, top_p=1, top_k=2, stop=("x",), reasoning_effort="low"),
    tools=(Tool("f", "does f", {"type": "object"}),),
    response_format=ResponseFormat("json_schema", schema={"type": "object"}),
    user="u",
)


def built(wire: str, request: Request = ASK, **quirks: Any) -> tuple[str, Any, tuple[str, ...]]:
    counting = wire_named(wire).counting
    assert counting is not None
    made = counting.build(request, quirks)
    assert made is not None
    return made.path, json.loads(made.body), made.warnings


def test_anthropic_is_asked_with_what_makes_the_prompt() -> None:
    path, body, warnings = built("anthropic", sampling=["temperature"])
    assert path == "/messages/count_tokens"
    whole = json.loads(wire_named("anthropic").build(ASK, {}).body)
    prompt = {"model", "system", "messages", "tools", "thinking", "output_config"}
    assert body == {name: whole[name] for name in prompt}
    assert not [warning for warning in warnings if warning.startswith("max_tokens")]
    parsed = parse_anthropic(json.dumps(body).encode()).request
    assert (parsed.messages, parsed.tools) == (ASK.messages, ASK.tools)


def test_gemini_is_asked_with_the_whole_request() -> None:
    path, body, _ = built("gemini")
    assert path == "/models/m%2F1:countTokens"
    whole = json.loads(wire_named("gemini").build(ASK, {}).body)
    assert body == {"generateContentRequest": {"model": "models/m%2F1", **whole}}


@pytest.mark.parametrize("wire", ["anthropic", "gemini"])
def test_a_place_without_such_an_endpoint_is_not_asked(wire: str) -> None:
    counting = wire_named(wire).counting
    assert counting is not None
    assert counting.build(ASK, {"no_count": True}) is None


CONTENTS = [{"role": "user", "parts": [{"text": "hi"}]}]
WHOLE = {"model": "models/else", "contents": CONTENTS, "systemInstruction": {"parts": [{"text": "be brief"}]}}
QUESTIONS: dict[str, tuple[Any, int]] = {
    "the contents alone": ({"contents": CONTENTS}, 1),
    "a whole request": ({"generateContentRequest": WHOLE}, 2),
    "in the other spelling": ({"generate_content_request": WHOLE}, 2),
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_what_geminis_clients_ask(name: str) -> None:
    body, messages = QUESTIONS[name]
    parsed = parse_count(json.dumps(body).encode(), {"model": "m", "method": "countTokens"})
    assert (parsed.request.model, len(parsed.request.messages), parsed.stream) == ("m", messages, False)
    assert json.loads(count_body(7)) == {"totalTokens": 7}


@pytest.mark.parametrize("metadata", ["u", ["u"], 3, {}, {"user_id": "u"}])
def test_what_stands_beside_anthropics_question_is_not_judged(metadata: Any) -> None:
    ask = {"model": "m", "messages": [{"role": "user", "content": "hi"}], "metadata": metadata}
    assert parse_anthropic(json.dumps(ask).encode()).request.vendor is None


@pytest.mark.parametrize("body", [b"[", b"{}", b'{"generateContentRequest": {}}', b'{"contents": [3]}'])
def test_a_question_that_cannot_be_read_is_refused(body: bytes) -> None:
    with pytest.raises(RequestError):
        parse_count(body, {"model": "m", "method": "countTokens"})


ANSWERS = {"anthropic": b'{"input_tokens": 14}', "gemini": b'{"totalTokens": 14, "promptTokensDetails": []}'}


def stage_of(wire: str) -> CountStage:
    counting = wire_named(wire).counting
    assert counting is not None
    return CountStage(counting.read)


@pytest.mark.parametrize("wire", ANSWERS)
def test_an_answer_in_any_split_is_its_usage(wire: str) -> None:
    made = stages.reads(lambda: stage_of(wire))
    assert stages.every_split(made, ANSWERS[wire]) == [UsageReport(Usage(14)), Finish()]
    stages.inert_after_close(made, ANSWERS[wire])


BAD = [
    b"", b"[]", b"{}", b"<html>", b"\xff",
    b'{"input_tokens": -1, "totalTokens": -1}', b'{"input_tokens": "9", "totalTokens": 1.5}',
    b'{"input_tokens": true}', b'{"input_tokens": 1',
]  # fmt: skip


@pytest.mark.parametrize("body", BAD)
@pytest.mark.parametrize("wire", ANSWERS)
def test_what_is_no_count_is_a_wire_failure(wire: str, body: bytes) -> None:
    (failure,) = stages.run(stage_of(wire), [[body]])
    assert isinstance(failure, Failure)
    assert (failure.kind, failure.code) == ("wire", "bad_count")


def test_a_body_without_an_end_is_bounded_and_the_stage_is_inert_after() -> None:
    stage = stage_of("anthropic")
    assert stage.feed([b" " * MAX_BODY_BYTES]) == []
    (failure,) = stage.feed([b" "])
    assert isinstance(failure, Failure)
    assert failure.code == "body_too_large"
    assert stage.feed([b" " * MAX_BODY_BYTES]) == []
    assert stage.close() == []


def test_the_same_prompt_is_read_from_a_message_and_from_a_question_about_it() -> None:
    body = json.loads(wire_named("anthropic").build(ASK, {}).body)
    question = {
        name: value for name, value in body.items() if name not in ("max_tokens", "stream", "metadata")
    }
    asked = parse_anthropic(json.dumps(question).encode()).request
    told = parse_message(json.dumps(body).encode()).request
    assert asked.messages == told.messages
    assert msgspec.to_builtins(asked.tools) == msgspec.to_builtins(told.tools)
