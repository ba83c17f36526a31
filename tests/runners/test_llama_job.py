"""Requests -> the engine's jobs, and the engine's events -> tokens. No engine runs here."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.core.chunk import Token
from headrace.core.message import (
    AudioPart,
    ImagePart,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    assistant,
    message,
    system,
    user,
)
from headrace.core.opaque import Opaque
from headrace.core.request import GenerationSettings, Request, ResponseFormat, Tool, ToolChoice
from headrace.errors import RequestError
from headrace.runners.llama_job import plan
from headrace.runners.llama_reply import Entry, Segment, Segments, ending, share
from headrace.runners.llama_tools import CallReader

WEATHER = Tool("weather", "The weather.", {"type": "object", "properties": {"city": {"type": "string"}}})
CLOCK = Tool("clock")


def job(*messages: Any, **fields: Any) -> dict[str, Any]:
    return plan(Request("local/x", messages or (user("hi"),), **fields)).job


def test_settings_reach_the_engine_under_its_own_names() -> None:
    settings = GenerationSettings(
        max_tokens=5,
        temperature=0.5,
        top_p=0.8,
        top_k=7,
        min_p=0.1,
        frequency_penalty=0.2,
        presence_penalty=0.3,
        seed=-1,
        stop=("a", ""),
        top_logprobs=3,
        logprobs=True,
        logit_bias={"12": -100.0},
    )
    body = job(settings=settings)["body"]
    assert {key: body[key] for key in ("n_predict", "temperature", "top_p", "top_k", "min_p", "n_probs")} == {
        "n_predict": 5,
        "temperature": 0.5,
        "top_p": 0.8,
        "top_k": 7,
        "min_p": 0.1,
        "n_probs": 3,
    }
    assert (body["frequency_penalty"], body["presence_penalty"]) == (0.2, 0.3)
    assert body["stop"] == ["a"]
    assert body["logit_bias"] == [[12, -100.0]]
    assert 0 <= body["seed"] < 2**32 - 1


@given(st.integers())
def test_any_seed_fits_the_engine(seed: int) -> None:
    assert 0 <= job(settings=GenerationSettings(seed=seed))["body"]["seed"] < 2**32 - 1


def test_the_models_own_choice_stands_where_the_caller_has_none() -> None:
    defaults = GenerationSettings(temperature=0.2, top_p=0.9)
    request = Request("local/x", (user("hi"),), GenerationSettings(temperature=1.0))
    body = plan(request, defaults).job["body"]
    assert (body["temperature"], body["top_p"]) == (1.0, 0.9)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"settings": GenerationSettings(n=2)}, "n"),
        ({"settings": GenerationSettings(logit_bias={"x": 1.0})}, "logit_bias.x"),
        ({"tool_choice": ToolChoice("required")}, "tools"),
        ({"tools": (WEATHER,), "tool_choice": ToolChoice("tool", "nope")}, "tool_choice"),
        ({"messages": (user([TextPart("see"), ImagePart("http://x")]),)}, "messages.0.content.1"),
    ],
)
def test_what_cannot_be_asked_names_its_field(fields: dict[str, Any], field: str) -> None:
    request = {"messages": (user("hi"),), **fields}
    with pytest.raises(RequestError) as failed:
        plan(Request("local/x", **request))
    assert failed.value.field == field


def test_sound_is_neither_heard_nor_given() -> None:
    heard = user([AudioPart(b"RIFF", format="wav")])
    with pytest.raises(RequestError, match="takes no sound"):
        job(heard, task="transcription")
    with pytest.raises(RequestError, match="reads text only, no audio"):
        job(heard)
    with pytest.raises(RequestError, match="gives no sound"):
        job(task="speech")
    (warning,) = plan(Request("local/x", (user("hi"),), modalities=("text", "audio"))).warnings
    assert "modalities: audio left out" in warning


def test_turns_of_a_tool_call_are_told_as_text() -> None:
    told = job(
        message("developer", "be kind"),
        assistant([ReasoningPart("hm"), ToolCallPart("1", "weather", '{"city": "Rome"}')]),
        message("tool", [ToolResultPart("1", (TextPart("sunny"),))]),
    )["messages"]
    assert told == [
        {"role": "system", "content": "be kind"},
        {"role": "assistant", "content": '{"name": "weather", "arguments": {"city": "Rome"}}'},
        {"role": "user", "content": "Result of the function call: sunny"},
    ]


def test_the_rows_system_message_stands_only_where_there_is_none() -> None:
    assert plan(Request("x", (user("hi"),)), system="s").job["messages"][0]["content"] == "s"
    assert (
        plan(Request("x", (system("mine"), user("hi"))), system="s").job["messages"][0]["content"] == "mine"
    )
    assert job(user("hi"))["messages"][0]["role"] == "user"


def test_auto_tools_answer_in_text_and_say_so() -> None:
    planned = plan(Request("local/x", (user("hi"),), tools=(WEATHER,)))
    assert planned.job.get("form", "text") == "text"
    assert "tool_choice" in planned.warnings[0]
    assert plan(Request("x", (user("hi"),), tools=(WEATHER,), tool_choice=ToolChoice("none"))).warnings == ()


def test_one_tool_is_its_arguments_and_several_are_a_choice() -> None:
    one = job(tools=(WEATHER, CLOCK), tool_choice=ToolChoice("tool", "weather"))
    assert (one["form"], one["tool"], one["schema"]) == ("one-tool", "weather", WEATHER.parameters)
    assert '"weather"' in one["messages"][0]["content"]
    several = job(tools=(WEATHER, CLOCK), tool_choice=ToolChoice("required"))
    assert several["form"] == "any-tool"
    assert [kind["properties"]["name"]["const"] for kind in several["schema"]["anyOf"]] == [
        "weather",
        "clock",
    ]


def test_response_formats() -> None:
    schema = {"type": "array"}
    assert job(response_format=ResponseFormat("json_object"))["schema"] == {"type": "object"}
    assert job(response_format=ResponseFormat("json_schema", "n", schema))["schema"] == schema
    assert "schema" not in job(response_format=ResponseFormat())


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(st.text(min_size=1), st.dictionaries(st.text(), json_values), st.integers(0, 2), st.data())
def test_a_call_is_taken_apart_whatever_the_split(
    name: str, arguments: dict[str, Any], spaces: int, data: st.DataObject
) -> None:
    inner = json.dumps(arguments, ensure_ascii=data.draw(st.booleans()))
    space = " " * spaces
    whole = f'{{{space}"name":{space}{json.dumps(name)}{space},{space}"arguments":{space}{inner}{space}}}'
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=8)))
    reader = CallReader()
    got = "".join(reader.feed(whole[a:b]) for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True))
    assert (reader.name, got) == (name, inner)


def test_an_empty_piece_behind_a_backslash_changes_nothing() -> None:
    reader = CallReader()
    pieces = ('{"name": "f", "arguments": {"\\', "", '"": 1}', " }")
    assert "".join(map(reader.feed, pieces)) == '{"\\"": 1}'


def event(content: str, predicted: int, id: int) -> dict[str, Any]:
    top = [{"id": id, "token": "?", "bytes": [255], "logprob": -0.5}]
    told = [
        {"id": id, "token": content, "bytes": list(content.encode()), "logprob": -0.5, "top_logprobs": top}
    ]
    return {
        "content": content,
        "tokens": [id],
        "tokens_predicted": predicted,
        "completion_probabilities": told,
    }


def test_a_character_of_three_tokens_comes_whole_with_its_tokens() -> None:
    segments = Segments(top=1)
    segment = segments.feed(event("👋", 3, 229))
    assert segment is not None
    assert [entry.id for entry in segment.entries] == [-1, -1, 229]
    pieces = [(15107, b"\xf0\x9f"), (235, b"\x91"), (229, b"\x8b")]
    tokens = share(segment, pieces)
    assert [token.id for token in tokens] == [15107, 235, 229]
    assert b"".join(token.raw or b"" for token in tokens).decode() == "👋"
    assert [token.logprob for token in tokens] == [None, None, -0.5]
    assert tokens[2].top == (Token("", 229, -0.5, b"\xff"),)


def test_pieces_that_disagree_are_not_believed() -> None:
    segment = Segment("ab", (Entry(1, -0.1), Entry(2, -0.2)))
    assert share(segment, [(9, b"a"), (2, b"b")]) == (Token("", 1, -0.1), Token("ab", 2, -0.2))
    assert share(segment, [(1, b"a"), (2, b"b")]) == (Token("a", 1, -0.1), Token("b", 2, -0.2))


def test_text_held_back_for_a_stop_comes_with_all_its_tokens() -> None:
    segments = Segments(top=0)
    assert segments.feed({"prompt_progress": {}, "content": "", "tokens_predicted": 0}) is None
    assert segments.feed(event("", 1, 10)) is None
    segment = segments.feed(event("one two", 2, 11))
    assert segment is not None
    assert [entry.id for entry in segment.entries] == [10, 11]
    assert segments.feed(event("", 3, 12)) is None
    assert [entry.id for entry in segments.rest({"stop_type": "limit"})] == [12]
    assert segments.rest({"stop_type": "word"}) == ()


@pytest.mark.parametrize(
    ("stop_type", "word", "reason"),
    [("eos", "", "stop"), ("limit", "", "length"), ("word", "\n\n", "stop_sequence")],
)
def test_endings(stop_type: str, word: str, reason: str) -> None:
    last = {"stop_type": stop_type, "stopping_word": word, "tokens_evaluated": 7, "tokens_predicted": 3}
    end, usage = ending({**last, "timings": {"cache_n": 4}})
    assert (end.finish_reason, end.raw_reason, end.stop_sequence) == (reason, stop_type, word)
    assert (usage.input_tokens, usage.output_tokens, usage.cached_input_tokens) == (7, 3, 4)


def test_fields_that_only_a_provider_could_know_are_told() -> None:
    request = Request("local/x", (user("hi"),), vendor=Opaque("openai_chat", {"max_tokns": 3}))
    (warning,) = plan(request).warnings
    assert "max_tokns was left out" in warning
