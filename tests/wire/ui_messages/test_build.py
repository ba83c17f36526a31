"""The body that a server of the package gets, judged by the package's own server side."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from tests.node.page import VERSIONS, Page
from tests.wire import scripted

from headrace.core.fold import fold
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
from headrace.wire import wire_named
from headrace.wire.base import Says
from headrace.wire.ui_messages import FRONT, WIRE, parse_request

SIGNED = Opaque("anthropic", {"signature": "s"})
SEARCH = Opaque("anthropic", {"type": "server_tool_use", "id": "s", "input": {}})
CONVERSATION = (
    system("Be brief."),
    user([TextPart("Hi"), ImagePart(data=b"x", media_type="image/webp"), ImagePart("https://x/a.png"),
          AudioPart(b"x", format="mp3"), FilePart(b"x", name="a.pdf", media_type="application/pdf")]),
    assistant([ReasoningPart("Hm.", SIGNED), TextPart("Look."),
               ToolCallPart("a", "weather", '{"city":"Oslo"}'),
               ToolCallPart("b", "time", "{}", Opaque("gemini", {"thoughtSignature": "t"}))]),
    Message("tool", (ToolResultPart("a", (TextPart("grey"),)),
                     ToolResultPart("b", (TextPart("no clock"),), is_error=True))),
    assistant([RefusalPart("No."), OpaquePart(SEARCH), TextPart("Rain.")]),
    user("Bye"),
)  # fmt: skip


def body(request: Request) -> dict[str, Any]:
    built = WIRE.build(request, {})
    assert built.path == ""
    found: dict[str, Any] = json.loads(built.body)
    return found


def warnings(request: Request) -> tuple[str, ...]:
    return WIRE.build(request, {}).warnings


def plain(messages: Any) -> list[Any]:
    """The turns without what a page says of its messages, as everything is named there."""
    return [(one.role, one.parts) for one in messages]


def test_a_conversation_goes_there_and_back() -> None:
    request = Request("m", CONVERSATION)
    assert warnings(request) == ()
    parsed = parse_request(WIRE.build(request, {}).body, {})
    assert parsed.warnings == ()
    assert plain(parsed.request.messages) == plain(CONVERSATION)
    assert parsed.request.model == "m"


def test_turns_of_one_answer_are_one_message() -> None:
    messages = body(Request("m", CONVERSATION))["messages"]
    assert [one["role"] for one in messages] == ["system", "user", "assistant", "user"]
    assert [part["type"] for part in messages[2]["parts"]] == [
        "reasoning", "text", "tool-weather", "tool-time", "step-start", "text", "data-opaque", "text",
    ]  # fmt: skip
    assert len({one["id"] for one in messages}) == 4


@pytest.mark.parametrize("version", VERSIONS)
def test_the_packages_server_side_reads_it(page: Page, version: int) -> None:
    sent = body(Request("m", CONVERSATION))["messages"]
    told = page.ask("model", version=version, messages=sent)
    assert told["error"] is None
    first, asked, called, results, said, bye = told["messages"]
    assert first == {"role": "system", "content": "Be brief."}
    assert [(one["type"], one.get("mediaType")) for one in asked["content"]] == [
        ("text", None), ("file", "image/webp"), ("file", "image/*"), ("file", "audio/mpeg"),
        ("file", "application/pdf"),
    ]  # fmt: skip
    assert called["content"][0]["providerOptions"] == {"anthropic": {"signature": "s"}}
    assert [(one["toolCallId"], one["toolName"], one["input"]) for one in called["content"][2:]] == [
        ("a", "weather", {"city": "Oslo"}), ("b", "time", {}),
    ]  # fmt: skip
    assert called["content"][3]["providerOptions"] == {"gemini": {"thoughtSignature": "t"}}
    outputs = [
        (one["toolCallId"], one["output"]["type"], one["output"]["value"]) for one in results["content"]
    ]
    assert outputs == [("a", "text", "grey"), ("b", "error-text", "no clock")]
    assert [one["text"] for one in said["content"]] == ["No.", "Rain."]
    assert bye["content"][0]["text"] == "Bye"


def page_body(**fields: Any) -> dict[str, Any]:
    """What a page sends, in the order that a server's answer has it."""
    message = {"id": "u1", "metadata": {"at": 1}, "role": "user", "parts": [{"type": "text", "text": "x"}]}
    answer = {"id": "a1", "role": "assistant", "parts": [
        {"type": "reasoning", "text": "Hm.", "providerMetadata": {"openai": {"itemId": "r"}}},
        {"type": "tool-f", "toolCallId": "c", "state": "output-available", "input": {"a": [1]},
         "output": {"b": None}},
        {"type": "tool-g", "toolCallId": "d", "state": "output-error", "input": "{cut",
         "errorText": "bad"},
        {"type": "step-start"},
        {"type": "text", "text": "Done."},
    ]}  # fmt: skip
    return {"id": "chat", "messages": [message, answer, {**message, "id": "u2"}], "trigger": "submit-message",
            "messageId": "u2", **fields}  # fmt: skip


def test_a_pages_body_goes_on_to_another_server_as_it_came() -> None:
    asked = page_body(
        model="m", session="s1", tools={"f": {"inputSchema": {"type": "object"}}}, toolChoice="required",
        responseFormat={"type": "json", "schema": {"type": "object"}}, maxOutputTokens=5, reasoning="low",
    )  # fmt: skip
    parsed = parse_request(json.dumps(asked).encode(), {})
    built = WIRE.build(parsed.request, {})
    assert built.warnings == ()
    assert json.loads(built.body) == asked


