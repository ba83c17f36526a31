"""Requests of any caller, for the vendor."""

from __future__ import annotations

import json
from typing import Any

import pytest
from google.genai import types
from tests.wire.gemini.events import RICH, call, decode, said, text

from headrace.core.fold import fold
from headrace.core.message import (
    AudioPart,
    FilePart,
    ImagePart,
    Message,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    assistant,
    system,
    user,
)
from headrace.core.opaque import Opaque
from headrace.core.request import GenerationSettings, Request, ResponseFormat, Tool, ToolChoice
from headrace.wire.gemini import WIRE

CAT = "https://a.example/cat.PNG?x"


def build(*messages: Message, quirks: Any = None, warned: tuple[str, ...] = (), **fields: Any) -> Any:
    """The body; `warned` are words that the warnings must hold, one each."""
    fields.setdefault("model", "gemini-3-flash")
    made = WIRE.build(Request(messages=messages or (user("hi"),), **fields), quirks or {})
    assert len(made.warnings) == len(warned), made.warnings
    for word, warning in zip(warned, made.warnings, strict=True):
        assert word in warning
    body = json.loads(made.body)
    for content in body["contents"]:
        types.Content.model_validate(content)  # refuses fields that it does not know
    if "generationConfig" in body:
        types.GenerationConfig.model_validate(body["generationConfig"])
    for tool in body.get("tools", ()):
        types.Tool.model_validate(tool)
    return body


def test_the_path() -> None:
    for model, path in {
        "gemini-x": "/models/gemini-x",
        "models/gemini-x": "/models/gemini-x",
        "tunedModels/mine": "/tunedModels/mine",
        "../x?y": "/models/..%2Fx%3Fy",
    }.items():
        made = WIRE.build(Request(model, (user("hi"),)), {})
        assert made.path == path + ":streamGenerateContent?alt=sse"


def test_a_conversation_of_another_protocol() -> None:
    body = build(
        system("Be brief."),
        Message("developer", (TextPart("Be kind."),)),
        user(
            [
                TextPart("Look"),
                ImagePart(url=CAT),
                ImagePart(data=b"\x01", media_type="image/webp"),
            ]
        ),
        assistant([ReasoningPart("hm"), ToolCallPart("c1", "f", '{"a":1}'), ToolCallPart("c2", "g", "")]),
        Message("tool", (ToolResultPart("c1", (TextPart('{"ok":true}'),)),)),
        Message("tool", (ToolResultPart("c2", (TextPart("no"), ImagePart(data=b"\x02")), is_error=True),)),
        user([AudioPart(b"\x03", format="mp3"), FilePart(url="https://a.example/b.pdf")]),
        system("Be quick."),
        warned=("moved to the beginning",),
    )
    assert body["systemInstruction"] == {
        "parts": [{"text": "Be brief."}, {"text": "Be kind."}, {"text": "Be quick."}]
    }
    look, answer, results, last = body["contents"]
    assert [one["role"] for one in body["contents"]] == ["user", "model", "user", "user"]
    assert look["parts"][1] == {"fileData": {"fileUri": CAT, "mimeType": "image/png"}}
    assert look["parts"][2] == {"inlineData": {"mimeType": "image/webp", "data": "AQ=="}}
    assert answer["parts"] == [
        {"text": "hm", "thought": True},
        {"functionCall": {"name": "f", "id": "c1", "args": {"a": 1}}},
        {"functionCall": {"name": "g", "id": "c2", "args": {}}},
    ]
    first, second = [one["functionResponse"] for one in results["parts"]]
    assert first == {"name": "f", "id": "c1", "response": {"ok": True}}
    assert (second["response"], len(second["parts"])) == ({"error": "no"}, 1)
    assert last["parts"][0]["inlineData"]["mimeType"] == "audio/mpeg"
    assert last["parts"][1]["fileData"]["mimeType"] == "application/pdf"


def test_settings() -> None:
    settings = GenerationSettings(
        max_tokens=9,
        temperature=0.1,
        top_p=0.2,
        top_k=3,
        min_p=0.1,
        frequency_penalty=0.3,
        presence_penalty=0.4,
        seed=5,
        stop=("x",),
        logprobs=True,
        top_logprobs=2,
        n=2,
        logit_bias={"1": 2},
    )
    body = build(
        settings=settings,
        user="me",
        parallel_tool_calls=False,
        tools=(Tool("f", "F", {"type": "object"}, strict=True), Tool("g")),
        vendor=Opaque("openai_chat", {"store": True}),
        warned=("strict", "parallel_tool_calls", "min_p", "logit_bias", "user", "store"),
    )
    assert body["generationConfig"] == {
        "maxOutputTokens": 9,
        "temperature": 0.1,
        "topP": 0.2,
        "topK": 3,
        "frequencyPenalty": 0.3,
        "presencePenalty": 0.4,
        "seed": 5,
        "stopSequences": ["x"],
        "responseLogprobs": True,
        "logprobs": 2,
        "candidateCount": 2,
    }
    declared = [{"name": "f", "description": "F", "parametersJsonSchema": {"type": "object"}}, {"name": "g"}]
    assert body["tools"] == [{"functionDeclarations": declared}]


