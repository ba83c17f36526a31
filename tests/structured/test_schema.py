"""Schemas of types, and the strict form judged by what the official SDKs make."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal, TypedDict

import msgspec
import pydantic
import pytest
from anthropic.lib._parse._transform import transform_schema
from openai.lib._pydantic import to_strict_json_schema
from tests.structured.kinds import KINDS, ModelOrder, StructOrder

from headrace.errors import RequestError
from headrace.structured.schema import schema_of, strict_schema


class Leaf(pydantic.BaseModel):
    """A leaf."""

    size: int = pydantic.Field(ge=1, description="In metres.")
    name: Annotated[str, pydantic.Field(max_length=9)] = "x"


class Branch(pydantic.BaseModel):
    leaves: list[Leaf]
    first: Leaf = pydantic.Field(description="The first.")
    up: Branch | None = None
    kind: Literal["a", "b"]


class Thing(TypedDict):
    name: str


def test_the_root_is_an_object_itself() -> None:
    for output in (StructOrder, ModelOrder, Branch, Thing):
        schema = schema_of(output)
        assert schema["type"] == "object"
        assert "$ref" not in schema


def test_a_mapping_is_a_schema_already_and_is_left_alone() -> None:
    given = {"type": "object", "properties": {"a": {"type": "integer", "minimum": 1}}}
    before = json.dumps(given)
    strict_schema(schema_of(given))
    assert json.dumps(given) == before


def test_the_strict_form_is_what_openais_own_client_makes_but_for_limits_and_defaults() -> None:
    theirs = to_strict_json_schema(Branch)
    ours = strict_schema(schema_of(Branch))
    assert ours["$defs"]["Leaf"]["properties"]["size"] == {
        "title": "Size",
        "type": "integer",
        "description": "In metres. (minimum: 1)",
    }
    for one in (ours, theirs):
        _without_limits(one)
    assert ours["properties"]["up"] == theirs["properties"]["up"]
    assert ours == theirs


def _without_limits(schema: Any) -> None:
    if isinstance(schema, dict):
        for name in ("minimum", "maxLength", "default"):
            if not isinstance(schema.get("properties"), dict) or name not in schema["properties"]:
                schema.pop(name, None)
        if "description" in schema and isinstance(schema["description"], str):
            schema["description"] = schema["description"].partition("(")[0].strip()
            if not schema["description"]:
                del schema["description"]
        for one in schema.values():
            _without_limits(one)
    elif isinstance(schema, list):
        for one in schema:
            _without_limits(one)


def test_anthropics_own_client_finds_nothing_left_to_change() -> None:
    for output in (Branch, *(kind for kind, _ in KINDS.values())):
        schema = schema_of(output)
        schema["properties"].pop("by_name", None)  # free keys have no strict form
        ours = strict_schema(schema)
        again = transform_schema(json.loads(json.dumps(ours)))
        assert _sorted_out(again) == _sorted_out(ours)


def _sorted_out(schema: Any) -> Any:
    """Without what differs in spelling: the type beside an enum, and titles."""
    if isinstance(schema, dict):
        told = {name: _sorted_out(one) for name, one in schema.items()}
        if "enum" in told or "const" in told:
            told.pop("type", None)
        return told
    return [_sorted_out(one) for one in schema] if isinstance(schema, list) else schema


@pytest.mark.parametrize(
    ("output", "where"),
    [
        (dict[str, int], "the root"),
        (list[int], "an object at its root"),
        (StructOrder, "by_name"),
        (msgspec.defstruct("AnyAtAll", [("a", Any)]), "anything at all"),
        (msgspec.defstruct("Maps", [("a", list[dict[str, int]])]), r"at a\[\] an object with free keys"),
    ],
)
def test_what_has_no_strict_form_is_named(output: Any, where: str) -> None:
    with pytest.raises(RequestError, match=where) as caught:
        strict_schema(schema_of(output))
    assert caught.value.field == "response_format"


def test_a_type_without_a_schema_is_refused() -> None:
    with pytest.raises(RequestError, match="no JSON schema"):
        schema_of(msgspec.defstruct("Odd", [("a", complex)]))
