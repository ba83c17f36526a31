"""Requests both ways: what a client may send, what a provider gets, and that nothing is lost between."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest
from openai.types.responses import ResponseInputItemParam
from pydantic import TypeAdapter
from tests.wire.openai_responses.events import CREATED, added, completed, item_done, message, reply, text

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
from headrace.errors import RequestError
from headrace.wire.openai_responses import build, parse_request

_ITEM: TypeAdapter[Any] = TypeAdapter(ResponseInputItemParam)
SCHEMA = {"type": "object", "properties": {"x": {"type": "integer"}}}
IMAGE = "data:image/png;base64," + b64encode(b"png").decode()


def built(request: Request, **quirks: Any) -> tuple[Any, tuple[str, ...]]:
    made = build(request, quirks)
    assert made.path == "/responses"
    body = json.loads(made.body)
    for item in body["input"]:
        _ITEM.validate_python(item)
    return body, made.warnings


def parsed(**fields: Any) -> Any:
    return parse_request(json.dumps({"model": "m", "input": "hi", **fields}).encode())


def again(**fields: Any) -> Any:
    """A client's body, as a provider of the same protocol gets it."""
    return json.loads(build(parsed(**fields).request, {}).body)


def test_a_plain_question() -> None:
    body, warnings = built(Request("m", (system("be short"), user("hi"))))
    assert body == {
        "model": "m",
        "instructions": "be short",
        "input": [{"type": "message", "role": "user", "content": "hi"}],
        "stream": True,
        "store": False,
    }
    assert warnings == ()


def test_every_setting_has_its_field_or_a_warning() -> None:
    settings = GenerationSettings(
        max_tokens=9, temperature=0.5, top_p=0.9, reasoning_effort="high", logprobs=True, top_logprobs=2,
        top_k=3, min_p=0.1, frequency_penalty=1.0, presence_penalty=1.0, seed=4, stop=("x",), n=2,
        logit_bias={"1": 1.0},
    )  # fmt: skip
    body, warnings = built(Request("m", (user("hi"),), settings, user="u"), extra=["seed"])
    assert (body["max_output_tokens"], body["temperature"]) == (9, 0.5)
    assert (body["top_p"], body["top_logprobs"]) == (0.9, 2)
    assert body["reasoning"] == {"effort": "high"}
    assert body["include"] == ["reasoning.encrypted_content", "message.output_text.logprobs"]
    assert (body["user"], body["seed"]) == ("u", 4)
    left = ("top_k", "min_p", "frequency_penalty", "presence_penalty", "logit_bias", "stop", "n")
    assert sorted(one.split()[0] for one in warnings) == sorted(left)


def test_quirks_of_a_place() -> None:
    request = Request("m", (system("s"), user("hi")), GenerationSettings(reasoning_effort="low"))
    body, warnings = built(
        request, no_store=True, no_instructions=True, drop=["reasoning"], encrypted_reasoning=False
    )
    assert {"store", "instructions", "reasoning", "include"}.isdisjoint(body)
    assert body["input"][0]["role"] == "system"
    assert len(warnings) == 1


def test_tools_their_choice_and_structured_output() -> None:
    tools = (Tool("f", "does f", SCHEMA), Tool("g", strict=True))
    wanted = ResponseFormat("json_schema", "point", SCHEMA, True)
    body, _ = built(
        Request("m", (user("hi"),), tools=tools, tool_choice=ToolChoice("tool", "f"),
                parallel_tool_calls=False, response_format=wanted)
    )  # fmt: skip
    assert body["tools"] == [
        {"type": "function", "name": "f", "description": "does f", "parameters": SCHEMA, "strict": False},
        {"type": "function", "name": "g", "parameters": {"type": "object", "properties": {}}, "strict": True},
    ]
    assert body["tool_choice"] == {"type": "function", "name": "f"}
    assert body["parallel_tool_calls"] is False
    form = {"type": "json_schema", "name": "point", "schema": SCHEMA, "strict": True}
    assert body["text"] == {"format": form}


