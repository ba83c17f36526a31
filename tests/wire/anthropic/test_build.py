"""Our requests in the vendor's shape; the official client's schema takes what is built."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest
from anthropic.types.beta.message_create_params import MessageCreateParamsStreaming
from pydantic import TypeAdapter

from headrace.core.message import (
    AudioPart,
    FilePart,
    ImagePart,
    Message,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    assistant,
    system,
    user,
)
from headrace.core.opaque import Opaque
from headrace.core.request import GenerationSettings, Request, ResponseFormat, Tool, ToolChoice
from headrace.wire.anthropic import WIRE

_schema: TypeAdapter[Any] = TypeAdapter(MessageCreateParamsStreaming)
TOOL = Tool("f", "does f", {"type": "object", "properties": {"x": {"type": "integer"}}})
OTHER = Opaque("openai_chat", {"store": True})


def build(
    *messages: Message, quirks: dict[str, Any] | None = None, **fields: Any
) -> tuple[dict[str, Any], Any]:
    settings = fields.pop("settings", GenerationSettings(max_tokens=99))
    request = Request("claude", messages or (user("hi"),), settings, **fields)
    built = WIRE.build(request, quirks or {})
    assert built.path == "/messages"
    body = json.loads(built.body)
    _schema.validate_python(body)
    return body, built.warnings


def messages(*said: Message) -> list[Any]:
    content: list[Any] = build(*said)[0]["messages"]
    return content


def test_a_plain_request() -> None:
    body, warnings = build(system("be brief"), user("hi"))
    assert warnings == ()
    assert body == {
        "model": "claude", "system": "be brief", "messages": [{"role": "user", "content": "hi"}],
        "stream": True, "max_tokens": 99,
    }  # fmt: skip


def test_max_tokens_is_required_and_so_told() -> None:
    body, warnings = build(settings=GenerationSettings())
    assert body["max_tokens"] == 16384
    assert "max_tokens was set to 16384" in warnings[0]
    assert build(settings=GenerationSettings(), quirks={"max_tokens": 7})[0]["max_tokens"] == 7


def test_tool_results_join_the_users_turn_results_first() -> None:
    said = messages(
        user("both"),
        assistant([TextPart("ok"), ToolCallPart("a:0", "f", '{"x":1}'), ToolCallPart("b", "g")]),
        Message("tool", (ToolResultPart("a:0", (TextPart("1"),)),)),
        Message("tool", (ToolResultPart("b", (TextPart("2"), ImagePart("http://i"))),)),
        user("go on"),
    )
    assert [one["role"] for one in said] == ["user", "assistant", "user"]
    assert said[1]["content"][1:] == [
        {"type": "tool_use", "id": "a_0", "name": "f", "input": {"x": 1}},
        {"type": "tool_use", "id": "b", "name": "g", "input": {}},
    ]
    assert said[2]["content"] == [
        {"type": "tool_result", "tool_use_id": "a_0", "content": "1"},
        {
            "type": "tool_result", "tool_use_id": "b",
            "content": [
                {"type": "text", "text": "2"}, {"type": "image", "source": {"type": "url", "url": "http://i"}},
            ],
        },
        {"type": "text", "text": "go on"},
    ]  # fmt: skip


def test_a_failed_tool_says_so() -> None:
    (said,) = messages(Message("tool", (ToolResultPart("a", (TextPart("no"),), is_error=True),)))
    assert said["content"][0]["is_error"] is True


def test_images_and_documents() -> None:
    png, pdf = b"\x89PNG....", b"%PDF-1.7"
    (said,) = messages(
        user([ImagePart(data=png), FilePart(data=pdf, name="a.pdf"), FilePart(data=b"plain"),
              FilePart(url="http://d"), FilePart(file_id="file_1")])
    )  # fmt: skip
    sources = [one["source"] for one in said["content"]]
    assert sources == [
        {"type": "base64", "media_type": "image/png", "data": b64encode(png).decode()},
        {"type": "base64", "media_type": "application/pdf", "data": b64encode(pdf).decode()},
        {"type": "text", "media_type": "text/plain", "data": "plain"},
        {"type": "url", "url": "http://d"},
        {"type": "file", "file_id": "file_1"},
    ]
    assert said["content"][1]["title"] == "a.pdf"


@pytest.mark.parametrize(
    ("part", "told"),
    [
        (AudioPart(b"x"), "sound"), (FilePart(b"\xff\x00", media_type="application/zip"), "application/zip"),
        (ImagePart(data=b"x", media_type="image/tiff"), "image/tiff"), (ReasoningPart("secret"), "reasoning"),
        (FilePart(b"\xff\xfe"), "a file"),
    ],
)  # fmt: skip
def test_what_cannot_be_sent_is_a_warning(part: Any, told: str) -> None:
    body, warnings = build(user([TextPart("a"), part]), user([TextPart("b"), part]))
    assert [one["content"] for one in body["messages"]] == ["a", "b"]
    assert len(warnings) == 1
    assert told in warnings[0]


def test_signed_thinking_goes_back_and_so_does_what_is_opaque() -> None:
    signed = ReasoningPart("hm", Opaque("anthropic", {"signature": "s"}))
    hidden = ReasoningPart("", Opaque("anthropic", {"type": "redacted_thinking", "data": "x"}))
    said = messages(user("a"), assistant([signed, hidden, RefusalPart("no"), TextPart("")]))
    assert said[1]["content"] == [
        {"type": "thinking", "thinking": "hm", "signature": "s"},
        {"type": "redacted_thinking", "data": "x"},
        {"type": "text", "text": "no"},
    ]


def test_system_messages_go_to_the_beginning_unless_the_caller_of_this_wire_put_them() -> None:
    body, warnings = build(system("a"), user("b"), system("c"), user("d"))
    assert [one["text"] for one in body["system"]] == ["a", "c"]
    assert "moved" in warnings[0]
    in_place = Message("system", (TextPart("c"),), vendor=Opaque("anthropic", {"in_place": True}))
    body, warnings = build(user("b"), in_place, user("d"))
    assert [one["role"] for one in body["messages"]] == ["user", "system", "user"]
    assert warnings == ()


@pytest.mark.parametrize(
    ("choice", "parallel", "wanted"),
    [
        (ToolChoice("auto"), None, {"type": "auto"}),
        (ToolChoice("required"), True, {"type": "any"}),
        (ToolChoice("tool", "f"), False, {"type": "tool", "name": "f", "disable_parallel_tool_use": True}),
        (ToolChoice("none"), False, {"type": "none"}),
        (None, False, {"type": "auto", "disable_parallel_tool_use": True}),
        (None, None, None),
    ],
)
def test_tools_and_their_choice(choice: Any, parallel: Any, wanted: Any) -> None:
    body, warnings = build(tools=(TOOL,), tool_choice=choice, parallel_tool_calls=parallel)
    assert body["tools"] == [{"name": "f", "description": "does f", "input_schema": TOOL.parameters}]
    assert body.get("tool_choice") == wanted
    assert warnings == ()


def test_a_tool_of_another_protocol_is_told() -> None:
    custom = Tool("c", vendor=Opaque("openai_chat", {"type": "custom"}))
    body, warnings = build(tools=(custom, Tool("plain")))
    assert body["tools"] == [{"name": "plain", "input_schema": {"type": "object", "properties": {}}}]
    assert warnings == ("tool c was left out: it belongs to the openai_chat protocol",)


@pytest.mark.parametrize(
    ("effort", "quirks", "max_tokens", "wanted"),
    [
        ("high", {}, 99, {"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}}),
        ("minimal", {}, 99, {"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}}),
        ("none", {}, 99, {"thinking": {"type": "disabled"}}),
        ("medium", {"thinking": "budget"}, None, {"thinking": {"type": "enabled", "budget_tokens": 8192}}),
        ("high", {"thinking": "budget"}, 4000, {"thinking": {"type": "enabled", "budget_tokens": 2000}}),
        ("high", {"thinking": "budget"}, 1000, {}),
        ("high", {"thinking": "none"}, 99, {}),
        ("huge", {}, 99, {}),
    ],
)
def test_thinking(
    effort: str, quirks: dict[str, Any], max_tokens: int | None, wanted: dict[str, Any]
) -> None:
    settings = GenerationSettings(reasoning_effort=effort, max_tokens=max_tokens)
    body, warnings = build(settings=settings, quirks=quirks)
    assert {name: body[name] for name in ("thinking", "output_config") if name in body} == wanted
    assert bool(warnings) == (wanted == {} or effort == "minimal" or max_tokens is None)
    if "budget_tokens" in str(wanted):
        assert body["max_tokens"] > wanted["thinking"]["budget_tokens"]


def test_structured_output() -> None:
    schema = {"type": "object", "properties": {}, "additionalProperties": False}
    wanted = ResponseFormat("json_schema", "answer", schema, True)
    assert build(response_format=wanted)[0]["output_config"] == {
        "format": {"type": "json_schema", "schema": schema}
    }
    both = build(response_format=wanted, settings=GenerationSettings(max_tokens=9, reasoning_effort="low"))[0]
    assert set(both["output_config"]) == {"format", "effort"}
    for other, quirks in ((ResponseFormat("json_object"), {}), (wanted, {"structured_output": False})):
        body, warnings = build(response_format=other, quirks=quirks)
        assert "output_config" not in body
        assert "response_format" in warnings[0]


def test_sampling_is_sent_where_the_provider_takes_it() -> None:
    settings = GenerationSettings(max_tokens=9, temperature=1.5, top_p=0.5, top_k=3, stop=("a", "b"))
    body, warnings = build(settings=settings)
    assert body["stop_sequences"] == ["a", "b"]
    assert [one.split()[0] for one in warnings] == ["temperature", "top_p", "top_k"]
    request = Request("claude", (user("hi"),), settings)
    built = WIRE.build(request, {"sampling": ("temperature", "top_p"), "drop": ("top_p",)})
    body = json.loads(built.body)
    assert body["temperature"] == 1
    assert "top_p" not in body
    assert len(built.warnings) == 3


def test_settings_without_a_field_are_warnings() -> None:
    settings = GenerationSettings(
        max_tokens=9, min_p=0.1, seed=1, frequency_penalty=1.0, presence_penalty=1.0, logprobs=True, n=2,
        logit_bias={"1": 1.0},
    )  # fmt: skip
    body, warnings = build(settings=settings, user="u1", vendor=OTHER)
    assert set(body) == {"model", "messages", "stream", "max_tokens", "metadata"}
    assert body["metadata"] == {"user_id": "u1"}
    told = {one.split()[0] for one in warnings}
    assert told == {
        "min_p",
        "seed",
        "frequency_penalty",
        "presence_penalty",
        "logprobs",
        "n",
        "logit_bias",
        "store",
    }


def test_a_speakers_name_is_told() -> None:
    _, warnings = build(Message("user", (TextPart("x"),), name="Ann"))
    assert "names" in warnings[0]
