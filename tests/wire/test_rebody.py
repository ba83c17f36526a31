"""A client's own body for a provider of its wire: it asks the same as a translated one, or is translated."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from headrace.core.request import Request
from headrace.wire import wire_named

MODEL = "theirs"
CALL = {"functionCall": {"id": "c", "name": "f", "args": {"a": 1}}}
ANSWERED = {"functionResponse": {"id": "c", "name": "f", "response": {"output": "x"}}}
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}
FORMAT = {"format": {"type": "json_schema", "schema": SCHEMA}}
THOUGHT = {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "so"}]}
SIGNED = {**THOUGHT, "encrypted_content": "AAAA"}
SOUND = {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}

USUAL: dict[str, dict[str, Any]] = {
    "openai_chat": {"model": "ours", "messages": [{"role": "user", "content": "hi"}]},
    "openai_completions": {
        "model": "ours",
        "prompt": "hi",
        "stream": True,
        "stream_options": {"include_usage": True},
    },
    "openai_responses": {
        "model": "ours",
        "input": [{"type": "message", "role": "user", "content": "hi"}],
    },
    "anthropic": {"model": "ours", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]},
    "gemini": {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]},
    "cohere": {"model": "ours", "messages": [{"role": "user", "content": "hi"}]},
}


def talk(*items: dict[str, Any]) -> dict[str, Any]:
    return {"input": [{"role": "user", "content": "hi"}, *items]}


def turns(*contents: list[dict[str, Any]]) -> dict[str, Any]:
    """A conversation: the client's turns and the model's, one after the other."""
    roles = ("user", "model", "user", "model", "user")
    told = [{"role": role, "parts": parts} for role, parts in zip(roles, contents, strict=False)]
    return {"contents": told}


def chat(**message: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": "hi"}, message]}


def answer(**reasoning: str) -> dict[str, Any]:
    return chat(role="assistant", content="a", **reasoning)


HI = [{"text": "hi"}]
# (wire, quirks, the client's fields, what is passed on beside the renamed fields)
PASSED: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    ("openai_chat", {"extra": ["top_k"]}, {"top_k": 4}, {}),
    ("openai_chat", {"reasoning_field": "reasoning_content"}, answer(reasoning_content="so"), {}),
    ("openai_chat", {}, answer(reasoning="so"), {}),
    ("openai_completions", {}, {"seed": 7}, {}),
    ("openai_completions", {"extra": ["min_p"]}, {"min_p": 0.5}, {}),
    ("openai_completions", {"drop": ["logprobs"]}, {"seed": 7}, {}),
    ("openai_responses", {}, {}, {"store": False}),
    ("openai_responses", {}, {"store": None}, {"store": False}),
    ("openai_responses", {}, {"store": True, "reasoning": {"effort": "low"}}, {}),
    ("openai_responses", {"store": True}, {}, {"store": True}),
    ("openai_responses", {"store": True}, {"store": False}, {}),
    ("openai_responses", {"no_store": True}, {}, {}),
    ("openai_responses", {}, {"instructions": "i"}, {"store": False}),
    ("openai_responses", {}, {"reasoning": {"effort": "low"}},
     {"store": False, "include": ["reasoning.encrypted_content"]}),
    ("openai_responses", {}, {"reasoning": {"effort": "low"}, "include": ["reasoning.encrypted_content"]},
     {"store": False}),
    ("openai_responses", {"encrypted_reasoning": False}, {"reasoning": {"effort": "low"}}, {"store": False}),
    ("openai_responses", {"encrypted_reasoning": True}, {"include": ["x"]},
     {"store": False, "include": ["x", "reasoning.encrypted_content"]}),
    ("openai_responses", {}, talk(SIGNED), {"store": False, "include": ["reasoning.encrypted_content"]}),
    ("openai_responses", {"reasoning_input": True}, talk(THOUGHT), {"store": False}),
    ("openai_responses", {"audio_input": True}, talk({"role": "user", "content": [SOUND]}), {"store": False}),
    ("anthropic", {"sampling": ["temperature"]}, {"temperature": 1}, {}),
    ("anthropic", {}, {"output_config": FORMAT}, {}),
    ("anthropic", {"structured_output": False}, {"system": "s"}, {}),
    ("anthropic", {"drop": ["metadata"]}, {"thinking": {"type": "adaptive"}}, {}),
    ("cohere", {}, {"k": 3, "safety_mode": "STRICT"}, {}),
    ("cohere", {"drop": ["seed"]}, {"p": 0.5}, {}),
    ("gemini", {}, {"generationConfig": {"responseJsonSchema": SCHEMA}}, {}),
    ("gemini", {"schema_fields": "openapi"}, {"generationConfig": {"topK": 4}}, {}),
    ("gemini", {}, turns(HI, [CALL], [ANSWERED]), {}),
    ("gemini", {"call_signature": "s"}, turns(HI, [{**CALL, "thoughtSignature": "QUJD"}], [ANSWERED]), {}),
    ("gemini", {"no_call_ids": True}, turns(HI, [{"functionCall": {"name": "f", "args": {}}}]), {}),
]  # fmt: skip
# (wire, quirks, the client's fields, what only one of the two bodies has: nearly always the client's)
TRANSLATED: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    ("openai_chat", {}, {"top_k": 4}, "top_k"),
    ("openai_chat", {"extra": ["top_k"]}, {"min_p": 0.5}, "min_p"),
    ("openai_chat", {"reasoning_field": "reasoning_content"}, answer(reasoning="so"), '"reasoning"'),
    ("openai_completions", {}, {"top_k": 4}, "top_k"),
    ("openai_completions", {"drop": ["seed"]}, {"seed": 7}, "seed"),
    ("openai_completions", {}, {"stream_options": None}, "include_usage"),
    ("openai_completions", {}, {"stream_options": {}}, "include_usage"),
    ("openai_completions", {"user_turn": "[INST] {}"}, {}, '"hi"'),
    ("openai_responses", {"drop": ["user"]}, {"user": "u"}, '"u"'),
    ("openai_responses", {"no_store": True}, {"store": False}, "store"),
    ("openai_responses", {"no_instructions": True}, {"instructions": "i"}, "instructions"),
    ("openai_responses", {}, talk(THOUGHT), "rs_1"),
    ("openai_responses", {}, talk({"role": "user", "content": [SOUND]}), "input_audio"),
    ("anthropic", {}, {"temperature": 1}, "temperature"),
    ("anthropic", {"sampling": ["temperature"]}, {"top_k": 4}, "top_k"),
    ("anthropic", {"structured_output": False}, {"output_config": FORMAT}, "json_schema"),
    ("anthropic", {"drop": ["metadata"]}, {"metadata": {"user_id": "u"}}, "metadata"),
    ("cohere", {"drop": ["seed"]}, {"seed": 7}, "seed"),
    ("gemini", {"schema_fields": "openapi"}, {"generationConfig": {"responseJsonSchema": SCHEMA}}, "Json"),
    ("gemini", {"schema_fields": "openapi"},
     {"tools": [{"function_declarations": [{"name": "f", "parameters_json_schema": SCHEMA}]}]}, "json_s"),
    ("gemini", {"call_signature": "s"}, turns(HI, [CALL], [ANSWERED]), "thoughtSignature"),
    ("gemini", {"no_call_ids": True}, turns(HI, [CALL], [ANSWERED]), '"id"'),
    ("gemini", {"no_call_ids": True}, turns(HI, [{"text": "x"}], [ANSWERED]), '"id"'),
]  # fmt: skip


def request_of(wire: str, body: bytes) -> Request:
    front = wire_named(wire).front
    assert front is not None
    return front.parse(body, {"model": MODEL}).request


def both(wire: str, quirks: dict[str, Any], fields: dict[str, Any]) -> tuple[bytes, bytes | None, bytes]:
    """(a client's body, the same readdressed, what is built of it)."""
    body = json.dumps({**USUAL[wire], **fields}).encode()
    found = wire_named(wire)
    assert found.rebody is not None
    request = msgspec.structs.replace(request_of(wire, body), model=MODEL)
    return body, found.rebody(body, MODEL, quirks), found.build(request, quirks).body


@pytest.mark.parametrize(("wire", "quirks", "fields", "added"), PASSED)
def test_what_is_relayed_asks_the_same_as_what_is_built(
    wire: str, quirks: dict[str, Any], fields: dict[str, Any], added: dict[str, Any]
) -> None:
    body, relayed, built = both(wire, quirks, fields)
    assert relayed is not None
    renamed = {} if wire == "gemini" else {"model": MODEL, "stream": True}
    options = {"stream_options": {"include_usage": True}} if wire == "openai_chat" else {}
    assert json.loads(relayed) == {**json.loads(body), **renamed, **options, **added}
    assert request_of(wire, relayed) == request_of(wire, built)


@pytest.mark.parametrize(("wire", "quirks", "fields", "word"), TRANSLATED)
def test_what_a_provider_does_not_take_is_translated(
    wire: str, quirks: dict[str, Any], fields: dict[str, Any], word: str
) -> None:
    body, relayed, built = both(wire, quirks, fields)
    assert relayed is None
    assert (word in body.decode()) != (word in built.decode())


def test_what_the_provider_likes_to_tell_by_itself_is_not_asked_for() -> None:
    _, relayed, _ = both("openai_completions", {"no_stream_options": True}, {})
    assert relayed is not None
    assert "stream_options" not in json.loads(relayed)


def test_reasoning_that_the_provider_has_stored_goes_back_by_its_id() -> None:
    _, relayed, _ = both("openai_responses", {}, {**talk(THOUGHT), "store": True})
    assert relayed is not None
    assert THOUGHT in json.loads(relayed)["input"]


def test_a_text_as_input_stays_one() -> None:
    _, relayed, _ = both("openai_responses", {}, {"input": "hi"})
    assert relayed is not None
    assert json.loads(relayed)["input"] == "hi"


def test_a_name_in_a_gemini_body_is_not_told_to_the_provider() -> None:
    _, relayed, _ = both("gemini", {}, {"model": "models/ours"})
    assert relayed is not None
    assert json.loads(relayed) == USUAL["gemini"]
