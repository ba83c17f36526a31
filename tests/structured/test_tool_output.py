"""What tools return, as parts of a result."""

from __future__ import annotations

import dataclasses
import datetime
from typing import Any

import pydantic
import pytest

from headrace.core.message import ImagePart, ResultPart, TextPart
from headrace.structured.tool_output import output_parts


@dataclasses.dataclass
class Point:
    x: int


class Person(pydantic.BaseModel):
    born: datetime.date


IMAGE = ImagePart(url="https://example.org/i.png")


@pytest.mark.parametrize(
    ("returned", "parts"),
    [
        ("plain", (TextPart("plain"),)),
        ("", (TextPart(""),)),
        (None, (TextPart("null"),)),
        (3, (TextPart("3"),)),
        ({"a": [Point(1)]}, (TextPart('{"a":[{"x":1}]}'),)),
        ([Person(born=datetime.date(2026, 1, 2))], (TextPart('[{"born":"2026-01-02"}]'),)),
        ([], (TextPart("[]"),)),
        (IMAGE, (IMAGE,)),
        ([TextPart("see"), IMAGE], (TextPart("see"), IMAGE)),
    ],
)
def test_parts(returned: Any, parts: tuple[ResultPart, ...]) -> None:
    assert output_parts(returned) == parts


def test_what_json_cannot_say_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="complex cannot be written as JSON"):
        output_parts({"a": 1j})
