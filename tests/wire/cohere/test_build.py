"""Our requests in the vendor's shape: the official client would send the very same."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest
from tests.wire.cohere.events import CITED, TEXT
from tests.wire.cohere.judge import client

from headrace.core.message import (
    AudioPart,
    FilePart,
    ImagePart,
    Message,
    OpaquePart,
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
from headrace.wire.cohere import WIRE

TOOL = Tool("f", "does f", {"type": "object", "properties": {"x": {"type": "integer"}}})
PNG = b"\x89PNG\r\n\x1a\n"


def build(
    *messages: Message, quirks: dict[str, Any] | None = None, **fields: Any
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """(the body, the warnings), after the official client has sent just that."""
    built = WIRE.build(Request("command", messages or (user("hi"),), **fields), quirks or {})
    body: dict[str, Any] = json.loads(built.body)
    asked: list[Any] = []
    list(client(b"".join(TEXT), asked=asked).chat_stream(**{k: v for k, v in body.items() if k != "stream"}))
    assert asked == [(built.path, body)]
    return body, built.warnings


def messages(*said: Message) -> list[Any]:
    content: list[Any] = build(*said)[0]["messages"]
    return content


def own(**data: Any) -> Opaque:
    return Opaque("cohere", data)


def test_a_plain_request() -> None:
    body, warnings = build(system("be brief"), user("hi"))
    assert warnings == ()
    assert body == {
        "model": "command",
        "messages": [{"role": "system", "content": "be brief"}, {"role": "user", "content": "hi"}],
        "stream": True,
    }


def test_each_result_of_a_tool_is_a_turn() -> None:
    said = messages(
        user("both"),
        assistant([TextPart("ok"), ToolCallPart("a", "f", '{"x":1}'), ToolCallPart("", "g")]),
        Message(
            "tool",
            (ToolResultPart("a", (TextPart("1"),)), ToolResultPart("b", (TextPart("2"), TextPart("3")))),
        ),
        Message("tool", (ToolResultPart("c"),)),
    )
    assert said[1:] == [
        {
            "role": "assistant", "content": "ok",
            "tool_calls": [
                {"id": "a", "type": "function", "function": {"name": "f", "arguments": '{"x":1}'}},
                {"id": "call_1", "type": "function", "function": {"name": "g", "arguments": "{}"}},
            ],
        },
        {"role": "tool", "tool_call_id": "a", "content": "1"},
        {"role": "tool", "tool_call_id": "b", "content": [
            {"type": "text", "text": "2"}, {"type": "text", "text": "3"}]},
        {"role": "tool", "tool_call_id": "c", "content": ""},
    ]  # fmt: skip


def test_images_and_files_of_text() -> None:
    body, warnings = build(
        user([TextPart("see"), ImagePart(data=PNG, detail="low"), ImagePart("http://i"),
              FilePart(b"plain", name="a"), FilePart(b'{"x":1}', media_type="application/json")]),
        Message("tool", (ToolResultPart("t", (TextPart("1"), FilePart(b"found", name="b"))),)),
    )  # fmt: skip
    assert warnings == ()
    assert body["messages"][0]["content"] == [
        {"type": "text", "text": "see"},
        {"type": "image_url", "image_url": {
            "url": "data:image/png;base64," + b64encode(PNG).decode(), "detail": "low"}},
        {"type": "image_url", "image_url": {"url": "http://i"}},
    ]  # fmt: skip
    assert body["documents"] == [{"data": {"title": "a", "text": "plain"}}, {"data": {"text": '{"x":1}'}}]
    assert body["messages"][1]["content"] == [
        {"type": "text", "text": "1"},
        {"type": "document", "document": {"data": {"title": "b", "text": "found"}}},
    ]


@pytest.mark.parametrize(
    ("part", "told"),
    [
        (AudioPart(b"x"), "sound"),
        (FilePart(b"%PDF-1"), "application/pdf"),
        (FilePart(b"\xff\xfe"), "text/plain"),
        (FilePart(url="http://d"), "by its address"),
        (ReasoningPart("hm"), "only the model says"),
        (OpaquePart(Opaque("anthropic", {"type": "x"})), "anthropic"),
    ],
)
def test_what_cannot_be_sent_is_a_warning(part: Any, told: str) -> None:
    body, warnings = build(user([TextPart("a"), part]), user([TextPart("b"), part]))
    assert [one["content"] for one in body["messages"]] == ["a", "b"]
    assert len(warnings) == 1
    assert told in warnings[0]


def test_what_a_tools_result_cannot_say_is_a_warning() -> None:
    failed = ToolResultPart("t", (TextPart("no"), ImagePart(data=PNG)), is_error=True)
    body, warnings = build(Message("tool", (failed,), name="Ann"))
    assert body["messages"] == [{"role": "tool", "tool_call_id": "t", "content": "no"}]
    assert [one.split(" ")[0] for one in warnings] == ["names", "media", "that"]


def test_what_an_answer_kept_goes_back_with_the_next_turn() -> None:
    said = messages(
        user("a"),
        assistant([
            ReasoningPart("hm"), ReasoningPart("I will call.", own(plan=True)),
            OpaquePart(own(content={"type": "text", "text": "odd"})), TextPart("b", own(citations=[CITED])),
            RefusalPart("no"), ToolCallPart("t", "f", "{}", own(delta={"x": 1})),
        ]),
        assistant([ToolCallPart("u", "f")]),
    )  # fmt: skip
    assert said[1] == {
        "role": "assistant",
        "content": [
            {"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "odd"},
            {"type": "text", "text": "b"}, {"type": "text", "text": "no"},
        ],
        "tool_plan": "I will call.",
        "tool_calls": [{"id": "t", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
        "citations": [CITED],
    }  # fmt: skip
    assert "content" not in said[2]


def test_settings() -> None:
    settings = GenerationSettings(
        max_tokens=9, temperature=1.5, top_p=1, top_k=3, min_p=0.1, seed=1, logprobs=True, top_logprobs=2,
        n=2, frequency_penalty=-1, presence_penalty=0.5, logit_bias={"1": 1}, stop=tuple("abcdef"),
    )  # fmt: skip
    body, warnings = build(settings=settings, user="u")
    assert {name: body[name] for name in body if name not in ("model", "messages", "stream")} == {
        "max_tokens": 9, "temperature": 1.5, "p": 0.99, "k": 3, "seed": 1, "logprobs": True,
        "frequency_penalty": 0.0, "presence_penalty": 0.5, "stop_sequences": ["a", "b", "c", "d", "e"],
    }  # fmt: skip
    assert [one.split()[0] for one in warnings] == [
        "top_p", "frequency_penalty", "stop", "min_p", "logit_bias", "top_logprobs", "n", "user",
    ]  # fmt: skip
    assert warnings[0] == "top_p was moved from 1 to 0.99: this protocol takes 0.01 to 0.99"


@pytest.mark.parametrize(
    ("choice", "wanted", "names"),
    [
        (ToolChoice("auto"), None, ["f", "plain"]), (ToolChoice("required"), "REQUIRED", ["f", "plain"]),
        (ToolChoice("none"), "NONE", ["f", "plain"]), (ToolChoice("tool", "plain"), "REQUIRED", ["plain"]),
        (None, None, ["f", "plain"]),
    ],
)  # fmt: skip
def test_tools_and_their_choice(choice: Any, wanted: Any, names: list[str]) -> None:
    body, warnings = build(tools=(TOOL, Tool("plain")), tool_choice=choice)
    assert [one["function"]["name"] for one in body["tools"]] == names
    assert body["tools"][-1] == {
        "type": "function",
        "function": {"name": "plain", "parameters": {"type": "object", "properties": {}}},
    }
    assert body.get("tool_choice") == wanted
    assert warnings == ()


@pytest.mark.parametrize(
    ("strict", "wanted", "told"),
    [((True, True), True, 0), ((True, None), True, 1), ((False, None), False, 0), ((None, None), None, 0)],
)
def test_strict_tools(strict: tuple[Any, Any], wanted: Any, told: int) -> None:
    tools = tuple(Tool(f"f{at}", strict=one) for at, one in enumerate(strict))
    body, warnings = build(tools=tools)
    assert (body.get("strict_tools"), len(warnings)) == (wanted, told)


def test_tools_of_another_protocol_and_parallel_calls_are_told() -> None:
    custom = Tool("c", vendor=Opaque("openai_chat", {"type": "custom"}))
    body, warnings = build(tools=(custom, TOOL), parallel_tool_calls=False)
    assert len(body["tools"]) == 1
    assert [one.split(":")[0] for one in warnings] == [
        "tool c was left out", "parallel_tool_calls was left out",
    ]  # fmt: skip
    assert "tools" not in build(tools=(custom,))[0]


@pytest.mark.parametrize(
    ("effort", "wanted", "told"), [("none", "disabled", ""), ("high", "enabled", "said as enabled")]
)
def test_thinking(effort: str, wanted: str, told: str) -> None:
    body, warnings = build(settings=GenerationSettings(reasoning_effort=effort))
    assert body["thinking"] == {"type": wanted}
    assert told in "".join(warnings)
    assert bool(told) == bool(warnings)
    kept = {"type": "enabled", "token_budget": 5}
    body, warnings = build(settings=GenerationSettings(reasoning_effort=effort), vendor=own(thinking=kept))
    assert (body["thinking"], warnings) == (kept, ())


def test_structured_output() -> None:
    schema = {"type": "object", "properties": {}}
    wanted = ResponseFormat("json_schema", "answer", schema, True)
    told = {"type": "json_object", "json_schema": schema}
    assert build(response_format=wanted)[0]["response_format"] == told
    assert build(response_format=ResponseFormat("json_object"))[0]["response_format"] == {
        "type": "json_object"
    }
    assert build(response_format=ResponseFormat("text")) == build()


def test_what_a_provider_refuses_is_dropped_and_what_is_another_wires_is_told() -> None:
    body, warnings = build(
        settings=GenerationSettings(seed=1), quirks={"drop": ("seed",)}, vendor=Opaque("x", {"a": 1})
    )
    assert "seed" not in body
    assert warnings == (
        "a was left out: it belongs to the x protocol",
        "seed was left out: this provider does not take it",
    )