def test_turns_become_items() -> None:
    turns = (
        user([TextPart("look"), ImagePart("http://i", detail="low"),
              ImagePart(data=b"png", media_type="image/png"),
              FilePart(b"pdf", name="a.pdf", media_type="application/pdf"),
              FilePart(url="http://f"), FilePart(file_id="file_1")]),
        assistant([TextPart("ok"), ToolCallPart("c1", "f", '{"x":1}'), ToolCallPart("c2", "g")]),
        Message("tool", (ToolResultPart("c1", (TextPart("1"),)),)),
        Message("tool", (ToolResultPart("c2", (TextPart("a"), ImagePart("http://i"))),)),
        assistant([RefusalPart("no")]),
    )  # fmt: skip
    body, warnings = built(Request("m", turns))
    items = body["input"]
    assert [one["type"] for one in items] == [
        "message", "message", "function_call", "function_call",
        "function_call_output", "function_call_output", "message",
    ]  # fmt: skip
    assert [one["type"] for one in items[0]["content"]] == [
        "input_text", "input_image", "input_image", "input_file", "input_file", "input_file",
    ]  # fmt: skip
    assert items[0]["content"][2]["image_url"] == IMAGE
    assert items[1]["content"] == "ok"
    assert (items[2]["call_id"], items[3]["arguments"]) == ("c1", "{}")
    assert items[4]["output"] == "1"
    assert [one["type"] for one in items[5]["output"]] == ["input_text", "input_image"]
    assert items[6]["content"] == [{"type": "refusal", "refusal": "no"}]
    assert warnings == ()


def test_what_cannot_be_said_is_a_warning() -> None:
    turns = (
        user([AudioPart(b"wav", format="wav")]),
        Message("user", (TextPart("x"),), name="Ann"),
        assistant([ReasoningPart("hm"), TextPart("a")]),
        Message("tool", (ToolResultPart("c", (TextPart("e"),), is_error=True),)),
    )
    vendor = Opaque("openai_chat", {"logit": 1})
    _, warnings = built(Request("m", turns, vendor=vendor))
    assert [one.split(" ")[0] for one in warnings] == ["sound", "a", "reasoning", "that", "logit"]


def test_reasoning_goes_back_as_text_where_a_place_takes_that() -> None:
    body, warnings = built(
        Request("m", (assistant([ReasoningPart("hm"), TextPart("a")]),)), reasoning_input=True
    )
    assert body["input"][0]["content"] == [{"type": "reasoning_text", "text": "hm"}]
    assert warnings == ()


def test_encrypted_reasoning_and_calls_go_back_as_they_came() -> None:
    whole = [{"type": "summary_text", "text": "one"}, {"type": "summary_text", "text": "two"}]
    thought = {"id": "rs", "type": "reasoning", "summary": whole, "encrypted_content": "gAAA"}
    call = {
        "id": "fc",
        "type": "function_call",
        "call_id": "c",
        "name": "f",
        "arguments": "{}",
        "namespace": "n",
    }
    given = reply(CREATED, added(thought), item_done(thought), item_done(call, 1), text("hi", at=2),
                  completed(thought, call, message("hi")))  # fmt: skip
    body, warnings = built(Request("m", (user("q"), given.message)))
    assert body["input"][1:3] == [thought, call]
    assert body["include"] == ["reasoning.encrypted_content"]
    assert warnings == ()


def test_what_a_client_sends_reaches_a_provider_of_the_same_protocol() -> None:
    items: list[dict[str, Any]] = [
        {"type": "message", "role": "developer", "content": "d"},
        {"role": "user", "content": [{"type": "input_text", "text": "q"},
                                     {"type": "input_image", "image_url": IMAGE, "detail": "high"}]},
        {"type": "reasoning", "id": "rs", "encrypted_content": "g",
         "summary": [{"type": "summary_text", "text": "s"}]},
        {"type": "web_search_call", "id": "ws", "status": "completed",
         "action": {"type": "search", "query": "q"}},
        {"type": "message", "id": "msg", "role": "assistant", "status": "completed", "phase": "commentary",
         "content": [{"type": "output_text", "text": "t", "annotations": []}]},
        {"type": "function_call", "id": "fc", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "custom_tool_call", "id": "ct", "call_id": "d", "name": "sql", "input": "SELECT"},
        {"type": "function_call_output", "call_id": "c", "output": "1"},
        {"type": "custom_tool_call_output", "call_id": "d", "output": "2"},
        {"type": "item_reference", "id": "x"},
    ]  # fmt: skip
    tools = [
        {"type": "function", "name": "f", "parameters": SCHEMA, "strict": True},
        {"type": "custom", "name": "sql", "description": "runs"},
        {"type": "web_search", "search_context_size": "low"},
    ]
    body = again(
        input=items, instructions="i", tools=tools, tool_choice={"type": "custom", "name": "sql"}, store=True,
        reasoning={"effort": "low", "summary": "auto"}, text={"format": {"type": "text"}, "verbosity": "low"},
        metadata={"a": "b"}, include=["web_search_call.action.sources"], truncation="auto", max_tool_calls=3,
    )  # fmt: skip
    sent = [{**one} for one in items]
    sent[1] = {"type": "message", **sent[1]}
    assert body["input"] == sent
    assert body["tools"] == tools
    assert body["tool_choice"] == {"type": "custom", "name": "sql"}
    assert body["reasoning"] == {"effort": "low", "summary": "auto"}
    assert body["text"] == {"format": {"type": "text"}, "verbosity": "low"}
    assert (body["instructions"], body["store"], body["truncation"], body["max_tool_calls"]) == (
        "i",
        True,
        "auto",
        3,
    )
    assert body["include"] == ["web_search_call.action.sources"]


