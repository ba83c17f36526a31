"""Our requests in the vendor's shape: the official client would send the very same."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest
from tests.wire.bedrock.judge import client_request

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
from headrace.wire.bedrock import WIRE

MODEL = "anthropic.claude-sonnet-5-v1:0"
TOOL = Tool("f", "does f", {"type": "object", "properties": {"x": {"type": "integer"}}})
PNG = b"\x89PNG\r\n\x1a\n"


def build(
    *messages: Message, quirks: dict[str, Any] | None = None, model: str = MODEL, **fields: Any
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """(the body, the warnings), after the official client has said that it would send just that."""
    built = WIRE.build(Request(model, messages or (user("hi"),), **fields), quirks or {})
    body: dict[str, Any] = json.loads(built.body)
    path, sent = client_request(built.path, body, model)
    assert (path, json.loads(sent)) == (built.path, body)
    return body, built.warnings


def messages(*said: Message) -> list[Any]:
    content: list[Any] = build(*said)[0]["messages"]
    return content


def own(**data: Any) -> Opaque:
    return Opaque("bedrock", data)


def test_a_plain_request() -> None:
    body, warnings = build(system("be brief"), user("hi"))
    assert warnings == ()
    assert body == {
        "system": [{"text": "be brief"}],
        "messages": [{"role": "user", "content": [{"text": "hi"}]}],
    }


@pytest.mark.parametrize(
    "model",
    [
        MODEL,
        "eu.amazon.nova-pro-v1:0",
        "arn:aws:bedrock:us-east-1:123456789012:inference-profile/eu.x.y-v1:0",
    ],
)
def test_the_path_names_the_model(model: str) -> None:
    build(model=model)
    assert WIRE.build(Request("a/b c"), {}).path == "/model/a%2Fb%20c/converse-stream"


def test_turns_of_one_role_are_one_and_tool_results_are_the_users() -> None:
    said = messages(
        user("both"),
        user("please"),
        assistant([TextPart("ok"), ToolCallPart("a:0/x", "f", '{"x":1}'), ToolCallPart("b", "g")]),
        Message("tool", (ToolResultPart("a:0/x", (TextPart("1"),)),)),
        Message("tool", (ToolResultPart("b", (TextPart("no"), ImagePart(data=PNG)), is_error=True),)),
        user("go on"),
    )
    assert said == [
        {"role": "user", "content": [{"text": "both"}, {"text": "please"}]},
        {
            "role": "assistant",
            "content": [
                {"text": "ok"},
                {"toolUse": {"toolUseId": "a:0_x", "name": "f", "input": {"x": 1}}},
                {"toolUse": {"toolUseId": "b", "name": "g", "input": {}}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"toolResult": {"toolUseId": "a:0_x", "content": [{"text": "1"}]}},
                {"toolResult": {
                    "toolUseId": "b", "status": "error",
                    "content": [
                        {"text": "no"},
                        {"image": {"format": "png", "source": {"bytes": b64encode(PNG).decode()}}},
                    ],
                }},
                {"text": "go on"},
            ],
        },
    ]  # fmt: skip


def test_ids_fit_the_vendors_letters() -> None:
    (said,) = messages(assistant([ToolCallPart("", "f"), ToolCallPart("x" * 80, "f")]))
    assert [one["toolUse"]["toolUseId"] for one in said["content"]] == ["tooluse_0", "x" * 64]


def test_media() -> None:
    (said,) = messages(
        user([
            ImagePart(data=PNG), ImagePart("s3://bucket/a.jpg", media_type="image/jpeg"),
            AudioPart(b"x", format="pcm16"), FilePart(b"x", media_type="video/mp4"),
            FilePart(b"%PDF-1", name="a_b  c.pdf"), FilePart(b"x"), FilePart(b"x", media_type="text/csv"),
            FilePart(url="s3://bucket/d.md", name="d", media_type="text/markdown"),
        ])
    )  # fmt: skip
    data, pdf = {"bytes": b64encode(b"x").decode()}, b64encode(b"%PDF-1").decode()
    assert said["content"] == [
        {"image": {"format": "png", "source": {"bytes": b64encode(PNG).decode()}}},
        {"image": {"format": "jpeg", "source": {"s3Location": {"uri": "s3://bucket/a.jpg"}}}},
        {"audio": {"format": "pcm", "source": data}},
        {"video": {"format": "mp4", "source": data}},
        {"document": {"format": "pdf", "name": "a-b c-pdf", "source": {"bytes": pdf}}},
        {"document": {"format": "txt", "name": "document", "source": data}},
        {"document": {"format": "csv", "name": "document (2)", "source": data}},
        {"document": {"format": "md", "name": "d", "source": {"s3Location": {"uri": "s3://bucket/d.md"}}}},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("part", "told"),
    [
        (FilePart(b"x", media_type="application/zip"), "application/zip"),
        (FilePart(file_id="f"), "by its id"),
        (FilePart(url="http://d", media_type="application/pdf"), "a file at an address"),
        (ImagePart("http://i"), "an image at an address"),
        (ImagePart(data=b"x", media_type="image/tiff"), "tiff"),
        (AudioPart(url="http://a", format="mp3"), "sound at an address"),
        (AudioPart(b"x", format="midi"), "midi"),
        (ReasoningPart("secret"), "reasoning"),
        (ReasoningPart("s", Opaque("anthropic", {"signature": "x"})), "signed"),
        (TextPart(" \n"), "blanks"),
        (OpaquePart(Opaque("anthropic", {"type": "x"})), "anthropic"),
    ],
)
def test_what_cannot_be_sent_is_a_warning(part: Any, told: str) -> None:
    body, warnings = build(user([TextPart("a"), part]), assistant("b"), user([TextPart("c"), part]))
    assert [one["content"] for one in body["messages"]] == [[{"text": "a"}], [{"text": "b"}], [{"text": "c"}]]
    assert len(warnings) == 1
    assert told in warnings[0]


def test_what_is_changed_or_has_no_field_is_a_warning() -> None:
    named = Message("user", (FilePart(b"x", name="a_b"), ImagePart(data=PNG, detail="low")), name="Ann")
    assert [one.split(":")[0] for one in build(named)[1]] == [
        "names of speakers were left out",
        "the document a_b is called a-b",
        "the detail of images was left out",
    ]


def test_what_an_answer_kept_goes_back_with_the_next_turn() -> None:
    cited = [{"title": "t", "location": {"web": {"url": "u"}}}]
    server = {"toolUse": {"toolUseId": "s", "name": "n", "type": "server_tool_use", "input": {"q": 1}}}
    said = messages(
        user("a"),
        assistant([
            ReasoningPart("hm", own(signature="sig")), ReasoningPart("", own(redactedContent="eA==")),
            OpaquePart(own(**server, **{"$stop": {"x": 1}})), TextPart("b", own(citations=cited)),
            RefusalPart("no"), ToolCallPart("t", "f", "{}", own(start={"toolUse": {"x": 1}})), TextPart(""),
        ]),
    )  # fmt: skip
    assert said[1]["content"] == [
        {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "sig"}}},
        {"reasoningContent": {"redactedContent": "eA=="}},
        server,
        {"citationsContent": {"content": [{"text": "b"}], "citations": cited}},
        {"text": "no"},
        {"toolUse": {"toolUseId": "t", "name": "f", "input": {}}},
    ]


def test_system_messages_go_to_the_beginning_unless_the_caller_of_this_wire_put_them() -> None:
    body, warnings = build(system("a"), user("b"), system("c"), user("d"))
    assert body["system"] == [{"text": "a"}, {"text": "c"}]
    assert [one["role"] for one in body["messages"]] == ["user"]
    assert "moved" in warnings[0]
    in_place = Message("system", (TextPart("c"),), vendor=own(in_place=True))
    body, warnings = build(user("b"), in_place, user("d"))
    assert [one["role"] for one in body["messages"]] == ["user", "system", "user"]
    assert warnings == ()


def test_settings() -> None:
    settings = GenerationSettings(
        max_tokens=9, temperature=1.5, top_p=0.5, stop=("a", "b"), top_k=3, min_p=0.1, seed=1, logprobs=True,
        top_logprobs=2, n=2, frequency_penalty=1, presence_penalty=1, logit_bias={"1": 1},
    )  # fmt: skip
    body, warnings = build(settings=settings, user="u")
    assert body["inferenceConfig"] == {
        "maxTokens": 9, "temperature": 1.0, "topP": 0.5, "stopSequences": ["a", "b"],
    }  # fmt: skip
    assert [one.split()[0] for one in warnings] == [
        "temperature", "top_k", "min_p", "frequency_penalty", "presence_penalty", "seed", "logit_bias",
        "top_logprobs", "logprobs", "n", "user",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("choice", "wanted"),
    [
        (ToolChoice("auto"), {"auto": {}}), (ToolChoice("required"), {"any": {}}),
        (ToolChoice("tool", "f"), {"tool": {"name": "f"}}), (None, None),
    ],
)  # fmt: skip
def test_tools_and_their_choice(choice: Any, wanted: Any) -> None:
    body, warnings = build(tools=(TOOL, Tool("plain", strict=True)), tool_choice=choice)
    config = body["toolConfig"]
    assert config["tools"] == [
        {"toolSpec": {"name": "f", "description": "does f", "inputSchema": {"json": TOOL.parameters}}},
        {"toolSpec": {
            "name": "plain", "inputSchema": {"json": {"type": "object", "properties": {}}}, "strict": True}},
    ]  # fmt: skip
    assert config.get("toolChoice") == wanted
    assert warnings == ()


def test_tools_that_may_not_be_called_are_left_out_unless_some_were() -> None:
    none = ToolChoice("none")
    assert build(tools=(TOOL,), tool_choice=none) == build()
    called = (assistant([ToolCallPart("t", "f")]), Message("tool", (ToolResultPart("t"),)))
    body, warnings = build(user("a"), *called, tools=(TOOL,), tool_choice=none)
    assert body["toolConfig"]["tools"]
    assert "toolChoice" not in body["toolConfig"]
    assert "tool_choice none was left out" in warnings[0]


def test_tools_of_another_protocol_and_parallel_calls_are_told() -> None:
    custom = Tool("c", vendor=Opaque("openai_chat", {"type": "custom"}))
    body, warnings = build(tools=(custom, TOOL), parallel_tool_calls=False)
    assert len(body["toolConfig"]["tools"]) == 1
    assert warnings == (
        "parallel_tool_calls was left out: this protocol has no field for it",
        "tool c was left out: it belongs to the openai_chat protocol",
    )


@pytest.mark.parametrize(
    ("effort", "quirks", "wanted", "told"),
    [
        ("high", {}, "high", ""), ("max", {}, "max", ""), ("minimal", {}, "low", "raised to low"),
        ("none", {}, None, "does not know 'none'"), ("high", {"effort": False}, None, "does not take it"),
    ],
)  # fmt: skip
def test_effort(effort: str, quirks: Any, wanted: str | None, told: str) -> None:
    body, warnings = build(settings=GenerationSettings(reasoning_effort=effort), quirks=quirks)
    assert body.get("outputConfig", {}).get("effort") == wanted
    assert told in "".join(warnings)
    assert bool(told) == bool(warnings)


def test_structured_output() -> None:
    schema = {"type": "object", "properties": {}, "additionalProperties": False}
    wanted = ResponseFormat("json_schema", "answer", schema, True)
    told = build(response_format=wanted)[0]["outputConfig"]["textFormat"]
    assert told["type"] == "json_schema"
    assert told["structure"]["jsonSchema"]["name"] == "answer"
    assert json.loads(told["structure"]["jsonSchema"]["schema"]) == schema
    for other, quirks in ((ResponseFormat("json_object"), {}), (wanted, {"structured_output": False})):
        body, warnings = build(response_format=other, quirks=quirks)
        assert "outputConfig" not in body
        assert "response_format" in warnings[0]
    assert build(response_format=ResponseFormat("text")) == build()


def test_what_a_provider_refuses_is_dropped_and_told() -> None:
    body, warnings = build(settings=GenerationSettings(max_tokens=1), quirks={"drop": ("inferenceConfig",)})
    assert "inferenceConfig" not in body
    assert warnings == ("inferenceConfig was left out: this provider does not take it",)


def test_fields_of_another_wire_are_told() -> None:
    assert build(vendor=Opaque("openai_chat", {"store": True}))[1] == (
        "store was left out: it belongs to the openai_chat protocol",
    )
