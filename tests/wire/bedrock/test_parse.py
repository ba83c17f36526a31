"""Clients' bodies, as the official client sends them: read, and built again the same."""

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
from headrace.wire.bedrock import WIRE, parse_request

DATA = b64encode(b"x").decode()
SCHEMA = {"type": "object", "properties": {"x": {"type": "integer"}}}
PICTURE = {"image": {"format": "png", "source": {"bytes": DATA}}}
SPEC = {"toolSpec": {"name": "f", "description": "does f", "inputSchema": {"json": SCHEMA}, "strict": True}}
CACHE = {"cachePoint": {"type": "default"}}
EVERYTHING: dict[str, Any] = {
    "system": [{"text": "be brief"}, CACHE, {"guardContent": {"text": {"text": "g"}}}],
    "messages": [
        {"role": "user", "content": [
            {"text": "see"},
            PICTURE,
            {"image": {"format": "webp", "source": {
                "s3Location": {"uri": "s3://bucket/i", "bucketOwner": "123456789012"}}}},
            {"audio": {"format": "pcm", "source": {"bytes": DATA}}},
            {"video": {"format": "three_gp", "source": {"bytes": DATA}}},
            {"document": {
                "format": "pdf", "name": "a", "source": {"bytes": DATA}, "citations": {"enabled": True}}},
            {"document": {"format": "txt", "name": "b", "source": {"text": "plain"}}},
            {"document": {"name": "c", "source": {"content": [{"text": "one"}, {"text": "two"}]}}},
            {"searchResult": {"source": "s", "title": "t", "content": [{"text": "found"}]}},
            CACHE,
        ]},
        {"role": "assistant", "content": [
            {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "sig"}}},
            {"reasoningContent": {"redactedContent": DATA}},
            {"reasoningContent": {"reasoningText": {"text": "unsigned"}}},
            {"text": "ok"},
            {"citationsContent": {"content": [{"text": "a"}, {"text": "b"}], "citations": [{"title": "t"}]}},
            {"toolUse": {"toolUseId": "t1", "name": "f", "input": {"x": 1}}},
            {"toolUse": {"toolUseId": "t2", "name": "n", "input": {}, "type": "server_tool_use"}},
        ]},
        {"role": "user", "content": [
            {"toolResult": {"toolUseId": "t1", "content": [
                {"text": "1"}, {"json": {"x": [1, 2]}}, PICTURE,
                {"searchResult": {"source": "s", "title": "t", "content": []}},
            ]}},
            {"toolResult": {"toolUseId": "t2", "content": [], "status": "error"}},
            {"toolResult": {"toolUseId": "t3", "content": [{"text": "2"}], "status": "success"}},
            {"text": "go on"},
        ]},
        {"role": "system", "content": [{"text": "now in French"}]},
        {"role": "user", "content": [{"text": "?"}]},
    ],
    "inferenceConfig": {"maxTokens": 9, "temperature": 0.5, "topP": 0.25, "stopSequences": ["END"]},
    "toolConfig": {
        "tools": [
            SPEC,
            {"systemTool": {"name": "nova_grounding"}},
            CACHE,
        ],
        "toolChoice": {"tool": {"name": "f"}},
    },
    "outputConfig": {"effort": "high", "textFormat": {"type": "json_schema", "structure": {"jsonSchema": {
        "schema": json.dumps(SCHEMA, separators=(",", ":")), "name": "n", "description": "d"}}}},
    "guardrailConfig": {"guardrailIdentifier": "g", "guardrailVersion": "1"},
    "additionalModelRequestFields": {"top_k": 5},
    "additionalModelResponseFieldPaths": ["/stop_sequence"],
    "requestMetadata": {"a": "b"},
    "performanceConfig": {"latency": "optimized"},
    "serviceTier": {"type": "flex"},
}  # fmt: skip
SAY_HI = {"messages": [{"role": "user", "content": [{"text": "hi"}]}]}


