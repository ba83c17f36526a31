"""Which JSON schemas the local engine is never given."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.core.message import user
from headrace.core.request import Request, ResponseFormat, Tool, ToolChoice
from headrace.errors import RequestError
from headrace.runners.frames import packed
from headrace.runners.llama_job import plan
from headrace.runners.schema_bounds import BOUNDS, Bounds, SchemaCheck


def nested(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(levels):
        schema = {"type": "object", "properties": {"a": schema}}
    return schema


def arrays(count: int, **bounds: int) -> dict[str, Any]:
    return {"prefixItems": [{"type": "array", **bounds} for _ in range(count)]}


TOO_LARGE: dict[str, tuple[Any, str, str]] = {
    "minItems": ({"type": "array", "minItems": 10**8}, ".minItems", "20,000"),
    "minItems as a float": ({"minItems": 1e8}, ".minItems", "20,000"),
    "minItems without end": ({"minItems": float("inf")}, ".minItems", "20,000"),
    "maxItems inside": ({"items": {"maxItems": 20_001}}, ".items.maxItems", "20,000"),
    "many small ones": (arrays(300, minItems=100), ".prefixItems.", "20,000"),
    "minProperties": ({"minProperties": 10**9}, ".minProperties", "20,000"),
    "maxProperties": ({"maxProperties": 10**9}, ".maxProperties", "20,000"),
    "minLength": ({"minLength": 10**9}, ".minLength", "1,000,000"),
    "maxLength": ({"maxLength": 1_000_001}, ".maxLength", "1,000,000"),
    "depth": (nested(90), ".properties.a.properties", "128"),
    "very deep": (nested(20_000), ".properties.a.properties", "128"),
    "nodes": ({"properties": {f"p{at}": {"type": "string"} for at in range(5_000)}}, ".properties", "10,000"),
    "text": ({"pattern": "a" * 200_001}, ".pattern", "200,000"),
    "names": ({"properties": {"a" * 200_001: {}}}, ".properties.aaa", "200,000"),
    "enum": ({"enum": list(range(5_001))}, ".enum", "5,000"),
    "enums": ({"anyOf": [{"enum": list(range(900))} for _ in range(6)]}, ".anyOf.", "5,000"),
    "multipleOf": ({"multipleOf": 1_000_003}, ".multipleOf", "10,000"),
    "multipleOf together": ({"allOf": [{"multipleOf": 997}, {"multipleOf": 991}]}, ".allOf.", "10,000"),
    "a number beyond 64 bits": ({"type": "integer", "maximum": 10**30}, ".maximum", "64 bits"),
    "a number of 5,000 digits": ({"minimum": -(10**5000)}, ".minimum", "64 bits"),
    "such a number in an enum": ({"enum": [2**64]}, ".enum.0", "64 bits"),
}


@pytest.mark.parametrize("name", TOO_LARGE)
def test_what_is_too_large_names_its_place_and_the_bound(name: str) -> None:
    schema, place, bound = TOO_LARGE[name]
    form = ResponseFormat("json_schema", "a", schema)
    with pytest.raises(RequestError) as failed:
        plan(Request("local/x", (user("hi"),), response_format=form))
    assert failed.value.field.startswith(f"response_format.json_schema.schema{place}")
    assert bound in failed.value.message
    assert len(failed.value.field) < 250
    tools = (Tool("t", "", schema),)
    with pytest.raises(RequestError) as failed:
        plan(Request("local/x", (user("hi"),), tools=tools, tool_choice=ToolChoice("required")))
    assert failed.value.field.startswith(f"tools.0.parameters{place}")


def test_the_tools_of_a_request_are_bounded_together() -> None:
    tools = tuple(Tool(f"t{at}", "", {"minItems": 9_000}) for at in range(3))
    with pytest.raises(RequestError) as failed:
        plan(Request("local/x", (user("hi"),), tools=tools, tool_choice=ToolChoice("required")))
    assert failed.value.field == "tools.2.parameters.minItems"
    pinned = plan(Request("local/x", (user("hi"),), tools=tools, tool_choice=ToolChoice("tool", "t2")))
    assert pinned.job["tool"] == "t2"  # only the one that is used counts
    assert plan(Request("local/x", (user("hi"),), tools=tools)).warnings  # and none where none is


SOUND: dict[str, Any] = {
    "at every bound": {"minItems": BOUNDS.repeats, "minLength": BOUNDS.length, "multipleOf": BOUNDS.multiple},
    "a property called minItems": {"properties": {"minItems": {"type": "integer"}}},
    "values that look like keywords": {"const": {"minItems": 10**9}, "enum": [{"maxLength": 10**9}]},
    "cents and hundreds": {"anyOf": [{"multipleOf": 0.01}, {"multipleOf": 100}, {"multipleOf": 2.5}]},
    "fifty objects deep": nested(50),
    "truth for a number": {
        "multipleOf": True,
        "minItems": True,
        "maxLength": False,
    },  # the engine's to refuse
    "the widest whole numbers": {"minimum": -(2**63), "maximum": 2**64 - 1},
}


@pytest.mark.parametrize("name", SOUND)
def test_what_is_within_the_bounds_passes(name: str) -> None:
    SchemaCheck().check(SOUND[name], "schema")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["minItems", "multipleOf", "enum", "maxLength", "items", "x"]), inner, max_size=3
        )
    ),
    max_leaves=20,
)


@given(json_values)
def test_any_value_passes_and_travels_or_is_a_request_error(schema: Any) -> None:
    """What passes can be sent for certain, to the worker and on to the engine."""
    field = "schema"
    try:
        SchemaCheck(Bounds(depth=4, nodes=30, text=40)).check(schema, "schema")
    except RequestError as error:
        field = error.field
    else:
        assert packed({"schema": schema})
        assert json.dumps(schema)
    assert field.startswith("schema")
