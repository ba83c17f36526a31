from __future__ import annotations

import json
from typing import Any

import pytest
from tests.wire import scripted

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
    system,
)
from headrace.core.opaque import Opaque
from headrace.core.request import GenerationSettings, ResponseFormat, Tool, ToolChoice
from headrace.errors import RequestError
from headrace.wire.base import Says
from headrace.wire.ui_messages import FRONT, parse_request

NAMED = Opaque("ui_messages", {"id": "m"})
AS_JSON = Opaque("ui_messages", {"json": True})


def parse(*messages: Any, **fields: Any) -> Any:
    body = {"id": "chat", "trigger": "submit-message", "messageId": None, "messages": messages, **fields}
    return parse_request(json.dumps(body).encode(), {"model": "path"})


def page(role: str, *parts: Any) -> dict[str, Any]:
    return {"id": "m", "role": role, "parts": parts}


def test_a_pages_conversation_is_ours() -> None:
    parsed = parse(
        page("user", {"type": "text", "text": "Hi"},
             {"type": "file", "mediaType": "image/png", "url": "data:image/png;base64,eA=="},
             {"type": "file", "mediaType": "image", "url": "https://x/a"},
             {"type": "file", "mediaType": "audio/wav", "url": "data:audio/wav;base64,eA=="},
             {"type": "file", "mediaType": "application/pdf", "url": "https://x/a.pdf", "filename": "a.pdf"}),
        page("assistant",
             {"type": "step-start"},
             {"type": "reasoning", "text": "Hm.", "providerMetadata": {"anthropic": {"signature": "s"}}},
             {"type": "tool-weather", "toolCallId": "a", "state": "output-available",
              "input": {"city": "Oslo"}, "output": {"sky": "grey"}},
             {"type": "dynamic-tool", "toolName": "time", "toolCallId": "b", "state": "output-error",
              "rawInput": "{cut", "errorText": "bad"},
             {"type": "tool-x", "toolCallId": "c", "state": "input-streaming"},
             {"type": "step-start"},
             {"type": "text", "text": "Rain.", "state": "done"},
             {"type": "source-url", "sourceId": "1", "url": "https://x"},
             {"type": "data-mood", "data": 1}),
        page("user", {"type": "text", "text": "Bye"}),
        model="given", system="Be brief.",
    )  # fmt: skip
    assert parsed.stream
    assert parsed.warnings == ()
    assert parsed.request.model == "given"
    assert parsed.request.messages == (
        system("Be brief."),
        Message(
            "user",
            vendor=NAMED,
            parts=(
                TextPart("Hi"),
                ImagePart(data=b"x", media_type="image/png"),
                ImagePart("https://x/a"),
                AudioPart(b"x", format="wav"),
                FilePart(url="https://x/a.pdf", name="a.pdf", media_type="application/pdf"),
            ),
        ),
        Message(
            "assistant",
            vendor=NAMED,
            parts=(
                ReasoningPart("Hm.", Opaque("anthropic", {"signature": "s"})),
                ToolCallPart("a", "weather", '{"city":"Oslo"}'),
                ToolCallPart("b", "time", "{cut"),
            ),
        ),
        Message(
            "tool",
            (
                ToolResultPart("a", (TextPart('{"sky":"grey"}'),), vendor=AS_JSON),
                ToolResultPart("b", (TextPart("bad"),), is_error=True),
            ),
        ),
        Message("assistant", (TextPart("Rain."),)),
        Message(
            "user",
            (TextPart("Bye"),),
            vendor=Opaque("ui_messages", {"id": "m", "chat": {"id": "chat", "trigger": "submit-message"}}),
        ),
    )


def test_what_a_page_adds_and_nobody_reads_is_kept_for_its_own_protocol_and_a_warning() -> None:
    parsed = parse(page("user", {"type": "text", "text": "x"}), colour="red", shape=None)
    assert parsed.warnings == ("colour has an effect only at a provider that speaks this protocol",)
    assert parsed.request.vendor == Opaque("ui_messages", {"colour": "red"})
    assert parsed.request.model == "path"


def test_what_a_page_asks_for_has_the_packages_names() -> None:
    schema = {"type": "object", "properties": {"city": {"type": "string"}}}
    request = parse(
        page("user", {"type": "text", "text": "x"}),
        tools={"weather": {"description": "The sky.", "inputSchema": schema, "strict": True},
               "time": {"inputSchema": {"type": "object"}}},
        toolChoice={"type": "tool", "toolName": "time"},
        responseFormat={"type": "json", "name": "place", "schema": schema, "strict": True},
        maxOutputTokens=9, temperature=0.5, topP=0.9, topK=4, presencePenalty=1, frequencyPenalty=-1, seed=7,
        stopSequences=["END"], reasoning="low",
    ).request  # fmt: skip
    assert request.tools == (Tool("weather", "The sky.", schema, True), Tool("time", "", {"type": "object"}))
    assert request.tool_choice == ToolChoice("tool", "time")
    assert request.response_format == ResponseFormat("json_schema", "place", schema, True)
    assert request.settings == GenerationSettings(
        max_tokens=9, temperature=0.5, top_p=0.9, top_k=4, presence_penalty=1, frequency_penalty=-1, seed=7,
        stop=("END",), reasoning_effort="low",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "read"),
    [
        ({"responseFormat": {"type": "text"}}, ("response_format", ResponseFormat())),
        ({"responseFormat": {"type": "json"}}, ("response_format", ResponseFormat("json_object"))),
        ({"toolChoice": "auto"}, ("tool_choice", ToolChoice())),
        ({"toolChoice": {"type": "none"}}, ("tool_choice", ToolChoice("none"))),
        ({"reasoning": "provider-default"}, ("settings", GenerationSettings())),
    ],
)
def test_other_spellings_of_what_is_asked(asked: dict[str, Any], read: tuple[str, Any]) -> None:
    assert getattr(parse(page("user", {"type": "text", "text": "x"}), **asked).request, read[0]) == read[1]


