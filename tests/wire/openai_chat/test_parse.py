"""A client's body -> Request: everything standard, and errors that name the field."""

from __future__ import annotations

import json
from typing import Any

import pytest

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
)
from headrace.core.opaque import Opaque
from headrace.core.request import GenerationSettings, ResponseFormat, Speech, Tool, ToolChoice
from headrace.errors import RequestError
from headrace.wire.openai_chat import ParsedRequest, parse_request

USER = {"role": "user", "content": "hi"}
WEATHER = {
    "type": "function",
    "function": {"name": "weather", "parameters": {"type": "object"}, "strict": True},
}


def parse(**fields: Any) -> ParsedRequest:
    return parse_request(json.dumps({"model": "m", "messages": [USER], **fields}).encode())


def one(**message: Any) -> Message:
    return parse(messages=[{"role": "user", **message}]).request.messages[0]


def test_the_least_there_can_be() -> None:
    parsed = parse()
    assert parsed.request.model == "m"
    assert parsed.request.messages == (Message("user", (TextPart("hi"),)),)
    assert parsed.request.settings == GenerationSettings()
    assert (parsed.stream, parsed.include_usage, parsed.warnings) == (False, False, ())


def test_every_setting() -> None:
    settings = {
        "max_tokens": 5, "temperature": 0.5, "top_p": 0.9, "top_k": 3, "min_p": 0.1, "frequency_penalty": -1,
        "presence_penalty": 1, "seed": 7, "logprobs": True, "top_logprobs": 2, "n": 2,
        "reasoning_effort": "low", "logit_bias": {"50256": -100},
    }  # fmt: skip
    got = parse(**settings, stop=["a", "b"], parallel_tool_calls=False, user="u").request
    assert got.settings == GenerationSettings(**settings, stop=("a", "b"))  # type: ignore[arg-type]
    assert (got.parallel_tool_calls, got.user, got.vendor) == (False, "u", None)
    assert parse(stop="a").request.settings.stop == ("a",)
    assert parse(stop=None, n=None, temperature=None).request.settings == GenerationSettings()


def test_streaming_and_its_usage() -> None:
    parsed = parse(stream=True, stream_options={"include_usage": True, "include_obfuscation": False})
    assert (parsed.stream, parsed.include_usage) == (True, True)


def test_the_newer_name_of_the_limit_wins() -> None:
    assert parse(max_completion_tokens=3).request.settings.max_tokens == 3
    both = parse(max_completion_tokens=3, max_tokens=4)
    assert both.request.settings.max_tokens == 3
    assert "max_tokens" in both.warnings[0]


def test_parts_of_every_kind() -> None:
    parts = one(
        content=[
            {"type": "text", "text": "look", "cache_control": {"type": "ephemeral"}},
            {"type": "image_url", "image_url": {"url": "https://x/y.png", "detail": "low"}},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAE="}},
            {"type": "input_audio", "input_audio": {"data": "AAE=", "format": "wav"}},
            {"type": "file", "file": {"file_id": "f-1"}},
            {"type": "file", "file": {"file_data": "data:application/pdf;base64,AAE=", "filename": "a.pdf"}},
        ]
    ).parts
    assert parts == (
        TextPart("look", Opaque("openai_chat", {"cache_control": {"type": "ephemeral"}})),
        ImagePart("https://x/y.png", detail="low"),
        ImagePart(data=b"\0\1", media_type="image/png"),
        AudioPart(b"\0\1", format="wav"),
        FilePart(file_id="f-1"),
        FilePart(b"\0\1", name="a.pdf", media_type="application/pdf"),
    )


