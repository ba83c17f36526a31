"""Clients' bodies: read whole, refused by the field's name, and the same again when built."""

from __future__ import annotations

import json
from typing import Any

import pytest
from anthropic.types import MessageTokensCount

from headrace.core.message import FilePart, ImagePart, ReasoningPart, TextPart, ToolCallPart, ToolResultPart
from headrace.core.opaque import Opaque
from headrace.core.request import Request, ResponseFormat, ToolChoice
from headrace.errors import RequestError
from headrace.wire.anthropic import WIRE, count_body, parse_count, parse_request
from headrace.wire.base import ParsedRequest

SAMPLING = {"sampling": ("temperature", "top_p", "top_k")}
CACHE = {"type": "ephemeral"}
EVERYTHING: dict[str, Any] = {
    "model": "claude",
    "max_tokens": 50,
    "stream": True,
    "system": [{"type": "text", "text": "be brief", "cache_control": CACHE}],
    "messages": [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "look", "cache_control": CACHE},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}},
                {"type": "image", "source": {"type": "url", "url": "http://i"}},
                {"type": "image", "source": {"type": "file", "file_id": "f_1"}},
                {
                    "type": "document", "title": "T", "citations": {"enabled": True},
                    "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERg=="},
                },
                {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "plain"}},
                {
                    "type": "document",
                    "source": {"type": "content", "content": [{"type": "text", "text": "c"}]},
                },
                {
                    "type": "search_result", "source": "s", "title": "t",
                    "content": [{"type": "text", "text": "found"}],
                },
                {"type": "container_upload", "file_id": "f_2"},
            ],
        },
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "hm", "signature": "sig"},
                {"type": "redacted_thinking", "data": "xyz"},
                {"type": "server_tool_use", "id": "s_1", "name": "web_search", "input": {"query": "q"}},
                {"type": "web_search_tool_result", "tool_use_id": "s_1", "content": []},
                {"type": "text", "text": "so", "citations": [{"type": "char_location", "cited_text": "x"}]},
                {
                    "type": "tool_use", "id": "t_1", "name": "f", "input": {"x": 1},
                    "caller": {"type": "direct"},
                },
            ],
        },
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result", "tool_use_id": "t_1", "is_error": True, "cache_control": CACHE,
                    "content": [
                        {"type": "text", "text": "a"}, {"type": "tool_reference", "tool_name": "g"},
                        {"type": "image", "source": {"type": "url", "url": "http://r"}},
                    ],
                },
                {"type": "text", "text": "and?"},
            ],
        },
        {"role": "system", "content": "careful now"},
        {"role": "assistant", "content": "So far"},
    ],
    "temperature": 0.5,
    "top_p": 0.9,
    "top_k": 5,
    "stop_sequences": ["END"],
    "thinking": {"type": "enabled", "budget_tokens": 2000},
    "output_config": {"effort": "high", "format": {"type": "json_schema", "schema": {"type": "object"}}},
    "tools": [
        {
            "name": "f", "description": "d", "input_schema": {"type": "object"}, "strict": True,
            "cache_control": CACHE,
        },
        {"type": "web_search_20250305", "name": "web_search", "max_uses": 2},
    ],
    "tool_choice": {"type": "tool", "name": "f", "disable_parallel_tool_use": True},
    "metadata": {"user_id": "u"},
    "service_tier": "auto",
    "container": "c_1",
    "brand_new": {"a": 1},
}  # fmt: skip


