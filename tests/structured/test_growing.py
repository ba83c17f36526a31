"""Values grow to what the ordinary parse of the whole text gives, whatever the cuts and the kind of type."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import msgspec
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.structured.kinds import (
    DOCUMENTS,
    EXAMPLE,
    KINDS,
    SCHEMA,
    ModelOrder,
    StructItem,
    StructOrder,
    plain,
)

from headrace.errors import OutputError, RequestError
from headrace.structured.growing import Growing, read_output
from headrace.testing import work


def grown(output: Any, text: str, cuts: list[int] | None = None, **options: Any) -> tuple[list[Any], Any]:
    """Every value shown, and the whole. Without cuts: character by character."""
    growing: Growing[Any] = Growing(output, **options)
    values = []
    edges = range(len(text) + 1) if cuts is None else [0, *sorted(min(c, len(text)) for c in cuts), len(text)]
    for start, end in pairwise(edges):
        growing.feed(text[start:end])
        if growing.grew:
            values.append(growing.value())
    return values, growing.close()


def grows(before: Any, after: Any) -> bool:
    """Whether `after` is `before` with more come: text longer, lists longer, what was empty filled."""
    if before is None:
        return True
    if isinstance(before, str) and isinstance(after, str):
        return after.startswith(before) or before in ("open", "closed")
    if isinstance(before, dict) and isinstance(after, dict):
        return all(key in after and grows(one, after[key]) for key, one in before.items())
    if isinstance(before, list) and isinstance(after, list):
        return len(before) <= len(after) and all(map(grows, before, after))
    return bool(before == after) or before == 0.0  # a default, until the value comes


@pytest.mark.parametrize("kind", KINDS)
@given(DOCUMENTS, st.booleans(), st.sampled_from([None, 1]), st.lists(st.integers(0, 400), max_size=8))
def test_the_whole_is_what_the_ordinary_parse_gives(
    kind: str, document: dict[str, Any], ascii_: bool, indent: int | None, cuts: list[int]
) -> None:
    output, ordinary = KINDS[kind]
    text = json.dumps(document, ensure_ascii=ascii_, indent=indent)
    _, whole = grown(output, text, cuts)
    assert whole == ordinary(text)
    assert read_output(output, text) == whole


@pytest.mark.parametrize("kind", KINDS)
@given(DOCUMENTS)
def test_each_value_is_the_one_before_with_more_come(kind: str, document: dict[str, Any]) -> None:
    output, _ = KINDS[kind]
    values, whole = grown(output, json.dumps(document))
    seen = [plain(value) for value in [*values, whole]]
    for before, after in pairwise(seen):
        assert grows(before, after), (before, after)


@pytest.mark.parametrize("kind", ["struct", "dataclass", "pydantic"])
def test_a_value_is_an_instance_from_the_first_brace_on(kind: str) -> None:
    output, _ = KINDS[kind]
    values, _ = grown(output, json.dumps(EXAMPLE))
    assert all(isinstance(value, output) for value in values)
    first = values[0]
    assert (first.title, first.items, first.by_name, first.state, first.note) == ("", [], {}, None, None)
    assert (first.first.id, first.first.name, first.first.price) == (None, "", 0.0)
    assert repr(first)


@pytest.mark.parametrize("kind", KINDS)
def test_a_value_never_changes_after_it_was_given(kind: str) -> None:
    output, _ = KINDS[kind]
    text = json.dumps(EXAMPLE)
    growing: Growing[Any] = Growing(output)
    given_out = []
    for mark in text:
        growing.feed(mark)
        if growing.grew:
            value = growing.value()
            given_out.append((value, repr(value)))
    assert len(given_out) > 50
    assert all(repr(value) == said for value, said in given_out)


@pytest.mark.parametrize("kind", ["struct", "dataclass", "pydantic"])
def test_what_somebody_puts_into_an_empty_value_harms_no_other(kind: str) -> None:
    output, _ = KINDS[kind]
    values, _ = grown(output, json.dumps(EXAMPLE))
    values[0].items.append("mine")
    values[0].first.tags.append("mine")
    again, _ = grown(output, json.dumps(EXAMPLE))
    assert (again[0].items, again[0].first.tags) == ([], [])


@pytest.mark.parametrize("kind", ["struct", "dataclass", "pydantic"])
def test_what_is_whole_is_shared_with_the_last_value(kind: str) -> None:
    output, _ = KINDS[kind]
    values, whole = grown(output, json.dumps(EXAMPLE))
    later = [value for value in values if len(value.items) == 2]
    assert later
    assert all(value.items[0] is whole.items[0] for value in later)


def test_enums_dates_and_numbers_come_when_they_are_whole() -> None:
    text = '{"id": 12, "name": "pen", "size": "small", "due": "2026-01-02"}'
    for output in (StructItem, KINDS["pydantic"][0].model_fields["first"].annotation):
        values, whole = grown(output, text)
        assert {value.id for value in values} == {None, 12}
        assert {value.size for value in values} == {None, whole.size}
        assert {value.due for value in values} == {None, whole.due}
        assert {value.name for value in values} == {"", "p", "pe", "pen"}


def test_open_strings_can_be_withheld() -> None:
    values, _ = grown(StructItem, '{"id": 1, "name": "pen", "size": "small"}', open_strings=False)
    assert {value.name for value in values} == {"", "pen"}


def test_a_validator_runs_once_for_each_whole_object_and_never_before() -> None:
    runs: list[str] = []

    class Line(pydantic.BaseModel):
        text: str

        @pydantic.field_validator("text")
        @classmethod
        def loud(cls, text: str) -> str:
            runs.append(text)
            return text.upper()

    class Page(pydantic.BaseModel):
        lines: list[Line]

        @pydantic.model_validator(mode="after")
        def some(self) -> Page:
            runs.append("page")
            assert self.lines
            return self

    Page.model_rebuild(_types_namespace={"Line": Line})
    _, whole = grown(Page, '{"lines": [{"text": "one"}, {"text": "two"}]}')
    assert runs == ["one", "two", "page"]
    assert [line.text for line in whole.lines] == ["ONE", "TWO"]


def test_a_structs_own_code_does_not_run_for_a_part_of_it() -> None:
    runs = []

    class Range(msgspec.Struct):
        low: int
        high: int

        def __post_init__(self) -> None:
            runs.append(self.low)
            if self.low > self.high:
                raise ValueError("low is above high")

    values, whole = grown(Range, '{"low": 1, "high": 2}')
    assert (len(values) > 1, isinstance(values[0], Range), runs, whole.high) == (True, True, [1], 2)
    with pytest.raises(OutputError, match="low is above high"):
        read_output(Range, '{"low": 3, "high": 2}')


def test_strict_models_read_json_as_pydantic_reads_it() -> None:
    class Day(pydantic.BaseModel, strict=True):
        date: __import__("datetime").date  # type: ignore[valid-type]

    class Week(pydantic.BaseModel, strict=True):
        days: list[Day]

    text = '{"days": [{"date": "2026-01-02"}]}'
    _, whole = grown(Week, text)
    assert whole == Week.model_validate_json(text)


ITEM = '{"id": 1, "name": "a", "size": "small"}'
ORDER = '{"title": "t", "items": [%s], "by_name": {}, "state": "open", "first": ' + ITEM + "}"


@pytest.mark.parametrize(
    ("text", "code", "path"),
    [
        (ORDER % ITEM.replace('"small"', '"huge"'), "invalid", "items[0].size"),
        (ORDER % f"{ITEM}, 5", "invalid", "items[1]"),
        (ORDER % ITEM.replace('"id": 1', '"id": "x"'), "invalid", "items[0].id"),
        (ORDER.replace('"state": "open", ', "") % ITEM, "invalid", "state"),
        ((ORDER % ITEM)[:40], "incomplete", "items[0].id"),
        ('{"title": "t', "incomplete", "title"),
        ('{"title" "t"}', "not_json", "title"),
        ("I would rather not.", "not_json", ""),
        ("", "empty", ""),
        ("  \n ", "empty", ""),
    ],
)
@pytest.mark.parametrize("kind", ["struct", "dataclass", "typed dict", "pydantic"])
def test_what_is_no_value_is_told_with_its_place_and_the_text_kept(
    kind: str, text: str, code: str, path: str
) -> None:
    for cuts in (None, []):
        growing: Growing[Any] = Growing(KINDS[kind][0])
        for start, end in pairwise(range(len(text) + 1) if cuts is None else [0, len(text)]):
            growing.feed(text[start:end])
        with pytest.raises(OutputError) as caught:
            growing.close()
        assert (caught.value.code, caught.value.path) == (code, path)
        assert caught.value.retryable
        assert growing.text == text
        assert text.startswith(caught.value.text)


def test_a_wrong_value_is_known_before_the_text_ends() -> None:
    growing = Growing(StructOrder)
    growing.feed('{"title": "t", "items": [{"id": 1, "name": "a", "size": "huge"')
    assert growing.failure is not None
    assert not growing.grew
    growing.feed("}]}")
    assert growing.text.endswith("}]}")


def test_a_schemas_own_rules_are_checked_at_the_end() -> None:
    with pytest.raises(OutputError) as caught:
        read_output(SCHEMA, ORDER.replace('"open"', '"ajar"') % ITEM)
    assert (caught.value.code, caught.value.path) == ("invalid", "state")
    with pytest.raises(RequestError, match="patternProperties"):
        Growing({"type": "object", "properties": {"a": {"patternProperties": {}}}})


def test_words_and_fences_around_the_json_are_passed_over() -> None:
    said = f"Here you are, {{friend}}:\n\n```json\n{ITEM}\n```\nAnything else? {{}}"
    for cut in range(len(said)):
        assert read_output(StructItem, said).name == "a"
        values, whole = grown(StructItem, said, [cut])
        assert whole.name == "a"
        assert all(isinstance(value, StructItem) for value in values)


def test_text_and_depth_are_bounded() -> None:
    growing = Growing(StructItem, max_chars=100)
    growing.feed('{"name": "' + "x" * 200)
    with pytest.raises(OutputError, match="longer than 100"):
        growing.close()
    with pytest.raises(OutputError, match="nested more than 3"):
        Growing(list[Any], max_depth=3).feed("x") or grown(list[Any], "[[[[", max_depth=3)


def test_the_path_leads_to_where_the_text_has_come() -> None:
    growing = Growing(StructOrder)
    growing.feed('{"title": "t", "items": [' + ITEM + ', {"id": 1, "name": "b')
    assert growing.path == ("items", 1, "name")
    assert not growing.complete


@pytest.mark.parametrize(
    ("output", "head", "unit", "tail"),
    [
        (list[StructItem], "[" + ITEM, "," + ITEM, "]"),
        (list[ModelOrder], "[" + ORDER % ITEM, "," + ORDER % ITEM, "]"),
        (dict[str, int], '{"a": 1', ', "key": 1', "}"),
        (dict[str, str], '{"a": "', "some words of text ", '"}'),
        ({"type": "array"}, "[[[[1", ",[1,2,{}]", "]]]]"),
        (list[Any], "Well. ", "no JSON yet { ", "[]"),
    ],
)
def test_work_is_linear_with_a_value_at_every_change(output: Any, head: str, unit: str, tail: str) -> None:
    class Values:
        """A stage of text, that shows a value whenever there is one."""

        def __init__(self) -> None:
            self._growing: Growing[Any] = Growing(output)
            # As after a long text: what was there at first hides what a value costs later.
            self._growing._slots = 0
            self._growing.feed(head)

        def feed(self, text: str) -> list[Any]:
            self._growing.feed(text)
            return [self._growing.value()] if self._growing.grew else []

        def close(self) -> list[Any]:
            self._growing.feed(tail)
            return [self._growing.close()]

    work.linear(Values, unit, times=16)