def test_a_conversation_with_tools() -> None:
    history = [
        {"role": "developer", "content": "be brief"},
        {"role": "user", "content": "hi", "name": "ann"},
        {
            "role": "assistant",
            "content": None,
            "reasoning_content": "hm",
            "prefix": True,
            "tool_calls": [{"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
        },
        {
            "role": "tool",
            "tool_call_id": "a",
            "content": [{"type": "text", "text": "4"}, {"type": "text", "text": "2"}],
        },
        {"role": "assistant", "refusal": "no"},
        {"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]},
    ]
    messages = parse(messages=history).request.messages
    assert [one.role for one in messages] == [
        "developer",
        "user",
        "assistant",
        "tool",
        "assistant",
        "assistant",
    ]
    assert messages[1].name == "ann"
    reasoning, call = messages[2].parts
    assert reasoning == ReasoningPart("hm", Opaque("openai_chat", {"field": "reasoning_content"}))
    assert call == ToolCallPart("a", "f", "{}")
    assert messages[2].vendor == Opaque("openai_chat", {"prefix": True})
    (result,) = messages[3].parts
    assert isinstance(result, ToolResultPart)
    assert (result.id, result.text) == ("a", "42")
    assert messages[4].parts == messages[5].parts == (RefusalPart("no"),)


def test_the_legacy_functions() -> None:
    got = parse(
        functions=[{"name": "f"}],
        function_call={"name": "f"},
        messages=[
            USER,
            {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}},
            {"role": "function", "name": "f", "content": "42"},
        ],
    ).request
    assert got.tools == (Tool("f"),)
    assert got.tool_choice == ToolChoice("tool", "f")
    assert got.messages[1].parts == (
        ToolCallPart("f", "f", "{}", Opaque("openai_chat", {"field": "function_call"})),
    )
    (result,) = got.messages[2].parts
    assert isinstance(result, ToolResultPart)
    assert result.text == "42"


def test_tools_and_their_choice() -> None:
    custom = {"type": "custom", "custom": {"name": "sh", "description": "a shell"}}
    got = parse(
        tools=[WEATHER, custom], tool_choice={"type": "function", "function": {"name": "weather"}}
    ).request
    assert got.tools == (
        Tool("weather", "", {"type": "object"}, True),
        Tool("sh", "a shell", vendor=Opaque("openai_chat", custom)),
    )
    assert got.tool_choice == ToolChoice("tool", "weather")
    for mode in ("auto", "none", "required"):
        assert parse(tools=[WEATHER], tool_choice=mode).request.tool_choice == ToolChoice(mode)  # type: ignore[arg-type]
    assert parse(tool_choice="none").request.tool_choice == ToolChoice("none")


def test_forms_of_the_answer() -> None:
    schema = {
        "type": "json_schema",
        "json_schema": {"name": "n", "schema": {"type": "object"}, "strict": True},
    }
    assert parse(response_format=schema).request.response_format == ResponseFormat(
        "json_schema", "n", {"type": "object"}, True
    )
    assert parse(response_format={"type": "json_object"}).request.response_format == ResponseFormat(
        "json_object"
    )
    assert parse(response_format={"type": "text"}).request.response_format == ResponseFormat("text")


def test_what_has_no_place_is_kept_and_standard_fields_are_warned_about() -> None:
    parsed = parse(store=True, service_tier="auto", metadata={"a": "b"}, provider={"order": ["x"]})
    assert parsed.request.vendor == Opaque(
        "openai_chat",
        {"store": True, "service_tier": "auto", "metadata": {"a": "b"}, "provider": {"order": ["x"]}},
    )
    assert [warning.split()[0] for warning in parsed.warnings] == ["metadata", "store"]


def test_sound_asked_for() -> None:
    request = parse(modalities=["text", "audio"], audio={"voice": "coral", "format": "mp3"}).request
    assert (request.modalities, request.speech) == (("text", "audio"), Speech("coral", "mp3"))
    assert request.vendor is None
    asked = ["text", "audio", "smell"]
    own = parse(modalities=asked, audio={"voice": {"id": "v"}, "format": "wav"}).request
    assert (own.modalities, own.speech) == (("text", "audio"), Speech("", "wav"))


BAD = {
    "modalities no list": ({"modalities": "audio"}, "modalities"),
    "sound no object": ({"audio": "wav"}, "audio"),
    "sound's format no text": ({"audio": {"format": 1}}, "audio.format"),
    "no model": ({"model": ""}, "model"),
    "model missing": ({"model": None}, "model"),
    "no messages": ({"messages": []}, "messages"),
    "messages no list": ({"messages": "hi"}, "messages"),
    "message no object": ({"messages": ["hi"]}, "messages.0"),
    "role missing": ({"messages": [{"content": "hi"}]}, "messages.0.role"),
    "unknown role": ({"messages": [USER, {"role": "robot", "content": "hi"}]}, "messages.1.role"),
    "content a number": ({"messages": [{"role": "user", "content": 3}]}, "messages.0.content"),
    "content missing": ({"messages": [{"role": "user"}]}, "messages.0.content"),
    "content null": ({"messages": [{"role": "system", "content": None}]}, "messages.0.content"),
    "unknown part": (
        {"messages": [{"role": "user", "content": [{"type": "smell"}]}]},
        "messages.0.content.0.type",
    ),
    "part without type": (
        {"messages": [{"role": "user", "content": [{"text": "a"}]}]},
        "messages.0.content.0.type",
    ),
    "text a number": (
        {"messages": [{"role": "user", "content": [{"type": "text", "text": 1}]}]},
        "messages.0.content.0.text",
    ),
    "bad base64": (
        {"messages": [{"role": "user", "content": [
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,A"}}]}]},
        "messages.0.content.0.image_url.url",
    ),
    "data URL not base64": (
        {"messages": [{"role": "user", "content": [
            {"type": "image_url", "image_url": {"url": "data:image/png,xyz"}}]}]},
        "messages.0.content.0.image_url.url",
    ),
    "bad sound": (
        {"messages": [{"role": "user", "content": [
            {"type": "input_audio", "input_audio": {"data": "\u00e9", "format": "wav"}}]}]},
        "messages.0.content.0.input_audio.data",
    ),
    "tool without id": ({"messages": [{"role": "tool", "content": "4"}]}, "messages.0.tool_call_id"),
    "call without function": (
        {"messages": [{"role": "assistant", "tool_calls": [{"id": "a", "type": "function"}]}]},
        "messages.0.tool_calls.0.function",
    ),
    "call without arguments": (
        {"messages": [{"role": "assistant", "tool_calls": [{"id": "a", "function": {"name": "f"}}]}]},
        "messages.0.tool_calls.0.function.arguments",
    ),
    "temperature a text": ({"temperature": "hot"}, "temperature"),
    "temperature too high": ({"temperature": 2.1}, "temperature"),
    "top_p too high": ({"top_p": 1.5}, "top_p"),
    "penalty too low": ({"presence_penalty": -3}, "presence_penalty"),
    "max_tokens zero": ({"max_tokens": 0}, "max_tokens"),
    "max_completion_tokens negative": ({"max_completion_tokens": -1}, "max_completion_tokens"),
    "max_tokens a float": ({"max_tokens": 1.5}, "max_tokens"),
    "n zero": ({"n": 0}, "n"),
    "top_logprobs without logprobs": ({"top_logprobs": 2}, "top_logprobs"),
    "too many top_logprobs": ({"logprobs": True, "top_logprobs": 21}, "top_logprobs"),
    "five stops": ({"stop": ["a", "b", "c", "d", "e"]}, "stop"),
    "empty stop": ({"stop": [""]}, "stop"),
    "stop a number": ({"stop": 3}, "stop"),
    "bias too strong": ({"logit_bias": {"1": 101}}, "logit_bias.1"),
    "stream a text": ({"stream": "yes"}, "stream"),
    "stream options alone": ({"stream_options": {"include_usage": True}}, "stream_options"),
    "unknown format": ({"response_format": {"type": "xml"}}, "response_format.type"),
    "schema without name": (
        {"response_format": {"type": "json_schema", "json_schema": {}}},
        "response_format.json_schema.name",
    ),
    "tool without name": ({"tools": [{"type": "function", "function": {}}]}, "tools.0.function.name"),
    "unknown tool type": ({"tools": [{"type": "magic"}]}, "tools.0.type"),
    "choice of no tool": (
        {"tools": [WEATHER], "tool_choice": {"type": "function", "function": {"name": "x"}}},
        "tool_choice",
    ),
    "choice nobody knows": ({"tool_choice": "maybe"}, "tool_choice"),
    "a call required of nothing": ({"tool_choice": "required"}, "tool_choice"),
}  # fmt: skip


@pytest.mark.parametrize(("fields", "field"), BAD.values(), ids=BAD)
def test_a_bad_field_is_named(fields: Any, field: str) -> None:
    with pytest.raises(RequestError) as caught:
        parse(**fields)
    assert caught.value.field == field
    assert field in caught.value.message
    assert caught.value.http_status == 400


def test_a_missing_model_is_named() -> None:
    with pytest.raises(RequestError, match="model: is missing"):
        parse_request(b'{"messages": [{"role": "user", "content": "hi"}]}')


def test_the_error_quotes_the_value_shortly() -> None:
    with pytest.raises(RequestError) as caught:
        parse(temperature="x" * 500)
    assert '(it is "xxx' in caught.value.message
    assert len(caught.value.message) < 300


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":' * 100_000,
        b"",
        b"{",
        b'{"model": "m",}',
        b"\xff\xfe",
        b'{"model": "\xff"}',
        b"[1]",
        b"null",
        b"3",
    ],
)
def test_a_body_that_is_no_json_object(body: bytes) -> None:
    with pytest.raises(RequestError) as caught:
        parse_request(body)
    assert caught.value.code == "invalid_json"
    assert caught.value.message.startswith("the body")


def test_broken_json_names_the_place() -> None:
    with pytest.raises(RequestError, match="byte 15"):
        parse_request(b'{"model": "m", }')
