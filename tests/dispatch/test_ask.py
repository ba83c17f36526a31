"""A prompt, messages and keywords become a Request; what cannot is refused by name."""

from __future__ import annotations

from typing import Any

import pytest

from headrace.core.message import ImagePart, Message, TextPart, user
from headrace.core.request import GenerationSettings, ResponseFormat, Tool, ToolChoice
from headrace.dispatch.ask import build_request, read_ask
from headrace.errors import RequestError


def test_a_prompt_and_a_system_text() -> None:
    request = build_request("m", "hi", system="be brief", max_tokens=5, stop="END")
    assert [(m.role, m.text) for m in request.messages] == [("system", "be brief"), ("user", "hi")]
    assert request.settings == GenerationSettings(max_tokens=5, stop=("END",))


def test_messages_as_values_and_as_mappings() -> None:
    parts = [{"type": "text", "text": "what is"}, ImagePart(url="https://example.org/i.png")]
    request = build_request("m", messages=[user("a"), {"role": "user", "content": parts, "name": "ann"}])
    assert request.messages[0] == user("a")
    assert request.messages[1] == Message(
        "user", (TextPart("what is"), ImagePart(url="https://example.org/i.png")), "ann"
    )


def test_a_preset_yields_to_what_is_said_beside_it() -> None:
    request = build_request("m", "x", preset="precise", temperature=9.0, top_p=None)
    assert request.settings.temperature == 2.0  # clamped
    assert request.settings.top_p == GenerationSettings.preset("precise").top_p


def test_tools_choices_and_formats() -> None:
    schema = {"title": "person", "type": "object"}
    shape = {"type": "function", "function": {"name": "b", "parameters": {"type": "object"}}}
    request = build_request("m", "x", tools=[Tool("a"), shape], tool_choice="b", response_format=schema)
    assert request.tools == (Tool("a"), Tool("b", parameters={"type": "object"}))
    assert request.tool_choice == ToolChoice("tool", "b")
    assert request.response_format == ResponseFormat("json_schema", "person", schema)
    assert build_request("m", "x", tool_choice="required").tool_choice == ToolChoice("required")


def test_choices_and_formats_as_openais_users_write_them() -> None:
    named = {"type": "function", "function": {"name": "b"}}
    told = {"name": "person", "schema": {"type": "object"}, "strict": True}
    form = {"type": "json_schema", "json_schema": told}
    request = build_request("m", "x", tools=[Tool("b")], tool_choice=named, response_format=form)
    assert request.tool_choice == ToolChoice("tool", "b")
    assert request.response_format == ResponseFormat("json_schema", "person", {"type": "object"}, True)
    for kind in ("text", "json_object"):
        assert build_request("m", "x", response_format={"type": kind}).response_format == ResponseFormat(kind)


def test_a_function_among_the_tools_is_told_who_runs_it() -> None:
    with pytest.raises(RequestError, match="run_tools"):
        build_request("m", "x", tools=[print])  # type: ignore[list-item]


@pytest.mark.parametrize(
    ("ask", "field"),
    [
        ({}, "prompt"),
        ({"prompt": "a", "messages": [user("b")]}, "prompt"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "robot", "content": "x"}]}, "messages.0.role"),
        ({"messages": [user("a"), {"role": "user", "content": 5}]}, "messages.1.content"),
        ({"messages": [{"role": "user", "content": [{"type": "smell"}]}]}, "messages.0.content.0.type"),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "messages.0.content"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image", "image": "https://x.org/i.png"}]}]},
            "messages.0.content.0.image",
        ),
        (
            {
                "messages": [
                    {
                        "role": "tool",
                        "content": [
                            {"type": "tool-result", "id": "a", "parts": [{"type": "text", "txt": "x"}]}
                        ],
                    }
                ]
            },
            "messages.0.content.0.parts.0.txt",
        ),
        ({"messages": [{"role": "user", "content": "x", "mood": "good"}]}, "messages.0.mood"),
        ({"prompt": "x", "preset": "wild"}, "preset"),
        ({"prompt": "x", "tools": [{"name": "a", "prameters": {}}]}, "tools.0.prameters"),
        ({"prompt": "x", "tools": [{"name": 5}]}, "tools.0"),
        ({"prompt": "x", "tools": [3]}, "tools.0"),
        ({"prompt": "x", "tools": [{"function": 3}]}, "tools.0"),
        ({"prompt": "x", "tools": [print]}, "tools.0"),
        ({"prompt": "x", "tool_choice": 3}, "tool_choice"),
        ({"prompt": "x", "tool_choice": {"type": "function", "function": {}}}, "tool_choice"),
        ({"prompt": "x", "system": 3}, "system"),
        ({"prompt": "x", "temprature": 1}, "temprature"),
        ({"prompt": "x", "max_tokens": "3"}, "max_tokens"),
        ({"prompt": "x", "stop": 3}, "stop"),
        ({"prompt": "x", "response_format": "json"}, "response_format"),
        ({"prompt": "x", "response_format": {"type": "json_schema"}}, "response_format.json_schema"),
        (
            {
                "prompt": "x",
                "response_format": {"type": "json_schema", "json_schema": {"schema": {}, "mood": 1}},
            },
            "response_format.json_schema.mood",
        ),
        (
            {
                "prompt": "x",
                "response_format": {"type": "json_schema", "json_schema": {"schema": {}, "name": 1}},
            },
            "response_format",
        ),
        ({"prompt": 5}, "prompt"),
        ({"messages": "hello"}, "messages"),
        ({"messages": [7]}, "messages.0"),
    ],
)
def test_what_cannot_be_asked_is_named(ask: dict[str, Any], field: str) -> None:
    with pytest.raises(RequestError) as caught:
        build_request("m", ask.pop("prompt", None), **ask)
    assert caught.value.field == field


def test_a_misspelt_setting_is_told_the_right_one() -> None:
    with pytest.raises(RequestError, match="did you mean temperature"):
        build_request("m", "x", temprature=1)  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("name", "way"),
    [
        ("timeout", "clocks"),
        ("api_key", "headrace.toml"),
        ("base_url", "headrace.toml"),
        ("stream", "stream_text"),
    ],
)
def test_a_keyword_of_another_toolkit_is_told_where_it_went(name: str, way: str) -> None:
    with pytest.raises(RequestError, match=f"nothing is called '{name}' here: .*{way}") as caught:
        build_request("m", "x", **{name: 1})  # type: ignore[misc]
    assert caught.value.field == name


def test_a_model_that_is_no_text_is_named() -> None:
    with pytest.raises(RequestError) as caught:
        build_request(3, "x")  # type: ignore[arg-type]
    assert caught.value.field == "model"


def test_what_was_moved_into_its_range_is_told() -> None:
    request, warnings = read_ask("m", "x", temperature=9, max_tokens=-1)
    assert (request.settings.temperature, request.settings.max_tokens) == (2, 1)
    assert len(warnings) == 2
    assert any("temperature was moved from 9" in warning for warning in warnings)
