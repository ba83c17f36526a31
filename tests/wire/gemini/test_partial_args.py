"""Arguments in pieces: any value's pieces add up to it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.testing.work import Work
from headrace.wire.gemini.partial_args import ArgumentsWriter
from headrace.wire.gemini.schema import PartialArg

KEYS = st.text(min_size=1, max_size=4)
LEAVES = st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=6) | st.none()
VALUES: Any = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3) | st.dictionaries(KEYS, inner, min_size=1, max_size=3)
    ),
    max_leaves=8,
)


def pieces(value: Any, path: str = "$") -> list[PartialArg]:
    """As a model would say it: depth first, each text in pieces of two characters."""
    if isinstance(value, dict):
        quoted = {name: "['" + name.replace("\\", "\\\\").replace("'", "\\'") + "']" for name in value}
        return [one for name, inner in value.items() for one in pieces(inner, path + quoted[name])]
    if isinstance(value, list):
        return [one for at, inner in enumerate(value) for one in pieces(inner, f"{path}[{at}]")]
    if isinstance(value, str):
        cut = [value[at : at + 2] for at in range(0, len(value), 2)]
        return [*(PartialArg(path, one, will_continue=True) for one in cut), PartialArg(path, "")]
    if isinstance(value, bool):
        return [PartialArg(path, bool_value=value)]
    return [
        PartialArg(path, null_value="NULL_VALUE") if value is None else PartialArg(path, number_value=value)
    ]


@given(st.dictionaries(KEYS, VALUES, max_size=3))
def test_the_pieces_of_a_value_add_up_to_it(value: dict[str, Any]) -> None:
    writer = ArgumentsWriter()
    text = "".join(writer.take([one]) for one in pieces(value)) + writer.end()
    assert json.loads(text) == value


@pytest.mark.parametrize(
    "paths",
    [
        ["$.a", "$.a"],
        ["$.a", "$.a.b"],
        ["$.a.b", "$.a"],
        ["$.a.b", "$.c", "$.a.d"],
        ["$.a[0]", "$.a.b"],
        ["$.a[1]"],
        ["$.a[0]", "$.a[2]"],
        ["$[0]"],
        ["$"],
        ["a"],
        ["$.a["],
        ["$" + ".a" * 300],
    ],
)
def test_a_path_that_cannot_be_followed(paths: list[str]) -> None:
    writer = ArgumentsWriter()
    with pytest.raises(ValueError, match=r"argument|path|order|place"):
        writer.take([PartialArg(path, bool_value=True) for path in paths])


def test_a_text_that_was_not_ended_ends_where_the_next_value_begins() -> None:
    writer = ArgumentsWriter()
    said = writer.take([PartialArg("$.a", "x", will_continue=True), PartialArg("$.b", number_value=1.5)])
    assert said + writer.end() == '{"a":"x","b":1.5}'
    assert ArgumentsWriter().end() == "{}"


def test_linear() -> None:
    def work_of(count: int) -> int:
        args = [PartialArg(f"$.a[{at}].b", "xy", will_continue=True) for at in range(count)]
        writer = ArgumentsWriter()
        with Work() as work:
            for one in args:
                writer.take([one])
            writer.end()
        return work.units

    assert work_of(800) < 8 * work_of(100) * 1.5
