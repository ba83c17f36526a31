from __future__ import annotations

import json
from typing import Any

import pytest

from headrace.core.message import ImagePart, TextPart, assistant, system, user
from headrace.core.opaque import Opaque
from headrace.core.request import GenerationSettings, Request, ResponseFormat, Tool
from headrace.errors import RequestError
from headrace.wire.tgi import WIRE, parse_request

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}


def built(request: Request, **quirks: Any) -> tuple[dict[str, Any], tuple[str, ...]]:
    made = WIRE.build(request, quirks)
    return json.loads(made.body), made.warnings


def parse(inputs: Any = "p", endpoint: Any = "root", **fields: Any) -> Any:
    return parse_request(json.dumps({"inputs": inputs, **fields}).encode(), {"model": "m"}, endpoint)


def test_the_official_clients_own_request_is_read(answering: Any) -> None:
    asked: list[Any] = []
    client = answering(b'[{"generated_text":"x"}]', content_type="application/json", asked=asked)
    client.text_generation(
        "Hi", max_new_tokens=3, do_sample=False, stop=["x"], best_of=1, return_full_text=True
    )
    parsed = parse_request(asked[0].content, {"model": "m"}, "root")
    assert parsed.request.messages == (user("Hi"),)
    assert parsed.request.settings == GenerationSettings(max_tokens=3, temperature=0.0, stop=("x",))
    assert parsed.wanted == {"details": False, "full_text": "Hi"}
    assert parsed.warnings == ()
    assert not parsed.stream


@pytest.mark.parametrize(
    ("endpoint", "asked", "stream"),
    [
        ("root", True, True),
        ("root", None, False),
        ("generate", True, False),
        ("generate_stream", None, True),
    ],
)
def test_the_endpoint_says_whether_to_stream(endpoint: str, asked: Any, stream: bool) -> None:
    assert parse(endpoint=endpoint, stream=asked).stream is stream


def test_the_model_is_the_paths_or_the_bodys() -> None:
    assert parse(model="other").request.model == "m"
    assert parse_request(b'{"inputs":"p","model":"other"}', {}, "root").request.model == "other"
    assert parse_request(b'{"inputs":"p"}', {}, "root").request.model == ""


def test_an_image_in_the_text_is_an_image_both_ways() -> None:
    inputs = "See ![](data:image/jpeg;base64,eA==) and ![](https://x/a.png)![](data:image/png;base64,!)"
    request = parse(inputs).request
    assert request.messages[0].parts == (
        TextPart("See "),
        ImagePart(data=b"x", media_type="image/jpeg"),
        TextPart(" and "),
        ImagePart(url="https://x/a.png"),
        TextPart("![](data:image/png;base64,!)"),
    )
    assert built(request)[0]["inputs"] == inputs


def test_a_conversation_is_joined_plainly_unless_the_row_tells_the_template() -> None:
    request = Request("m", (system("S"), user("Hi"), assistant("Yo"), user("Bye")))
    body, warnings = built(request)
    assert body["inputs"] == "S\n\nUser: Hi\n\nAssistant: Yo\n\nUser: Bye\n\nAssistant:"
    assert "joined into one plain prompt" in warnings[0]
    turns = {"system_turn": "<<{}>>", "user_turn": "[{}]", "assistant_turn": "({})", "reply_turn": ""}
    assert built(request, **turns) == ({**body, "inputs": "<<S>>[Hi](Yo)[Bye]"}, ())


def test_the_root_path_is_a_rows_quirk() -> None:
    request = Request("m", (user("x"),))
    assert WIRE.build(request, {}).path == "/generate_stream"
    made = WIRE.build(request, {"root_path": True})
    assert made.path == "/"
    assert json.loads(made.body)["stream"] is True


@pytest.mark.parametrize(
    ("settings", "parameters"),
    [
        (GenerationSettings(temperature=0.0, top_p=0.5), {"do_sample": False}),
        (GenerationSettings(top_p=1.0, top_k=0), {}),
        (GenerationSettings(temperature=0.7, top_p=1.0), {"do_sample": True, "temperature": 0.7}),
    ],
)
def test_the_ends_of_the_ranges_that_the_vendor_refuses_are_not_sent(
    settings: GenerationSettings, parameters: dict[str, Any]
) -> None:
    body, warnings = built(Request("m", (user("x"),), settings))
    assert body["parameters"] == {**parameters, "details": True, "return_full_text": False}
    assert warnings == ()


