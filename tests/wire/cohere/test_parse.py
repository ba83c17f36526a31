"""Clients' bodies, as the official client sends them: read, and built again the same."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.wire.cohere.events import CITED, TEXT
from tests.wire.cohere.judge import client

from headrace.core.message import (
    ImagePart,
    OpaquePart,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from headrace.core.opaque import Opaque
from headrace.core.request import ResponseFormat, Tool, ToolChoice
from headrace.errors import RequestError
from headrace.wire import wire_named
from headrace.wire.base import ParsedRequest
from headrace.wire.cohere import WIRE, parse_request

SCHEMA = {"type": "object", "properties": {"x": {"type": "integer"}}}
PIXEL = "data:image/png;base64,AAEC"
EVERYTHING: dict[str, Any] = {
    "model": "command",
    "stream": True,
    "messages": [
        {"role": "system", "content": "be brief"},
        {"role": "user", "content": [
            {"type": "text", "text": "see"},
            {"type": "image_url", "image_url": {"url": PIXEL, "detail": "low"}},
            {"type": "image_url", "image_url": {"url": "http://i"}},
        ]},
        {
            "role": "assistant",
            "content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "ok"}],
            "tool_plan": "I will call.",
            "tool_calls": [
                {"id": "t1", "type": "function", "function": {"name": "f", "arguments": '{"x": 1}'}}],
            "citations": [CITED],
        },
        {"role": "tool", "tool_call_id": "t1", "content": [
            {"type": "text", "text": "1"}, {"type": "document", "document": {"id": "d", "data": {"y": 2}}},
        ]},
        {"role": "tool", "tool_call_id": "t2", "content": "2"},
        {"role": "user", "content": "go on"},
    ],
    "tools": [{"type": "function", "function": {"name": "f", "description": "does f", "parameters": SCHEMA}}],
    "strict_tools": True,
    "tool_choice": "REQUIRED",
    "response_format": {"type": "json_object", "json_schema": SCHEMA},
    "max_tokens": 9,
    "stop_sequences": ["END"],
    "temperature": 0.5,
    "seed": 1,
    "frequency_penalty": 0.25,
    "presence_penalty": 0.5,
    "k": 3,
    "p": 0.75,
    "logprobs": True,
    "thinking": {"type": "enabled", "token_budget": 50},
    "documents": ["plain", {"id": "d", "data": {"text": "found"}}],
    "citation_options": {"mode": "FAST"},
    "safety_mode": "STRICT",
    "priority": 1,
}  # fmt: skip
SAY_HI = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}


def turn(role: str, **fields: Any) -> dict[str, Any]:
    return {"messages": [{"role": role, **fields}]}


def parse(body: Any = None, /, **changes: Any) -> ParsedRequest:
    body = {name: value for name, value in {**SAY_HI, **(body or {}), **changes}.items() if value is not ...}
    return parse_request(json.dumps(body).encode())


def test_the_official_client_would_send_all_of_this() -> None:
    asked: list[Any] = []
    asks = {name: value for name, value in EVERYTHING.items() if name != "stream"}
    list(client(b"".join(TEXT), asked=asked).chat_stream(**asks))
    assert asked == [("/v2/chat", EVERYTHING)]


def test_everything_goes_through_unchanged() -> None:
    parsed = parse(EVERYTHING)
    built = WIRE.build(parsed.request, {})
    assert json.loads(built.body) == EVERYTHING
    assert built.warnings == ()
    assert [one.split(" has")[0] for one in parsed.warnings] == [
        "citation_options", "documents", "priority", "safety_mode",
    ]  # fmt: skip
    assert parsed.stream
    assert not parse(stream=False).stream


def test_what_it_is_in_our_words() -> None:
    request = parse(EVERYTHING).request
    first, asked, answered, result, other, last = request.messages
    assert [one.role for one in request.messages] == ["system", "user", "assistant", "tool", "tool", "user"]
    assert (first.text, last.text) == ("be brief", "go on")
    assert asked.parts[1:] == (
        ImagePart("", b"\x00\x01\x02", "image/png", "low"), ImagePart("http://i"),
    )  # fmt: skip
    assert answered.parts == (
        ReasoningPart("hm"),
        TextPart("ok", Opaque("cohere", {"citations": [CITED]})),
        ReasoningPart("I will call.", Opaque("cohere", {"plan": True})),
        ToolCallPart("t1", "f", '{"x": 1}'),
    )
    told = result.parts[0]
    assert isinstance(told, ToolResultPart)
    assert (told.id, told.text) == ("t1", '1{"y":2}')
    assert other.parts == (ToolResultPart("t2", (TextPart("2"),)),)
    settings = request.settings
    assert (settings.top_p, settings.top_k, settings.stop, settings.logprobs) == (0.75, 3, ("END",), True)
    assert request.tools == (Tool("f", "does f", SCHEMA, True),)
    assert request.tool_choice == ToolChoice("required")
    assert request.response_format == ResponseFormat("json_schema", "", SCHEMA)
    assert parse(thinking={"type": "disabled"}).request.settings.reasoning_effort == "none"


def test_another_wire_is_told_what_it_cannot_take() -> None:
    built = wire_named("openai_chat").build(parse(EVERYTHING).request, {"reasoning_field": "reasoning"})
    body = json.loads(built.body)
    assert body["messages"][2]["reasoning"] == "hmI will call."
    assert "safety_mode was left out: it belongs to the cohere protocol" in built.warnings


def test_unknown_fields_are_kept() -> None:
    odd: dict[str, Any] = {
        "model": "m",
        "stream": True,
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "a", "mood": "glad"}], "x": 1},
            {"role": "assistant", "content": [{"type": "hologram", "depth": 3}], "tool_calls": [
                {"id": "t", "type": "function", "z": 3,
                 "function": {"name": "f", "arguments": "{}", "y": 2}}]},
            {"role": "tool", "tool_call_id": "t", "content": [{"type": "hologram", "depth": 3}], "w": 4},
        ],
        "tools": [{"type": "function", "function": {"name": "f", "parameters": SCHEMA, "v": 5}}],
        "response_format": {"type": "json_object", "u": 6},
        "future": {"a": 1},
    }  # fmt: skip
    parsed = parse(odd)
    assert json.loads(WIRE.build(parsed.request, {}).body) == odd
    assert isinstance(parsed.request.messages[1].parts[0], OpaquePart)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"model": ...}, "model"),
        ({"model": ""}, "model"),
        ({"messages": ...}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "developer", "content": "x"}]}, "messages.0.role"),
        (turn("user"), "messages.0.content"),
        (turn("user", content=[{"text": "x"}]), "messages.0.content.0.type"),
        (turn("user", content=[{"type": "text", "text": 5}]), "messages.0.content.0.text"),
        (turn("user", content=[{"type": "image_url", "image_url": {"url": "data:,x"}}]),
         "messages.0.content.0.image_url.url"),
        (turn("tool", content="x"), "messages.0.tool_call_id"),
        (turn("assistant", tool_calls=[{"id": "t"}]), "messages.0.tool_calls.0.function"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"temperature": -1}, "temperature"),
        ({"p": 2}, "p"),
        ({"k": 501}, "k"),
        ({"frequency_penalty": -1}, "frequency_penalty"),
        ({"stop_sequences": ["a", ""]}, "stop_sequences"),
        ({"stop_sequences": ["a"] * 6}, "stop_sequences"),
        ({"tools": [{"type": "function"}]}, "tools.0.function"),
        ({"tool_choice": "auto"}, "tool_choice"),
        ({"response_format": {"type": "xml"}}, "response_format.type"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_by_its_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(RequestError) as caught:
        parse(**changes)
    assert caught.value.field == field
    assert field in caught.value.message


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(RequestError):
        parse_request(body)