def test_a_formats_description_is_a_warning() -> None:
    asked = {"type": "json", "schema": {}, "description": "A place."}
    parsed = parse(page("user", {"type": "text", "text": "x"}), responseFormat=asked)
    assert "responseFormat.description" in parsed.warnings[0]


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"tools": []}, "tools"),
        ({"tools": {"f": 1}}, "tools.f"),
        ({"tools": {"f": {}}}, "tools.f.inputSchema"),
        ({"tools": {"f": {"inputSchema": "x"}}}, "tools.f.inputSchema"),
        ({"tools": {"f": {"inputSchema": {}, "description": 5}}}, "tools.f.description"),
        ({"toolChoice": "maybe"}, "toolChoice"),
        ({"toolChoice": "required"}, "toolChoice"),
        ({"toolChoice": {"type": "tool", "toolName": "g"}}, "toolChoice.toolName"),
        ({"toolChoice": {"type": "some"}}, "toolChoice.type"),
        ({"responseFormat": {"type": "xml"}}, "responseFormat.type"),
        ({"responseFormat": {"type": "json", "schema": "x"}}, "responseFormat.schema"),
        ({"temperature": 9}, "temperature"),
        ({"maxOutputTokens": 0}, "maxOutputTokens"),
        ({"topK": 1.5}, "topK"),
        ({"stopSequences": [""]}, "stopSequences"),
        ({"messages": None}, "messages"),
    ],
)
def test_a_wrong_option_is_named(asked: dict[str, Any], field: str) -> None:
    body = {"messages": [page("user", {"type": "text", "text": "x"})], **asked}
    with pytest.raises(RequestError) as raised:
        parse_request(json.dumps(body).encode(), {})
    assert raised.value.field == field
    assert raised.value.message.startswith(field)


def test_an_answer_goes_on_with_the_assistants_message_whose_tools_have_answered() -> None:
    asked, called = (
        page("user", {"type": "text", "text": "x"}),
        page("assistant", {"type": "text", "text": "y"}),
    )
    assert parse(asked, called).wanted == {"message_id": "m"}
    assert parse(asked, {**called, "id": ""}).wanted == {}
    assert parse(called, asked).wanted == {}
    body = FRONT.body(fold(scripted.EVERYTHING), Says("msg_1", "m", 1), parse(asked, called))
    assert json.loads(body)["id"] == "m"


def test_a_denied_call_is_a_failed_one() -> None:
    part = {"type": "tool-f", "toolCallId": "a", "state": "output-denied", "input": {}}
    assert parse(page("assistant", part)).request.messages[1].parts[0].is_error
    part = {**part, "state": "approval-responded", "approval": {"id": "x", "approved": False, "reason": "no"}}
    assert parse(page("assistant", part)).request.messages[1].parts[0].text == "no"
    part = {**part, "approval": {"id": "x", "approved": True}}
    assert len(parse(page("assistant", part)).request.messages) == 1


@pytest.mark.parametrize(
    ("messages", "field"),
    [
        ([], "messages"),
        ([{"role": "robot", "parts": []}], "messages.0.role"),
        ([{"role": "user"}], "messages.0.parts"),
        ([page("user", {"type": "text"})], "messages.0.parts.0.text"),
        ([page("user", {"text": "x"})], "messages.0.parts.0.type"),
        ([page("user", {"type": "file", "mediaType": "image/png", "url": "data:x,y"})],
         "messages.0.parts.0.url"),
        ([page("user", {"type": "file", "mediaType": "image/png", "url": "data:x;base64,!"})],
         "messages.0.parts.0.url"),
        ([page("assistant", {"type": "tool-f", "state": "input-available"})],
         "messages.0.parts.0.toolCallId"),
    ],
)  # fmt: skip
def test_a_wrong_field_is_named(messages: list[Any], field: str) -> None:
    with pytest.raises(RequestError) as raised:
        parse(*messages)
    assert raised.value.field == field


def test_a_whole_reply_comes_back_as_the_turn_it_was() -> None:
    reply = fold(scripted.EVERYTHING)
    parsed = parse(page("user", {"type": "text", "text": "x"}))
    message = json.loads(FRONT.body(reply, Says("msg_1", "m", 1), parsed))
    assert message["metadata"]["usage"]["totalTokens"] == 18
    turns = parse(message).request.messages
    assert [(turn.role, turn.parts) for turn in turns] == [("assistant", reply.message.parts)]
