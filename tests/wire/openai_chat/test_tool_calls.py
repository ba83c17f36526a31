"""Tool calls: which piece belongs to which call, whatever the provider does with ids and indices."""

from __future__ import annotations

import pytest
from tests.wire.openai_chat.events import DONE, call, decode, delta, failure, reply

from headrace.core.chunk import (
    BlockStart,
    ToolCallDelta,
)
from headrace.core.fold import fold
from headrace.wire.openai_chat.candidate import MAX_OPEN_CALLS

CALLS = {
    "in pieces": [call(0, "a", "f"), call(0, arguments='{"x":'), call(0, arguments="1}")],
    "whole": [call(0, "a", "f", '{"x":1}')],
    "no index": [call(None, "a", "f", '{"x":'), call(None, arguments="1}")],
    "from one": [call(1, "a", "f", '{"x":'), call(1, arguments="1}")],
    "empty id after": [call(0, "a", "f"), call(0, "", None, '{"x":1}')],
    "the name again, empty": [call(0, "a", "f"), call(0, None, "", '{"x":1}')],
    "the id and the name again": [call(0, "a", "f", '{"x":'), call(0, "a", "f", "1}")],
    "a new id a piece": [call(0, "a", "f"), call(0, "b", None, '{"x":1}')],
    "the id first": [call(0, "a"), call(0, None, "f", '{"x":1}')],
    "the same id at another index": [call(0, "a", "f", '{"x":'), call(1, "a", None, "1}")],
}


@pytest.mark.parametrize("pieces", CALLS.values(), ids=CALLS)
def test_one_call(pieces: list[bytes]) -> None:
    got = reply(*pieces, delta(reason="tool_calls"), DONE)
    assert [(one.id, one.name, one.arguments) for one in got.tool_calls] == [("a", "f", '{"x":1}')]
    assert got.finish_reason == "tool_calls"


PARALLEL = {
    "by index": [
        call(0, "a", "f", "{"),
        call(1, "b", "g", "["),
        call(0, arguments="}"),
        call(1, arguments="]"),
    ],
    "always 0": [
        call(0, "a", "f", "{"),
        call(0, arguments="}"),
        call(0, "b", "g", "["),
        call(0, arguments="]"),
    ],
    "no index": [call(None, "a", "f", "{"), call(None, arguments="}"), call(None, "b", "g", "[]")],
    "by id": [
        call(None, "a", "f", "{"),
        call(None, "b", "g", "["),
        call(None, "a", None, "}"),
        call(None, "b", None, "]"),
    ],
    "reordered": [call(1, "a", "f", "{}"), call(0, "b", "g", "[]")],
    "one event": [
        delta(
            tool_calls=[
                {"index": 0, "id": "a", "function": {"name": "f", "arguments": "{}"}},
                {"index": 1, "id": "b", "function": {"name": "g", "arguments": "[]"}},
            ]
        )
    ],
}


@pytest.mark.parametrize("pieces", PARALLEL.values(), ids=PARALLEL)
def test_two_calls(pieces: list[bytes]) -> None:
    got = reply(*pieces, delta(reason="tool_calls"), DONE)
    assert [(one.id, one.name, one.arguments) for one in got.tool_calls] == [
        ("a", "f", "{}"),
        ("b", "g", "[]"),
    ]


def test_calls_without_ids_are_told_apart_by_name() -> None:
    got = reply(call(0, None, "f", "{}"), call(0, None, "g", "[]"), delta(reason="tool_calls"), DONE)
    assert [(one.name, one.arguments) for one in got.tool_calls] == [("f", "{}"), ("g", "[]")]


def test_a_call_cut_in_its_arguments_is_truncated() -> None:
    assert failure(call(0, "a", "f", '{"x')).kind == "truncated"


def test_a_call_ends_the_text_before_it_and_text_may_follow() -> None:
    chunks = decode(
        delta(content="hm"), call(0, "a", "f", "{}"), delta(content="so"), delta(reason="stop"), DONE
    )
    assert [type(one).__name__ for one in chunks[1:-2]] == [
        "BlockStart", "TextDelta", "BlockEnd", "BlockStart", "ToolCallDelta", "BlockStart", "TextDelta",
        "BlockEnd", "BlockEnd",
    ]  # fmt: skip
    assert fold(chunks).text == "hmso"


def test_the_legacy_function_call() -> None:
    chunks = decode(
        delta(function_call={"name": "f", "arguments": ""}),
        delta(function_call={"arguments": '{"x":1}'}),
        delta(reason="function_call"),
        DONE,
    )
    (found,) = fold(chunks).tool_calls
    assert (found.name, found.arguments) == ("f", '{"x":1}')
    assert fold(chunks).finish_reason == "tool_calls"


def test_a_custom_tool_and_arguments_that_are_an_object() -> None:
    custom = [{"index": 0, "id": "a", "type": "custom", "custom": {"name": "sh", "input": "ls"}}]
    whole = [{"index": 1, "id": "b", "function": {"name": "f", "arguments": {"x": 1}}}]
    got = reply(delta(tool_calls=custom), delta(tool_calls=whole), delta(reason="tool_calls"), DONE)
    assert [(one.name, one.arguments) for one in got.tool_calls] == [("sh", "ls"), ("f", '{"x":1}')]


def test_a_signature_on_a_tool_call_is_kept_with_it() -> None:
    signed = {
        "index": 0,
        "id": "a",
        "function": {"name": "f", "arguments": "{}"},
        "extra_content": {"sig": "s"},
    }
    (found,) = reply(delta(tool_calls=[signed]), delta(reason="tool_calls"), DONE).tool_calls
    assert found.vendor is not None
    assert found.vendor.data == {"extra_content": {"sig": "s"}}


def test_open_calls_are_bounded() -> None:
    many = [call(index, f"id{index}", "f", "{}") for index in range(MAX_OPEN_CALLS + 1)]
    failed = failure(*many)
    assert failed.kind == "wire"
    assert str(MAX_OPEN_CALLS) in failed.message


def test_calls_that_never_end_are_not_lost() -> None:
    got = decode(call(0, "a"), delta(reason="tool_calls"), DONE)
    assert BlockStart(0, "tool-call", "a", "") in got
    assert not [one for one in got if isinstance(one, ToolCallDelta)]


def test_a_second_name_for_the_same_call_is_kept_and_not_obeyed() -> None:
    chunks = decode(call(0, "a", "f", "{"), call(0, "a", "g", "}"), delta(reason="tool_calls"), DONE)
    (found,) = fold(chunks).tool_calls
    assert (found.name, found.arguments) == ("f", "{}")
    kept = [one.vendor.data for one in chunks if isinstance(one, ToolCallDelta) and one.vendor]
    assert kept == [{"other_name": "g"}]
