from __future__ import annotations

import json
from typing import Any

import pytest
from tests.wire.ollama.lines import PNG

from headrace.core.message import (
    AudioPart,
    FilePart,
    ImagePart,
    Message,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    message,
    system,
    user,
)
from headrace.core.opaque import Opaque
from headrace.core.request import GenerationSettings, Request, ResponseFormat, Tool, ToolChoice
from headrace.errors import RequestError
from headrace.wire.ollama import WIRE, parse_chat, parse_generate


def built(request: Request, path: str = "/api/chat") -> tuple[dict[str, Any], tuple[str, ...]]:
    made = WIRE.build(request, {})
    assert made.path == path
    return json.loads(made.body), made.warnings


def chat(**fields: Any) -> Any:
    body = {"model": "m", "messages": [{"role": "user", "content": "x"}], **fields}
    return parse_chat(json.dumps(body).encode())


def test_the_official_clients_own_request_is_read(answering: Any) -> None:
    asked: list[Any] = []

    def weather(city: str) -> str:
        """Tell the weather.

        Args:
            city: the city
        """
        return city

    client = answering(b'{"message":{"role":"assistant","content":""},"done":true}\n', asked=asked)
    history = [
        {"role": "user", "content": "x", "images": [PNG]},
        {"role": "assistant", "tool_calls": [{"function": {"name": "weather", "arguments": {"city": "A"}}}]},
        {"role": "tool", "content": "rain", "tool_name": "weather"},
    ]
    list(client.chat("m", history, tools=[weather], stream=True, think=True, format="json"))
    request = parse_chat(asked[0].content).request
    assert asked[0].url.path == "/api/chat"
    assert request.tools[0].name == "weather"
    assert request.tools[0].parameters["required"] == ["city"]
    assert request.messages[0].parts[1] == ImagePart(data=b"\x89PNG\r\n\x1a\n", media_type="image/png")
    assert request.messages[1].parts == (ToolCallPart("call_0", "weather", '{"city":"A"}'),)
    assert request.messages[2].parts == (ToolResultPart("call_0", (TextPart("rain"),)),)
    assert request.settings.reasoning_effort == "medium"
    assert request.response_format == ResponseFormat("json_object")


def test_generate_is_a_system_and_a_user_message() -> None:
    body = {"model": "m", "prompt": "Why?", "system": "Be brief.", "images": [PNG], "stream": False}
    parsed = parse_generate(json.dumps(body).encode())
    assert not parsed.stream
    assert [one.role for one in parsed.request.messages] == ["system", "user"]
    asked, _ = built(parsed.request)
    assert asked["messages"][1] == {"role": "user", "content": "Why?", "images": [PNG]}


def test_what_only_generate_takes_goes_to_generate() -> None:
    body = {
        "model": "m", "prompt": "def f(", "suffix": "return", "system": "S", "images": [PNG],
        "stream": True, "context": [1], "raw": False, "template": "",
    }  # fmt: skip
    parsed = parse_generate(json.dumps(body).encode())
    asked, warnings = built(parsed.request, "/api/generate")
    assert asked == {name: value for name, value in body.items() if name not in ("raw", "template")}
    assert warnings == ()
    assert [one.split()[0] for one in parsed.warnings] == ["suffix", "context"]
    tools = Request("m", (user("x"),), tools=(Tool("f"),), vendor=Opaque("ollama", {"raw": True}))
    assert "tools were left out" in built(tools, "/api/generate")[1][0]


def test_a_stream_is_the_rule() -> None:
    assert chat().stream
    assert chat().include_usage
    assert not chat(stream=False).stream


@pytest.mark.parametrize(
    ("think", "effort"),
    [(True, "medium"), (False, "none"), ("low", "low"), ("max", "xhigh"), (None, None)],
)
def test_think_is_an_effort(think: Any, effort: str | None) -> None:
    request = chat(think=think).request
    assert request.settings.reasoning_effort == effort
    assert built(request)[0].get("think") == think


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "robot", "content": "x"}]}, "messages.0.role"),
        ({"messages": [{"role": "user", "content": 5}]}, "messages.0.content"),
        ({"messages": [{"role": "user", "content": "", "images": ["!"]}]}, "messages.0.images.0"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages.0.tool_name"),
        ({"model": ""}, "model"),
        ({"model": None}, "model"),
        ({"think": "hard"}, "think"),
        ({"format": "xml"}, "format"),
        ({"top_logprobs": 21}, "top_logprobs"),
        ({"options": {"temperature": 9}}, "options.temperature"),
        ({"options": {"seed": "x"}}, "options.seed"),
    ],
)
def test_a_wrong_field_is_named(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(RequestError) as raised:
        chat(**fields)
    assert raised.value.field == field


@pytest.mark.parametrize(
    ("fields", "field"),
    [({}, "prompt"), ({"prompt": "x", "images": ["!"]}, "images.0"), ({"prompt": 5}, "prompt")],
)
def test_a_wrong_field_of_generate_is_named(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(RequestError) as raised:
        parse_generate(json.dumps({"model": "m", **fields}).encode())
    assert raised.value.field == field


def test_what_the_protocol_cannot_carry_is_a_warning_each() -> None:
    request = Request(
        "m",
        (
            message("user", [ImagePart("http://x/a.png"), AudioPart(b"x"), FilePart(b"x")]),
            message("assistant", [ReasoningPart("Hm."), ToolCallPart("a", "f", "{cut")]),
            message("tool", [ToolResultPart("a", (TextPart("bad"), ImagePart(data=b"x")), is_error=True)]),
            Message("user", (TextPart("x"),), name="Ann"),
        ),
        GenerationSettings(n=2, logit_bias={"5": 1.0}, reasoning_effort="extreme"),
        tool_choice=ToolChoice("required"),
        parallel_tool_calls=False,
        user="u",
        vendor=Opaque("openai_chat", {"store": True}),
    )
    body, warnings = built(request)
    for word in ("URL", "audio", "file", "_invalid_json", "failed", "name", "n was", "logit_bias", "extreme",
                 "tool_choice", "parallel_tool_calls", "user", "store"):  # fmt: skip
        assert any(word in said for said in warnings), word
    assert body["messages"][1]["tool_calls"][0]["function"]["arguments"] == {"_invalid_json": "{cut"}
    assert body["messages"][2]["images"] == ["eA=="]
    assert body["messages"][2]["tool_name"] == "f"
    assert body["think"] is True


def test_no_tool_may_be_called_means_no_tools_are_told() -> None:
    request = Request("m", (system("s"), user("x")), tools=(Tool("f"),), tool_choice=ToolChoice("none"))
    body, warnings = built(request)
    assert "tools" not in body
    assert warnings == ()


@pytest.mark.parametrize(
    ("status", "body", "kind", "retryable"),
    [
        (404, b'{"error":"model \'x\' not found"}', "bad_request", False),
        (400, b'{"error":"\\"x\\" does not support thinking"}', "bad_request", False),
        (401, b'{"error":"unauthorized","signin_url":"https://x"}', "auth", False),
        (503, b'{"error":"server busy, please try again"}', "unavailable", True),
        (500, b'{"error":"the prompt exceeds the context length"}', "context_overflow", False),
        (502, b"<html><title>x</title>", "unavailable", True),
        (200, b'{"error":"boom"}', "unavailable", True),
        (200, b"hello", "wire", False),
    ],
)
def test_an_answer_that_is_no_stream_is_a_typed_failure(
    status: int, body: bytes, kind: str, retryable: bool
) -> None:
    failure = WIRE.failure(status, {}, body, "ollama")
    assert (failure.kind, failure.retryable) == (kind, retryable)