@pytest.mark.parametrize(
    ("model", "effort", "config", "warned"),
    [
        ("gemini-3-pro", "high", {"thinkingLevel": "HIGH", "includeThoughts": True}, ()),
        ("gemini-3-pro", "none", {"thinkingLevel": "MINIMAL"}, ("minimal",)),
        ("gemini-3-pro", "xhigh", {"thinkingLevel": "HIGH", "includeThoughts": True}, ("xhigh",)),
        ("gemini-2.5-flash", "low", {"thinkingBudget": 1024, "includeThoughts": True}, ()),
        ("gemini-2.5-flash", "none", {"thinkingBudget": 0, "includeThoughts": False}, ()),
        ("gemini-2.0-flash", "low", None, ("reasoning_effort",)),
        ("gemini-3-pro", "extreme", None, ("extreme",)),
    ],
)
def test_effort(model: str, effort: str, config: Any, warned: tuple[str, ...]) -> None:
    body = build(model=model, settings=GenerationSettings(reasoning_effort=effort), warned=warned)
    assert body.get("generationConfig", {}).get("thinkingConfig") == config


def test_effort_as_the_row_says() -> None:
    body = build(settings=GenerationSettings(reasoning_effort="low"), quirks={"thinking": "budget"})
    assert body["generationConfig"]["thinkingConfig"]["thinkingBudget"] == 1024


def test_structured_output() -> None:
    schema = {"type": "object", "properties": {}}
    asked = ResponseFormat("json_schema", "x", schema, True)
    assert build(response_format=asked)["generationConfig"] == {
        "responseMimeType": "application/json",
        "responseJsonSchema": schema,
    }
    openapi = {"schema_fields": "openapi"}
    body = build(response_format=asked, quirks=openapi, tools=(Tool("f", parameters=schema),))
    assert body["generationConfig"]["responseSchema"] == schema
    assert body["tools"][0]["functionDeclarations"][0]["parameters"] == schema
    assert build(response_format=ResponseFormat("json_object"))["generationConfig"] == {
        "responseMimeType": "application/json"
    }
    assert "generationConfig" not in build(response_format=ResponseFormat())


@pytest.mark.parametrize(
    ("choice", "config"),
    [
        (ToolChoice("auto"), {"mode": "AUTO"}),
        (ToolChoice("none"), {"mode": "NONE"}),
        (ToolChoice("required"), {"mode": "ANY"}),
        (ToolChoice("tool", "f"), {"mode": "ANY", "allowedFunctionNames": ["f"]}),
    ],
)
def test_tool_choice(choice: ToolChoice, config: Any) -> None:
    body = build(tools=(Tool("f"),), tool_choice=choice)
    assert body["toolConfig"] == {"functionCallingConfig": config}


def test_an_answer_of_the_vendors_goes_back_as_it_came() -> None:
    signed = {**call("add", {"a": 1}), "thoughtSignature": "c2ln"}
    answer = fold(decode(said(text("x", thoughtSignature="bmV4dA==")), said(signed, reason="STOP")))
    (made,) = answer.tool_calls
    result = Message("tool", (ToolResultPart(made.id, (TextPart("2"),)),))
    body = build(user("hi"), answer.message, result)
    assert body["contents"][1]["parts"] == [text("x", thoughtSignature="bmV4dA=="), signed]
    response = {"name": "add", "response": {"output": "2"}}  # the vendor gave the call no id
    assert body["contents"][2]["parts"] == [{"functionResponse": response}]
    with_id = fold(decode(*RICH)).message
    assert build(user("hi"), with_id)["contents"][1]["parts"][2]["functionCall"]["id"] == "c-1"


def test_calls_of_another_vendor_s_model() -> None:
    turn = assistant([ToolCallPart("c", "f", "{}")])
    result = Message("tool", (ToolResultPart("c", (TextPart("1"),)),))
    quirks = {"call_signature": "skip", "no_call_ids": True}
    body = build(user("hi"), turn, result, quirks=quirks)
    assert body["contents"][1]["parts"] == [
        {"functionCall": {"name": "f", "args": {}}, "thoughtSignature": "skip"}
    ]
    assert body["contents"][2]["parts"][0]["functionResponse"] == {"name": "f", "response": {"output": "1"}}


def test_what_cannot_be_said_is_a_warning() -> None:
    build(
        Message("user", (ImagePart(data=b"\x01", detail="high"), FilePart(b"x", name="a.pdf")), name="me"),
        assistant([ToolCallPart("c", "f", "{")]),
        Message("tool", (ToolResultPart("unknown", (TextPart("1"),)),)),
        warned=("detail", "file's name", "message's name", "no JSON object", "answers no earlier call"),
    )
