"""Where the JSON begins, whatever stands before it and wherever the text is cut."""

from __future__ import annotations

import pytest

from headrace.structured.find import JsonFinder
from headrace.testing import work

TABLE = [
    ("{", '{"a": 1} after', '{"a": 1} after'),
    ("{", '\ufeff \n {"a": 1}', '{"a": 1}'),
    ("{", "{oops", "{oops"),  # what is said first is taken at its word
    ("{", 'Here is {it}:\n```json\n{\n  "a": 1}\n```', '{\n  "a": 1}\n```'),
    ("{", 'Answer: {"a": {}}', '{"a": {}}'),
    ("{", "so: {} done", "{} done"),
    ("{", "f{x} and {y} only", ""),
    ("{", 'gap {   \r\n "a": 1}', '{   \r\n "a": 1}'),
    ("[", "see [1] and [2]:\n[3, 4]", "[3, 4]"),
    ("[", "```json\n  [3, 4]\n```", "[3, 4]\n```"),
    ("[", 'names: ["a"]', '["a"]'),
    ("[", "see [1]", ""),
    ("[{", 'see [1]: {"a": 1} [{}]', '{"a": 1} [{}]'),
    ("", " \n12 apples", "12 apples"),
    ("", "   ", ""),
    ("{", "x {" + " " * 255 + '"a"', "{" + " " * 255 + '"a"'),
    ("{", "x {" + " " * 256 + '"a" {}', "{}"),
    ("[", "x\n" + " " * 255 + "[1", "[1"),
    ("[", "x\n" + " " * 256 + "[1", ""),
]


def found(marks: str, pieces: list[str]) -> str:
    finder = JsonFinder(marks)
    out = "".join(finder.feed(piece) for piece in pieces)
    assert finder.found == bool(out)
    return out


@pytest.mark.parametrize(("marks", "text", "expected"), TABLE)
def test_the_json_begins_where_it_begins(marks: str, text: str, expected: str) -> None:
    assert found(marks, [text]).lstrip(" ") == expected
    assert found(marks, list(text)).lstrip(" ") == expected
    for cut in range(len(text)):
        assert found(marks, [text[:cut], text[cut:]]).lstrip(" ") == expected


@pytest.mark.parametrize("unit", ["prose ", "{ ", "[", "{   \n", "\n\n", "\n  "])
def test_prose_without_end_is_read_once(unit: str) -> None:
    class Stage:
        def __init__(self) -> None:
            self._finder = JsonFinder("{[")
            self._finder.feed("x")

        def feed(self, text: str) -> list[str]:
            return [self._finder.feed(text)]

        def close(self) -> list[str]:
            return []

    work.linear(Stage, unit, times=300)