def test_the_same_request_says_the_same_and_another_is_another_chat() -> None:
    one, other = Request("m", (user("a"),)), Request("m", (user("b"),))
    assert WIRE.build(one, {}) == WIRE.build(one, {})
    assert body(one)["id"] != body(other)["id"]
    assert body(Request("m"))["messages"] == []


def test_what_is_asked_beside_the_messages() -> None:
    schema = {"type": "object"}
    request = Request(
        "m",
        (user("x"),),
        GenerationSettings(max_tokens=5, temperature=0.5, stop=("END",), seed=3, reasoning_effort="high"),
        (Tool("f", "What.", schema, True), Tool("g")),
        ToolChoice("tool", "g"),
        response_format=ResponseFormat("json_schema", "n", schema, True),
    )
    sent = body(request)
    assert parse_request(json.dumps(sent).encode(), {}).request.tool_choice == ToolChoice("tool", "g")
    for told in ("id", "messages", "trigger", "model"):
        del sent[told]
    assert sent == {
        "tools": {"f": {"description": "What.", "inputSchema": schema, "strict": True},
                  "g": {"inputSchema": {"type": "object", "properties": {}}}},
        "toolChoice": {"type": "tool", "toolName": "g"},
        "responseFormat": {"type": "json", "name": "n", "schema": schema, "strict": True},
        "maxOutputTokens": 5, "temperature": 0.5, "stopSequences": ["END"], "seed": 3, "reasoning": "high",
    }  # fmt: skip
    text = body(Request("m", response_format=ResponseFormat(), tool_choice=ToolChoice("none")))
    assert (text["responseFormat"], text["toolChoice"]) == ({"type": "text"}, "none")


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (Request("m", settings=GenerationSettings(n=2)), "n was"),
        (Request("m", settings=GenerationSettings(min_p=0.1, logprobs=True)), "min_p was"),
        (Request("m", user="u", parallel_tool_calls=False), "parallel_tool_calls was"),
        (Request("m", vendor=Opaque("anthropic", {"container": 1})), "container was"),
        (Request("m", (Message("user", (TextPart("x"),), "Ann"),)), "names of speakers"),
        (Request("m", (user([FilePart(file_id="f")]),)), "a file by its id"),
        (Request("m", (user([ImagePart("https://x", detail="low")]),)), "an image's detail"),
        (Request("m", (Message("tool", (ToolResultPart("z"),)),)), "the result of tool call z"),
        (Request("m", (Message("tool", (TextPart("x"),)),)), "what stood beside"),
        (Request("m", (user([ToolResultPart("z")]),)), "a tool's result outside"),
        (
            Request("m", (assistant([ToolCallPart("a", "f")]),
                          Message("tool", (ToolResultPart("a", (ImagePart("https://x"),)),)))),
            "images and files",
        ),
    ],
)  # fmt: skip
def test_what_has_no_place_is_a_warning(request_: Request, said: str) -> None:
    assert warnings(request_)[0].startswith(said)


def test_input_that_is_no_json_is_an_error_of_its_call_until_it_is_answered() -> None:
    turns = (assistant([ToolCallPart("a", "f", "{cut")]),)
    call = body(Request("m", turns))["messages"][0]["parts"][0]
    assert (call["state"], call["input"]) == ("output-error", "{cut")
    assert plain(parse_request(WIRE.build(Request("m", turns), {}).body, {}).request.messages)[0] == (
        "assistant", turns[0].parts,
    )  # fmt: skip
    answered = (*turns, Message("tool", (ToolResultPart("a", (TextPart("ok"),)),)))
    call = body(Request("m", answered))["messages"][0]["parts"][0]
    assert (call["state"], call["input"], call["output"]) == ("output-available", "{cut", "ok")


def test_a_result_that_was_changed_into_no_json_is_text() -> None:
    asked = page_body()
    parsed = parse_request(json.dumps(asked).encode(), {}).request
    results = next(one for one in parsed.messages if one.role == "tool")
    changed = msgspec.structs.replace(results.parts[0], parts=(TextPart("[removed]"),))
    turns = tuple(Message("tool", (changed,)) if one is results else one for one in parsed.messages)
    call = body(Request("m", turns))["messages"][1]["parts"][1]
    assert call["output"] == "[removed]"


def test_what_a_page_says_of_its_chat_is_no_other_protocols_business() -> None:
    parsed = parse_request(json.dumps(page_body(model="m")).encode(), {})
    for wire in ("openai_chat", "anthropic", "gemini", "openai_responses", "ollama"):
        built = wire_named(wire).build(parsed.request, {})
        assert not any("ui_messages" in said or "chat" in said for said in built.warnings), built.warnings
        assert b"u2" not in built.body


@pytest.mark.parametrize("version", VERSIONS)
def test_a_whole_reply_is_the_message_that_the_package_makes_of_the_stream(page: Page, version: int) -> None:
    says = Says("msg_1", "m", 5)
    parsed = parse_request(json.dumps(page_body()).encode(), {})
    stream = b"".join([*FRONT.encoder(says, parsed).feed(list(scripted.EVERYTHING))]).decode()
    theirs = page.read(version, stream=stream)["message"]
    ours = json.loads(FRONT.body(fold(scripted.EVERYTHING), says, parsed))
    for part in theirs["parts"]:
        if part["type"] == "reasoning":
            part.pop("id", None)
    of_the_start = {name: theirs["metadata"].pop(name) for name in ("model", "createdAt")}
    assert of_the_start == {"model": "m", "createdAt": 5000}
    assert theirs == ours