@pytest.mark.parametrize(
    ("grammar", "format"),
    [
        ({"type": "json", "value": SCHEMA}, ResponseFormat("json_schema", schema=SCHEMA)),
        ({"type": "json", "value": json.dumps(SCHEMA)}, ResponseFormat("json_schema", schema=SCHEMA)),
        (
            {"type": "json_schema", "value": {"name": "n", "schema": SCHEMA}},
            ResponseFormat("json_schema", "n", SCHEMA),
        ),
        (None, None),
    ],
)
def test_a_grammar_is_the_answers_form(grammar: Any, format: Any) -> None:
    assert parse(parameters={"grammar": grammar}).request.response_format == format


def test_a_regex_is_for_this_protocol_only() -> None:
    parsed = parse(parameters={"grammar": {"type": "regex", "value": "x+"}})
    assert parsed.warnings
    body, _ = built(parsed.request)
    assert body["parameters"]["grammar"] == {"type": "regex", "value": "x+"}


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"inputs": ""}, "inputs"),
        ({"inputs": 5}, "inputs"),
        ({"inputs": "x", "parameters": {"temperature": 9}}, "parameters.temperature"),
        ({"inputs": "x", "parameters": {"max_new_tokens": 0}}, "parameters.max_new_tokens"),
        ({"inputs": "x", "parameters": {"top_n_tokens": 21}}, "parameters.top_n_tokens"),
        ({"inputs": "x", "parameters": {"stop": ["a"] * 5}}, "parameters.stop"),
        ({"inputs": "x", "parameters": {"seed": "y"}}, "parameters.seed"),
        ({"inputs": "x", "parameters": {"grammar": {"type": "json", "value": "{"}}}, "parameters.grammar"),
        ({}, "inputs"),
    ],
)
def test_a_wrong_field_is_named(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(RequestError) as raised:
        parse_request(json.dumps(fields).encode(), {}, "root")
    assert raised.value.field == field


def test_what_the_protocol_cannot_carry_is_a_warning_each() -> None:
    request = Request(
        "m",
        (user("x"),),
        GenerationSettings(
            n=2, min_p=0.1, presence_penalty=1.0, logit_bias={"5": 1.0}, reasoning_effort="low"
        ),
        tools=(Tool("f"),),
        response_format=ResponseFormat("json_object"),
        user="u",
        vendor=Opaque("openai_chat", {"store": True}),
    )
    _, warnings = built(request)
    for word in ("n was", "min_p", "presence_penalty", "logit_bias", "reasoning_effort", "tools",
                 "response_format", "user", "store"):  # fmt: skip
        assert any(word in said for said in warnings), word


@pytest.mark.parametrize(
    ("status", "body", "kind", "retryable"),
    [
        (422, b'{"error":"Input validation error: x","error_type":"validation"}', "bad_request", False),
        (422, b'{"error":"`inputs` must have less than 5 tokens","error_type":"validation"}',
         "context_overflow", False),
        (424, b'{"error":"CUDA","error_type":"generation"}', "unavailable", True),
        (429, b'{"error":"Model is overloaded","error_type":"overloaded"}', "rate_limited", True),
        (500, b'{"error":"Incomplete generation","error_type":"incomplete_generation"}', "unavailable", True),
        (401, b"<html><title>x</title>", "auth", False),
        (200, b'{"error":"x","error_type":"overloaded"}', "unavailable", True),
        (200, b'{"generated_text":"x"}', "wire", False),
    ],
)  # fmt: skip
def test_an_answer_that_is_no_stream_is_a_typed_failure(
    status: int, body: bytes, kind: str, retryable: bool
) -> None:
    failure = WIRE.failure(status, {}, body, "hf")
    assert (failure.kind, failure.retryable) == (kind, retryable)
