"""Request -> the vendor's body, quirks, and a client's own body readdressed."""

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
    assistant,
    user,
)
from headrace.core.opaque import Opaque
from headrace.core.request import GenerationSettings, Request, ResponseFormat, Tool, ToolChoice
from headrace.errors import RequestError
from headrace.wire import wire_named
from headrace.wire.openai_chat.request import build, parse_request, rebody


def body(request: Request, **quirks: Any) -> Any:
    return json.loads(build(request, quirks).body)


def sent(*parts: Any, **quirks: Any) -> tuple[Any, tuple[str, ...]]:
    """The message that carries `parts`, and the warnings."""
    built = build(Request("m", (Message("assistant", parts),)), quirks)
    return json.loads(built.body)["messages"][0], built.warnings


def readdressed(body: bytes, model: str, quirks: Any) -> bytes:
    """The client's body for `model`, which is one that can be relayed."""
    out = rebody(body, model, quirks)
    assert out is not None
    return out


def settings(**given: Any) -> Request:
    return Request("m", (user("hi"),), GenerationSettings(**given))


def test_the_least_there_can_be() -> None:
    built = build(Request("m", (user("hi"),)), {})
    assert (built.path, built.warnings) == ("/chat/completions", ())
    assert json.loads(built.body) == {
        "model": "m",
        "messages": [{"role": "user", "content": "hi"}],
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_parts_have_their_places() -> None:
    message, warnings = sent(
        TextPart("a"),
        RefusalPart("no"),
        ReasoningPart("hm"),
        ToolCallPart("", "f", "{}"),
        reasoning_field="thoughts",
    )
    assert message == {
        "role": "assistant",
        "content": [{"type": "text", "text": "a"}, {"type": "refusal", "refusal": "no"}],
        "thoughts": "hm",
        "tool_calls": [{"id": "call_0", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
    }
    assert warnings == ()


def test_each_tool_result_is_a_message_of_its_own() -> None:
    both = Message("tool", (ToolResultPart("a", (TextPart("1"),)), ToolResultPart("b")))
    assert body(Request("m", (both,)))["messages"] == [
        {"role": "tool", "tool_call_id": "a", "content": "1"},
        {"role": "tool", "tool_call_id": "b", "content": ""},
    ]


def test_an_empty_message_has_empty_content() -> None:
    assert sent()[0] == {"role": "assistant", "content": ""}


def test_what_has_no_place_is_a_warning_once() -> None:
    message, warnings = sent(
        AudioPart(url="https://x"),
        AudioPart(url="https://y"),
        FilePart(url="https://z"),
        ReasoningPart("hm"),
        ImagePart(data=b"\0"),
    )
    assert [part["type"] for part in message["content"]] == ["image_url"]
    assert [warning.split(" ")[0] for warning in warnings] == ["sound", "a", "reasoning"]
    failed = Message("tool", (ToolResultPart("a", (TextPart("1"),), is_error=True),))
    assert len(build(Request("m", (failed,)), {}).warnings) == 1


def test_quirks() -> None:
    assert (
        body(settings(max_tokens=3), max_tokens_field="max_completion_tokens")["max_completion_tokens"] == 3
    )
    assert "stream_options" not in body(settings(), no_stream_options=True)
    spoken = Request("m", (Message("developer", (TextPart("be brief"),)),))
    assert body(spoken, no_developer_role=True)["messages"][0]["role"] == "system"
    assert body(spoken)["messages"][0]["role"] == "developer"
    assert body(settings(top_k=3, min_p=0.1), extra=["top_k", "min_p"])["top_k"] == 3


@pytest.mark.parametrize(
    ("given", "quirks", "name"),
    [
        ({"top_k": 3}, {}, "top_k"),
        ({"min_p": 0.1}, {"extra": ["top_k"]}, "min_p"),
        ({"reasoning_effort": "low"}, {"reasoning_effort": False}, "reasoning_effort"),
        ({"seed": 3}, {"drop": ["seed", "user"]}, "seed"),
    ],
)
def test_a_setting_that_the_provider_cannot_take_is_left_out_with_a_warning(
    given: Any, quirks: Any, name: str
) -> None:
    built = build(settings(**given), quirks)
    assert name not in json.loads(built.body)
    assert [warning.split()[0] for warning in built.warnings] == [name]


def test_fields_of_another_wire_are_warned_about() -> None:
    built = build(Request("m", (user("hi"),), vendor=Opaque("another", {"thinking": 1})), {})
    assert "thinking" not in json.loads(built.body)
    assert "another" in built.warnings[0]


def test_forms_and_choices() -> None:
    asked = Request(
        "m",
        (user("hi"), assistant("yes")),
        tools=(Tool("f"),),
        tool_choice=ToolChoice("required"),
        response_format=ResponseFormat("json_schema", schema={"type": "object"}),
    )
    built = body(asked)
    assert built["tool_choice"] == "required"
    assert built["response_format"]["json_schema"] == {"name": "answer", "schema": {"type": "object"}}


def test_a_body_readdressed_keeps_the_bytes_of_every_other_field() -> None:
    original = (
        b'{"model": "alias", "temperature": 0.10, "messages": [{"role":  "user", "content": "\\u00e9"}]}'
    )
    out = readdressed(original, "real", {})
    assert b'"temperature":0.10' in out
    assert b'[{"role":  "user", "content": "\\u00e9"}]' in out
    assert json.loads(out) == {
        **json.loads(original),
        "model": "real",
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_a_body_readdressed_follows_the_quirks() -> None:
    original = (
        b'{"model": "m", "stream": false, "max_tokens": 3,'
        b' "stream_options": {"include_usage": false, "x": 1}}'
    )
    assert json.loads(readdressed(original, "m", {})) == {
        "model": "m",
        "stream": True,
        "stream_options": {"include_usage": True, "x": 1},
        "max_tokens": 3,
    }
    renamed = json.loads(
        readdressed(original, "m", {"max_tokens_field": "max_completion_tokens", "no_stream_options": True})
    )
    assert renamed == {"model": "m", "stream": True, "max_completion_tokens": 3}
    null = json.loads(readdressed(b'{"model": "m", "stream_options": null}', "m", {}))
    assert null["stream_options"] == {"include_usage": True}


@pytest.mark.parametrize("broken", [b"{", b"[]", b'{"stream_options": 3}'])
def test_a_body_that_cannot_be_readdressed_is_a_request_error(broken: bytes) -> None:
    with pytest.raises(RequestError):
        rebody(broken, "m", {})


def test_the_wire_is_complete() -> None:
    wire = wire_named("openai_chat")
    assert (wire.name, wire.content_type) == ("openai_chat", "text/event-stream")
    assert wire.build is build
    assert wire.rebody is rebody
    assert wire.relay is not None
    assert wire.relay(True).usage is None
    assert wire.decoder().close()[0].is_complete
    assert wire.failure(500, {}, b"", "up").kind == "unavailable"


@pytest.mark.parametrize(
    ("quirks", "fields", "relays"),
    [
        ({"drop": ["store", "seed"]}, {"seed": 7}, False),
        ({"drop": ["store", "seed"]}, {"seed": None}, False),
        ({"drop": ["store", "seed"]}, {"temperature": 1}, True),
        ({"drop": ["stream_options"]}, {}, False),
        ({"reasoning_effort": False}, {"reasoning_effort": "low"}, False),
        ({"reasoning_effort": False}, {}, True),
        ({"no_developer_role": True}, {"messages": [{"role": "developer", "content": "x"}]}, False),
        ({"no_developer_role": True}, {"messages": [{"role": "system", "content": "x"}]}, True),
    ],
)
def test_what_a_provider_refuses_is_not_relayed_but_translated(
    quirks: dict[str, Any], fields: dict[str, Any], relays: bool
) -> None:
    original = json.dumps({"model": "m", "messages": [{"role": "user", "content": "x"}], **fields}).encode()
    assert (rebody(original, "m", quirks) is not None) is relays
    if not relays:
        translated = json.loads(build(parse_request(original).request, quirks).body)
        assert not set(translated) & {*quirks.get("drop", ()), "reasoning_effort"}
        assert "developer" not in json.dumps(translated)