def test_what_a_client_sends_as_others_get_it() -> None:
    items = [
        {"type": "reasoning", "id": "rs", "summary": [{"type": "summary_text", "text": "s"}]},
        {"role": "assistant", "content": "t"},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "custom_tool_call", "call_id": "d", "name": "sql", "input": "SELECT"},
        {"type": "function_call_output", "call_id": "c", "output": [{"type": "input_text", "text": "1"}]},
        {"role": "user", "content": [{"type": "input_file", "file_data": "data:application/pdf;base64,cGRm",
                                      "filename": "a.pdf"}]},
    ]  # fmt: skip
    got = parsed(input=items, instructions="i", stream=True, max_output_tokens=5,
                 tools=[{"type": "custom", "name": "sql"}, {"type": "web_search"}],
                 text={"format": {"type": "json_schema", "name": "p", "schema": SCHEMA}},
                 reasoning={"effort": "low"}, top_logprobs=2)  # fmt: skip
    request = got.request
    assert got.stream
    assert [one.role for one in request.messages] == ["system", "assistant", "tool", "user"]
    said = request.messages[1].parts
    assert [type(one) for one in said] == [ReasoningPart, TextPart, ToolCallPart, ToolCallPart]
    assert said[3].arguments == '{"input":"SELECT"}'
    assert request.messages[2].parts[0].text == "1"
    (file,) = request.messages[3].parts
    assert (file.data, file.name, file.media_type) == (b"pdf", "a.pdf", "application/pdf")
    assert (request.settings.max_tokens, request.settings.reasoning_effort) == (5, "low")
    assert (request.settings.logprobs, request.settings.top_logprobs) == (True, 2)
    assert request.response_format == ResponseFormat("json_schema", "p", SCHEMA)
    assert [one.name for one in request.tools] == ["sql"]
    assert request.tools[0].parameters["required"] == ["input"]
    assert got.warnings == (
        "tools.1 (web_search) has an effect only at a provider that speaks this protocol",
    )


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"model": ""}, "model"),
        ({"model": 3}, "model"),
        ({"input": ""}, "input"),
        ({"input": [3]}, "input.0"),
        ({"input": [{"role": "boss", "content": "x"}]}, "input.0.role"),
        ({"input": [{"role": "user"}]}, "input.0.content"),
        ({"input": [{"role": "user", "content": [{"type": "x"}]}]}, "input.0.content.0.type"),
        ({"input": [{"role": "user", "content": [{"type": "input_text"}]}]}, "input.0.content.0.text"),
        ({"input": [{"role": "user", "content": [{"type": "input_image"}]}]}, "input.0.content.0.image_url"),
        ({"input": [{"role": "user", "content": [{"type": "input_image", "image_url": "data:x"}]}]},
         "input.0.content.0.image_url"),
        ({"input": [{"type": "function_call", "call_id": "c"}]}, "input.0.name"),
        ({"input": [{"type": "function_call_output", "call_id": "c"}]}, "input.0.output"),
        ({"input": [{"type": "reasoning", "summary": [3]}]}, "input.0.summary.0"),
        ({"previous_response_id": "r"}, "previous_response_id"),
        ({"conversation": "c"}, "conversation"),
        ({"temperature": 3}, "temperature"),
        ({"max_output_tokens": 0}, "max_output_tokens"),
        ({"tools": [{"type": "function"}]}, "tools.0.name"),
        ({"tool_choice": "maybe"}, "tool_choice"),
        ({"tool_choice": {"type": "function", "name": "f"}}, "tool_choice.name"),
        ({"text": {"format": {"type": "xml"}}}, "text.format.type"),
        ({"text": {"format": {"type": "json_schema"}}}, "text.format.schema"),
    ],
)  # fmt: skip
def test_a_request_at_fault_names_its_field(fields: Any, field: str) -> None:
    with pytest.raises(RequestError) as caught:
        parsed(**fields)
    assert caught.value.field == field


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"input":"x"}', b"\xff"])
def test_a_body_that_is_no_request(body: bytes) -> None:
    with pytest.raises(RequestError):
        parse_request(body)


def test_sound_is_sent_where_a_place_takes_it() -> None:
    made = build(Request("m", (user([AudioPart(b"wav", format="wav")]),)), {"audio_input": True})
    (part,) = json.loads(made.body)["input"][0]["content"]
    assert part == {"type": "input_audio", "input_audio": {"data": "d2F2", "format": "wav"}}
    back = parsed(input=[{"role": "user", "content": [part]}]).request.messages[0]
    assert back.parts == (AudioPart(b"wav", format="wav"),)