def said(block: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": [block]}]}


def formed(structure: Any) -> dict[str, Any]:
    return {"outputConfig": {"textFormat": {"type": "json_schema", "structure": structure}}}


def parse(body: Any = None, /, model: str = "m", **changes: Any) -> ParsedRequest:
    body = {name: value for name, value in {**SAY_HI, **(body or {}), **changes}.items() if value is not ...}
    return parse_request(json.dumps(body).encode(), {"model": model})


def test_the_official_client_would_send_all_of_this() -> None:
    path, sent = client_request("", EVERYTHING, "m")
    assert (path, json.loads(sent)) == ("/model/m/converse-stream", EVERYTHING)


def test_everything_goes_through_unchanged() -> None:
    parsed = parse(EVERYTHING)
    built = WIRE.build(parsed.request, {})
    assert json.loads(built.body) == EVERYTHING
    assert built.warnings == ()
    assert [one.split(" has")[0] for one in parsed.warnings] == [
        "additionalModelRequestFields", "additionalModelResponseFieldPaths", "guardrailConfig",
        "performanceConfig", "requestMetadata", "serviceTier", "tool nova_grounding",
    ]  # fmt: skip
    assert parsed.stream
    assert parsed.include_usage


def test_what_it_is_in_our_words() -> None:
    request = parse(EVERYTHING, model="nova").request
    assert request.model == "nova"
    first, asked, answered, results, after, in_place, last = request.messages
    assert [one.role for one in request.messages] == [
        "system", "user", "assistant", "tool", "user", "system", "user",
    ]  # fmt: skip
    assert first.parts[:2] == (TextPart("be brief"), OpaquePart(Opaque("bedrock", CACHE)))
    kinds = [type(part) for part in asked.parts]
    assert kinds == [
        TextPart, ImagePart, ImagePart, AudioPart, FilePart, FilePart, FilePart, FilePart,
        OpaquePart, OpaquePart,
    ]  # fmt: skip
    assert asked.parts[1] == ImagePart(data=b"x", media_type="image/png")
    assert (asked.parts[2].url, asked.parts[3].format) == ("s3://bucket/i", "pcm16")  # type: ignore[union-attr]
    assert [(one.name, one.media_type, one.data) for one in asked.parts[4:8]] == [  # type: ignore[union-attr]
        ("", "video/3gpp", b"x"), ("a", "application/pdf", b"x"), ("b", "text/plain", b"plain"),
        ("c", "text/plain", b"one\ntwo"),
    ]  # fmt: skip
    assert isinstance(answered.parts[0], ReasoningPart)
    assert answered.text == "okab"
    assert answered.parts[5] == ToolCallPart("t1", "f", '{"x":1}')
    one, two, three = results.parts
    assert isinstance(one, ToolResultPart)
    assert (one.id, one.text) == ("t1", '1{"x":[1,2]}')
    assert isinstance(two, ToolResultPart)
    assert isinstance(three, ToolResultPart)
    assert (two.is_error, three.is_error) == (True, False)
    assert (after.text, in_place.text, last.text) == ("go on", "now in French", "?")
    assert request.settings.stop == ("END",)
    assert request.settings.reasoning_effort == "high"
    assert request.tools == (Tool("f", "does f", SCHEMA, True),)
    assert request.tool_choice == ToolChoice("tool", "f")
    assert request.response_format == ResponseFormat("json_schema", "n", SCHEMA)


def test_another_wire_is_told_what_it_cannot_take() -> None:
    built = wire_named("openai_chat").build(parse(EVERYTHING).request, {})
    body = json.loads(built.body)
    assert [one["role"] for one in body["messages"]][:3] == ["system", "user", "assistant"]
    assert "guardrailConfig was left out: it belongs to the bedrock protocol" in built.warnings


def test_unknown_fields_are_kept() -> None:
    odd: dict[str, Any] = {
        "messages": [{"role": "user", "content": [
            {"text": "a", "mood": "glad"},
            {"toolUse": {"toolUseId": "t", "name": "f", "input": {}, "x": 1}},
            {"hologram": {"depth": 3}},
        ]}],
        "toolConfig": {
            "tools": [{"toolSpec": {"name": "f", "inputSchema": {"json": SCHEMA}, "x": 1}}], "y": 2},
        "inferenceConfig": {"maxTokens": 1, "z": 3},
        "future": {"a": 1},
    }  # fmt: skip
    parsed = parse(odd)
    assert json.loads(WIRE.build(parsed.request, {}).body) == odd


@pytest.mark.parametrize(
    ("choice", "ours"), [({"auto": {}}, ToolChoice("auto")), ({"any": {}}, ToolChoice("required"))]
)
def test_tool_choices(choice: Any, ours: ToolChoice) -> None:
    config = {"tools": [SPEC], "toolChoice": choice}
    parsed = parse(toolConfig=config)
    assert parsed.request.tool_choice == ours
    assert json.loads(WIRE.build(parsed.request, {}).body)["toolConfig"] == config


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"messages": ...}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "tool", "content": []}]}, "messages.0.role"),
        ({"messages": [{"role": "user"}]}, "messages.0.content"),
        (said({}), ""),
        (said({"text": 5}), ".text"),
        (said({"image": {"format": "png"}}), ".image.source"),
        (said({"image": {"format": "png", "source": {}}}), ".image.source"),
        (said({"image": {"format": "png", "source": {"bytes": "?"}}}), ".image.source.bytes"),
        (said({"toolUse": {"toolUseId": "t", "input": {}}}), ".toolUse.name"),
        (said({"toolResult": {"toolUseId": "t", "content": [{"text": 5}]}}), ".toolResult.content.0.text"),
        (said({"toolResult": {"toolUseId": "t", "content": [{"toolUse": {}}]}}), ".toolResult.content.0"),
        ({"system": [{"text": 5}]}, "system.0.text"),
        ({"inferenceConfig": {"maxTokens": 0}}, "inferenceConfig.maxTokens"),
        ({"inferenceConfig": {"temperature": 1.5}}, "inferenceConfig.temperature"),
        ({"inferenceConfig": {"topP": -1}}, "inferenceConfig.topP"),
        ({"toolConfig": {}}, "toolConfig.tools"),
        ({"toolConfig": {"tools": [{"toolSpec": {"name": "f"}}]}}, "toolConfig.tools.0.toolSpec.inputSchema"),
        ({"toolConfig": {"tools": [], "toolChoice": {"tool": {"name": "g"}}}},
         "toolConfig.toolChoice.tool.name"),
        (formed({}), "outputConfig.textFormat.structure.jsonSchema"),
        (formed({"jsonSchema": {"schema": "["}}), "outputConfig.textFormat.structure.jsonSchema.schema"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_by_its_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(RequestError) as caught:
        parse(**changes)
    field = f"messages.0.content.0{field}" if field[:1] in (".", "") else field
    assert caught.value.field == field
    assert field in caught.value.message


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(RequestError):
        parse_request(body, {"model": "m"})


def test_the_model_is_the_paths() -> None:
    with pytest.raises(RequestError, match="model"):
        parse_request(json.dumps(SAY_HI).encode(), {})
