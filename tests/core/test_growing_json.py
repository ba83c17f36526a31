"""JSON that is still arriving: the same value whatever the cuts, judged by json, msgspec and jiter."""

from __future__ import annotations

import json
import sys
from itertools import pairwise
from typing import Any

import jiter
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.core.growing_json import GrowingJson

SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=12
)


def grown(text: str, cuts: list[int] | None = None, *, close: bool = True) -> GrowingJson:
    growing = GrowingJson()
    edges = [0, *sorted(min(cut, len(text)) for cut in cuts or ()), len(text)]
    for start, end in pairwise(edges):
        growing.feed(text[start:end])
    if close:
        growing.close()
    return growing


@given(VALUES, st.booleans(), st.sampled_from([None, 1]), st.lists(st.integers(0, 200), max_size=6))
def test_a_whole_value_is_what_json_says(
    value: Any, ascii_: bool, indent: int | None, cuts: list[int]
) -> None:
    text = json.dumps(value, ensure_ascii=ascii_, indent=indent)
    growing = grown(text, cuts)
    assert not growing.wrong
    assert growing.complete
    assert growing.value() == json.loads(text)


@given(VALUES)
def test_every_prefix_is_what_an_independent_parser_makes_of_it(value: Any) -> None:
    text = json.dumps(value, ensure_ascii=False)
    growing = GrowingJson()
    for end in range(1, len(text)):
        growing.feed(text[end - 1])
        if text[0] in '"-0123456789tfn' or _cut_inside_a_bare_word(text[:end]):
            continue  # the judge takes what stands of a number for the number
        theirs = jiter.from_json(text[:end].encode(), partial_mode="trailing-strings")
        assert growing.value() == theirs


def _cut_inside_a_bare_word(text: str) -> bool:
    return text.rstrip()[-1:] in tuple("-+.0123456789eEtrufalsn") and not _in_a_string(text)


def _in_a_string(text: str) -> bool:
    return text.replace("\\\\", "").replace('\\"', "").count('"') % 2 == 1


def test_a_snapshot_does_not_change_afterwards() -> None:
    growing = GrowingJson()
    growing.feed('{"a": [1, {"b": "x')
    first = growing.value()
    growing.feed('yz"}, 2], "c": 3')
    assert first == {"a": [1, {"b": "x"}]}
    assert growing.value() == {"a": [1, {"b": "xyz"}, 2]}


def test_what_is_closed_is_shared_between_snapshots() -> None:
    growing = GrowingJson()
    growing.feed('{"a": {"deep": [1, 2, 3]}, "b": "')
    first = growing.value()
    growing.feed("more")
    assert growing.value()["a"] is first["a"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{,}", "character 2: ',' is not expected here"),
        ("[1 2]", "character 4: '2' is not expected here"),
        ('{"a" 1}', "character 6: '1' is not expected here"),
        ("[1,]", "character 4: ']' is not expected here"),
        ("[nul]", "'nul' is no value"),
        ("[01]", "'01' is no value"),
        ('["\\x"]', "\\x is no escape"),
        ('["\\u12g4"]', "\\u12g4 is no escape"),
        ('["a\nb"]', "control character"),
        ("{} {}", "character 4: '{' is not expected here"),
        ("[1}", "'}' is not expected here"),
        ("]", "']' is not expected here"),
        ("[" * 201, "nested more than 200 deep"),
        ("[" + "1" * 5000 + "]", "longer than 4096"),
        ('{"a": [1', "the text ends after 8 characters"),
        ("", "the text ends after 0 characters"),
    ],
)
def test_what_is_no_json_is_told_at_its_place_whatever_the_cuts(text: str, said: str) -> None:
    whole, dripped = grown(text), grown(text, list(range(len(text))))
    assert said in whole.wrong
    assert dripped.wrong.partition(": ")[2] == whole.wrong.partition(": ")[2]
    assert not whole.complete


def test_halves_of_a_pair_are_joined_and_lone_ones_replaced() -> None:
    assert grown('"\\ud83d\\ude00"', list(range(20))).value() == "😀"
    assert grown('"a\\ud83db\\ude00c"').value() == "a\ufffdb\ufffdc"


def test_a_number_at_the_root_ends_with_the_text() -> None:
    growing = grown("-12.5e1", [3], close=False)
    assert (growing.value(), growing.complete) == (None, False)
    growing.close()
    assert (growing.value(), growing.complete) == (-125.0, True)


def _work(items: int) -> int:
    text = json.dumps([{"id": i, "name": f"item {i}"} for i in range(items)])
    growing = GrowingJson()
    calls = 0

    def count(_frame: object, event: str, _arg: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        for at in range(0, len(text), 4):
            growing.feed(text[at : at + 4])
            growing.value()
    finally:
        sys.setprofile(None)
    return calls


def test_the_work_is_linear_in_the_text() -> None:
    small, large = _work(50), _work(500)
    assert large < small * 11
