from __future__ import annotations

import json
from typing import Any

import pytest

from headrace.core.message import AudioPart, ToolCallPart, ToolResultPart, assistant, message, system, user
from headrace.core.opaque import Opaque
from headrace.core.request import GenerationSettings, Request, ResponseFormat, Tool
from headrace.errors import RequestError
from headrace.wire.openai_completions import WIRE, parse_request


def built(request: Request, **quirks: Any) -> tuple[dict[str, Any], tuple[str, ...]]:
    made = WIRE.build(request, quirks)
    assert made.path == "/completions"
    return json.loads(made.body), made.warnings


def parse(**fields: Any) -> Any:
    return parse_request(json.dumps({"model": "m", "prompt": "p", **fields}).encode())


def test_what_asks_for_nothing_is_no_warning() -> None:
    parsed = parse(best_of=1, suffix="", echo=False)
    assert parsed.warnings == ()
    assert parsed.request.vendor is None
    assert parsed.wanted == {}


def test_echo_is_ours_to_do() -> None:
    parsed = parse(echo=True, logprobs=1)
    assert parsed.wanted == {"echo": "p"}
    assert parsed.request.vendor is None
    assert "echoed prompt" in parsed.warnings[0]


@pytest.mark.parametrize("prompt", ["p", ["p"]])
def test_one_prompt_is_one_user_message(prompt: Any) -> None:
    assert parse(prompt=prompt).request.messages == (user("p"),)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"prompt": ["a", "b"]}, "prompt"),
        ({"prompt": [1, 2]}, "prompt"),
        ({"prompt": [[1, 2]]}, "prompt"),
        ({"prompt": []}, "prompt"),
        ({"prompt": None}, "prompt"),
        ({"prompt": [None]}, "prompt.0"),
        ({"prompt": 5}, "prompt"),
        ({"model": ""}, "model"),
        ({"temperature": 3}, "temperature"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"logprobs": 21}, "logprobs"),
        ({"n": 3, "best_of": 2}, "best_of"),
        ({"stop": ["a"] * 5}, "stop"),
        ({"stop": ""}, "stop"),
        ({"stream_options": {"include_usage": True}}, "stream_options"),
        ({"logit_bias": {"5": "x"}}, "logit_bias"),
        ({"logit_bias": {"5": 101}}, "logit_bias.5"),
    ],
)
def test_a_wrong_field_is_named(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(RequestError) as raised:
        parse(**fields)
    assert raised.value.field == field


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff"])
def test_a_body_that_is_no_json_object_is_said_to_be(body: bytes) -> None:
    with pytest.raises(RequestError) as raised:
        parse_request(body)
    assert raised.value.code == "invalid_json"


def test_a_conversation_is_joined_plainly_and_that_is_said() -> None:
    body, warnings = built(Request("m", (system("Be brief."), user("Hi"), assistant("Hello"), user("Bye"))))
    assert body["prompt"] == "Be brief.\n\nUser: Hi\n\nAssistant: Hello\n\nUser: Bye\n\nAssistant:"
    assert len(warnings) == 1
    assert "joined into one plain prompt" in warnings[0]


def test_a_rows_templates_make_the_prompt() -> None:
    chatml = {
        "system_turn": "<|im_start|>system\n{}<|im_end|>\n",
        "user_turn": "<|im_start|>user\n{}<|im_end|>\n",
        "reply_turn": "<|im_start|>assistant\n",
    }
    body, warnings = built(Request("m", (system("S"), user("{}"))), **chatml)
    assert body["prompt"] == (
        "<|im_start|>system\nS<|im_end|>\n<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n"
    )
    assert warnings == ()


def test_what_the_protocol_cannot_carry_is_a_warning_each() -> None:
    request = Request(
        "m",
        (
            message("assistant", [ToolCallPart("c", "f", '{"a":1}')]),
            message("tool", [ToolResultPart("c", (AudioPart(b"x"),))]),
        ),
        GenerationSettings(top_k=4, reasoning_effort="low", logprobs=True, top_logprobs=9),
        tools=(Tool("f"),),
        response_format=ResponseFormat("json_object"),
        vendor=Opaque("openai_chat", {"store": True}),
    )
    body, warnings = built(request)
    assert 'f({"a":1})' in body["prompt"]
    assert body["logprobs"] == 5
    for word in ("tool call", "tool's result", "audio", "top_k", "reasoning_effort", "tools",
                 "response_format", "top_logprobs", "store"):  # fmt: skip
        assert any(word in said for said in warnings), word
    assert built(request, extra=("top_k",))[0]["top_k"] == 4
    assert "stream_options" not in built(request, no_stream_options=True)[0]
    body, warnings = built(request, drop=("logprobs",))
    assert "logprobs" not in body
    assert any("logprobs was left out" in said for said in warnings)


@pytest.mark.parametrize(
    ("status", "body", "kind", "retryable"),
    [
        (401, b'{"error":{"message":"bad key sk-abcdefghijk"}}', "auth", False),
        (429, b'{"error":{"message":"slow"}}', "rate_limited", True),
        (429, b'{"error":{"message":"x","code":"insufficient_quota"}}', "rate_limited", False),
        (400, b'{"error":{"message":"maximum context length is 5"}}', "context_overflow", False),
        (404, b"nope", "bad_request", False),
        (503, b"<html><title>x</title>", "unavailable", True),
        (200, b'{"error":{"message":"x","type":"invalid_request_error"}}', "bad_request", False),
        (200, b"<html>", "wire", False),
    ],
)
def test_an_answer_that_is_no_stream_is_a_typed_failure(
    status: int, body: bytes, kind: str, retryable: bool
) -> None:
    failure = WIRE.failure(status, {"Retry-After": "3"}, body, "acme")
    assert (failure.kind, failure.retryable) == (kind, retryable)
    assert "sk-abc" not in failure.message + str(failure.detail)
    if kind != "wire":
        assert failure.detail["retry_after_s"] == 3.0