def parse(**changes: Any) -> ParsedRequest:
    body = {"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}], **changes}
    return parse_request(
        json.dumps({name: value for name, value in body.items() if value is not ...}).encode()
    )


def test_everything_comes_back_when_built() -> None:
    parsed = parse_request(json.dumps(EVERYTHING).encode())
    built = WIRE.build(parsed.request, SAMPLING)
    body = json.loads(built.body)
    assert built.warnings == ()
    assert body == EVERYTHING
    assert parsed.stream
    assert parsed.include_usage
    assert list(parsed.warnings) == [
        "container has an effect only at a provider that speaks this protocol",
        "tool web_search has an effect only at a provider that speaks this protocol",
    ]


def test_everything_is_understood() -> None:
    request = parse_request(json.dumps(EVERYTHING).encode()).request
    roles = [one.role for one in request.messages]
    assert roles == ["system", "user", "assistant", "tool", "user", "system", "assistant"]
    first = request.messages[1].parts
    assert (first[1], first[2]) == (ImagePart("", b"hi", "image/png"), ImagePart("http://i"))
    pdf, plain, content, found, upload = first[4:]
    assert isinstance(pdf, FilePart)
    assert (pdf.data, pdf.name, pdf.media_type) == (b"%PDF", "T", "application/pdf")
    assert plain == FilePart(b"plain", media_type="text/plain")
    assert isinstance(content, TextPart)
    assert isinstance(found, TextPart)
    assert (content.text, found.text) == ("c", "t\ns\nfound")
    assert isinstance(upload, FilePart)
    assert upload.file_id == "f_2"
    thought, *_, call = request.messages[2].parts
    assert thought == ReasoningPart("hm", Opaque("anthropic", {"signature": "sig"}))
    assert isinstance(call, ToolCallPart)
    assert (call.id, call.name, call.arguments) == ("t_1", "f", '{"x":1}')
    (result,) = request.messages[3].parts
    assert isinstance(result, ToolResultPart)
    assert (result.id, result.text, result.is_error) == ("t_1", "a", True)
    settings = request.settings
    assert (settings.max_tokens, settings.temperature, settings.top_p, settings.top_k) == (50, 0.5, 0.9, 5)
    assert (settings.stop, settings.reasoning_effort) == (("END",), "high")
    assert [one.name for one in request.tools] == ["f"]
    assert request.tool_choice == ToolChoice("tool", "f")
    assert request.parallel_tool_calls is False
    assert request.response_format == ResponseFormat("json_schema", "", {"type": "object"})
    assert request.user == "u"


@pytest.mark.parametrize(
    ("thinking", "effort"),
    [
        ({"type": "disabled"}, "none"), ({"type": "adaptive"}, None),
        ({"type": "enabled", "budget_tokens": 1024}, "minimal"),
        ({"type": "enabled", "budget_tokens": 8000}, "medium"),
        ({"type": "enabled", "budget_tokens": 10**9}, "max"), ({"type": "enabled"}, None),
    ],
)  # fmt: skip
def test_a_budget_is_an_effort_elsewhere_and_itself_here(thinking: Any, effort: str | None) -> None:
    request = parse(thinking=thinking).request
    assert request.settings.effort == effort
    assert request.settings.reasoning_budget_tokens == thinking.get("budget_tokens")
    assert json.loads(WIRE.build(request, {}).body)["thinking"] == thinking


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"model": ...}, "model"),
        ({"model": ""}, "model"),
        ({"max_tokens": ...}, "max_tokens"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages.0.role"),
        ({"messages": [{"role": "user"}]}, "messages.0.content"),
        ({"messages": [{"role": "user", "content": [{"text": "x"}]}]}, "messages.0.content.0.type"),
        (
            {"messages": [{"role": "user", "content": [{"type": "text", "text": 5}]}]},
            "messages.0.content.0.text",
        ),
        (
            {"messages": [{"role": "user", "content": [
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "???"}}]}]},
            "messages.0.content.0.source.data",
        ),
        ({"temperature": 1.5}, "temperature"),
        ({"top_p": -1}, "top_p"),
        ({"stop_sequences": [" "]}, "stop_sequences"),
        ({"tools": [{"name": "f"}]}, "tools.0.input_schema"),
        ({"tools": [{"input_schema": {}}]}, "tools.0.name"),
        ({"tool_choice": {"type": "tool", "name": "g"}}, "tool_choice.name"),
        ({"tool_choice": {"type": "always"}}, "tool_choice.type"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_by_its_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(RequestError) as caught:
        parse(**changes)
    assert caught.value.field == field
    assert field in caught.value.message


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(RequestError):
        parse_request(body)


def test_the_older_place_of_the_format() -> None:
    wanted = {"type": "json_schema", "schema": {"type": "object"}}
    request = parse(output_format=wanted).request
    assert request.response_format == ResponseFormat("json_schema", "", {"type": "object"})
    assert json.loads(WIRE.build(request, {}).body)["output_config"] == {"format": wanted}


def test_counting_tokens_needs_no_max_tokens() -> None:
    body = {name: EVERYTHING[name] for name in ("model", "messages", "system", "tools", "thinking")}
    counted = parse_count(json.dumps(body).encode())
    whole = parse_request(json.dumps(EVERYTHING).encode())
    assert counted.request.messages == whole.request.messages
    assert counted.request.tools == whole.request.tools
    assert not counted.stream
    assert MessageTokensCount.model_validate_json(count_body(12)).input_tokens == 12


def test_a_request_without_anything_special_has_nothing_opaque() -> None:
    assert parse(stream=True) == ParsedRequest(
        Request("m", parse().request.messages, parse().request.settings), stream=True, include_usage=True
    )
