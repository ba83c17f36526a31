"""A JSON schema as a check: each keyword, with what fits and what does not."""

from __future__ import annotations

from typing import Any

import pytest

from headrace.core.shape import Invalid
from headrace.errors import RequestError
from headrace.structured.schema_check import schema_check

TREE = {
    "$ref": "#/$defs/node",
    "$defs": {
        "node": {"type": "object", "properties": {"left": {"$ref": "#/$defs/node"}}, "required": ["v"]}
    },
}
# (schema, what fits, what does not, where)
TABLE: list[tuple[Any, list[Any], list[Any], str]] = [
    ({"type": "object"}, [{}], [[], None, 1, "x"], ""),
    ({"type": "array"}, [[]], [{}], ""),
    ({"type": "integer"}, [1, 1.0, -3], [1.5, True, "1"], ""),
    ({"type": "number"}, [1, 1.5], [True, "1"], ""),
    ({"type": "boolean"}, [True], [1, None], ""),
    ({"type": ["string", "null"]}, ["x", None], [1], ""),
    ({"const": 1}, [1], [True, 2], ""),
    ({"enum": ["a", None, 1]}, ["a", None, 1], ["b", True], ""),
    ({"properties": {"a": {"type": "string"}}}, [{}, {"a": "x", "b": 1}, []], [{"a": 1}], ".a"),
    ({"required": ["a"]}, [{"a": None}], [{}], ""),
    ({"properties": {"a": {}}, "additionalProperties": False}, [{"a": 1}], [{"b": 1}], ""),
    ({"additionalProperties": {"type": "integer"}}, [{"a": 1}], [{"a": "1"}], ".a"),
    ({"minProperties": 1, "maxProperties": 1}, [{"a": 1}], [{}, {"a": 1, "b": 2}], ""),
    ({"items": {"type": "integer"}}, [[1, 2]], [["x"]], "[0]"),
    ({"prefixItems": [{"type": "string"}], "items": False}, [["x"]], [["x", 1]], "[1]"),
    ({"minItems": 1, "maxItems": 2}, [[1], [1, 2]], [[], [1, 2, 3]], ""),
    ({"uniqueItems": True}, [[1, True, "1"]], [[1, 1]], "[1]"),
    ({"minLength": 1, "maxLength": 2}, ["a", "é😀"], ["", "abc"], ""),
    ({"pattern": "^a"}, ["ab"], ["ba"], ""),
    ({"minimum": 1, "exclusiveMaximum": 3}, [1, 2.9], [0, 3], ""),
    ({"exclusiveMinimum": 1, "maximum": 3}, [2, 3], [1, 4], ""),
    ({"multipleOf": 0.1}, [0.3, 1], [0.35], ""),
    ({"anyOf": [{"type": "string"}, {"minimum": 3}]}, ["x", 3], [2], ""),
    ({"oneOf": [{"minimum": 1}, {"maximum": 3}]}, [0, 4], [2], ""),
    ({"allOf": [{"minimum": 1}, {"maximum": 3}]}, [2], [0, 4], ""),
    ({"not": {"type": "null"}}, [1], [None], ""),
    (TREE, [{"v": 1, "left": {"v": 2}}], [{"v": 1, "left": {}}], ".left"),
    ({"title": "x", "format": "date", "default": 3, "x-order": 1}, ["not a date", 1], [], ""),
    ({"enum": [{"if": 1}]}, [{"if": 1}], [1], ""),
]


@pytest.mark.parametrize(("schema", "fits", "fails", "where"), TABLE)
def test_keywords(schema: Any, fits: list[Any], fails: list[Any], where: str) -> None:
    check = schema_check(schema)
    for value in fits:
        assert check(value) is value
    for value in fails:
        with pytest.raises(Invalid) as caught:
            check(value)
        assert caught.value.path == where
        assert caught.value.why


def test_a_schema_that_goes_in_a_circle_ends() -> None:
    with pytest.raises(Invalid, match="refers to itself"):
        schema_check({"$ref": "#"})(1)


@pytest.mark.parametrize("schema", [{"if": {}}, {"items": {"contains": {}}}, {"anyOf": [{"then": {}}]}])
def test_a_keyword_that_is_not_read_is_refused(schema: Any) -> None:
    with pytest.raises(RequestError, match="is not checked here"):
        schema_check(schema)


def test_a_field_may_have_the_name_of_a_keyword() -> None:
    schema_check({"properties": {"if": {"type": "string"}}})({"if": "x"})
