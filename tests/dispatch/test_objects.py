"""Values asked for by type: what is sent, what comes, and what cannot be asked."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pydantic
import pytest
from tests.dispatch.doubles import OneModel, ScriptedModel, calling, said

import headrace
from headrace.core.request import ResponseFormat, Tool, ToolChoice
from headrace.errors import OutputError, RequestError, StreamCancelledException


class Recipe(msgspec.Struct):
    """How to make it."""

    name: str
    steps: list[str] = []


class Bread(pydantic.BaseModel):
    name: str
    steps: list[str] = []


class Free(msgspec.Struct):
    by_name: dict[str, int]


TEXT = '{"name": "Bread", "steps": ["mix"]}'


def asked(model: ScriptedModel) -> Any:
    return OneModel(model)


def test_the_schema_goes_out_in_its_strict_form_and_the_value_comes_back() -> None:
    async def main() -> None:
        for output in (Recipe, Bread):
            model = ScriptedModel(said(TEXT))
            result = await headrace.generate_object("m", "Bread.", output=output, runtime=asked(model))
            assert isinstance(result.value, output)
            assert (result.value.name, result.value.steps) == ("Bread", ["mix"])
            assert result.text == TEXT
            assert (result.warnings, result.response.usage) == ((), headrace.Usage(10, 1))
            wanted = model.requests[0].response_format
            assert wanted is not None
            assert (wanted.kind, wanted.name, wanted.strict) == ("json_schema", output.__name__, True)
            assert wanted.schema is not None
            assert wanted.schema["required"] == ["name", "steps"]
            assert wanted.schema["additionalProperties"] is False

    asyncio.run(main())


def test_values_grow_and_the_whole_can_be_read_afterwards() -> None:
    async def main() -> None:
        result = headrace.stream_object("m", "x", output=Recipe, runtime=asked(ScriptedModel(said(TEXT))))
        with pytest.raises(RuntimeError, match="still coming"):
            _ = result.value
        names = [recipe.name async for recipe in result.values]
        assert names[-1] == "Bread"
        assert result.value == Recipe("Bread", ["mix"])
        assert repr(result).startswith("ObjectResult('m', stop, ")

    asyncio.run(main())


def test_a_type_that_is_no_object_is_asked_for_as_the_field_of_one() -> None:
    schema = {"type": "array", "items": {"$ref": "#/$defs/n"}, "$defs": {"n": {"type": "integer"}}}

    async def main() -> None:
        for output in (list[int], schema):
            model = ScriptedModel(said('{"value": [1, 2]}'))
            result = headrace.stream_object("m", "x", output=output, runtime=asked(model))
            values = [value async for value in result.values]
            assert values[-1] == result.value == [1, 2]
            wanted = model.requests[0].response_format
            assert wanted is not None
            assert wanted.schema is not None
            assert wanted.schema["properties"]["value"]["type"] == "array"

    asyncio.run(main())


def test_a_list_of_models_is_wrapped_too() -> None:
    async def main() -> None:
        model = ScriptedModel(said(f'{{"value": [{TEXT}]}}'))
        result = headrace.stream_object("m", "x", output=list[Bread], runtime=asked(model))
        values = [value async for value in result.values]
        assert values[-1] == result.value == [Bread(name="Bread", steps=["mix"])]
        assert all(isinstance(bread, Bread) for value in values for bread in value or ())

    asyncio.run(main())


def test_a_value_can_be_the_arguments_of_a_tool() -> None:
    async def main() -> None:
        model = ScriptedModel(calling(("c1", "Recipe", TEXT), text="Here you are: {}"))
        other = Tool("other")
        result = await headrace.generate_object(
            "m", "x", output=Recipe, mode="tool", tools=[other], runtime=asked(model)
        )
        assert result.value == Recipe("Bread", ["mix"])
        request = model.requests[0]
        assert request.response_format is None
        assert [tool.name for tool in request.tools] == ["other", "Recipe"]
        assert request.tools[1].description == "How to make it."
        assert request.tools[1].strict
        assert request.tool_choice == ToolChoice("tool", "Recipe")

    asyncio.run(main())


def test_what_has_no_strict_form_goes_as_it_is_with_a_warning() -> None:
    async def main() -> None:
        model = ScriptedModel(said('{"by_name": {"a": 1}}'), warnings=["the model's own"])
        result = await headrace.generate_object("m", "x", output=Free, runtime=asked(model))
        assert result.value == Free({"a": 1})
        assert "free keys" in result.warnings[0]
        assert result.warnings[1] == "the model's own"
        wanted = model.requests[0].response_format
        assert isinstance(wanted, ResponseFormat)
        assert wanted.strict is None
        quiet = headrace.stream_object("m", "x", output=Free, strict=False, runtime=asked(model))
        assert quiet.warnings == ("the model's own",)
        await quiet.aclose()
        with pytest.raises(RequestError, match="no strict form"):
            headrace.stream_object("m", "x", output=Free, strict=True, runtime=asked(model))

    asyncio.run(main())


@pytest.mark.parametrize(
    ("ask", "field"),
    [
        ({"response_format": {"type": "object"}}, "response_format"),
        ({"mode": "tool", "tool_choice": "auto"}, "tool_choice"),
        ({"mode": "wish"}, "mode"),
        ({"output": list[Any]}, "response_format"),
        ({"output": complex}, "output"),
        ({"output": {"type": "object", "if": {}}, "strict": False}, "response_format.if"),
    ],
)
def test_what_cannot_be_asked_is_named(ask: dict[str, Any], field: str) -> None:
    async def main() -> None:
        with pytest.raises(RequestError) as caught:
            headrace.stream_object(
                "m", "x", **{"output": Recipe, "strict": True, "runtime": asked(ScriptedModel([])), **ask}
            )
        assert caught.value.field == field

    asyncio.run(main())


def test_an_answer_that_is_no_value_is_an_error() -> None:
    async def main() -> None:
        with pytest.raises(OutputError) as caught:
            await headrace.generate_object("sim/echo", "I would rather not.", output=Recipe)
        assert (caught.value.code, caught.value.text) == ("not_json", "I would rather not.")
        with pytest.raises(OutputError, match="max_tokens"):
            await headrace.generate_object("sim/echo", TEXT, output=Recipe, max_tokens=2)

    asyncio.run(main())


def test_any_answer_can_be_read_as_a_value_whatever_of_it_was_read() -> None:
    async def main() -> None:
        result = headrace.stream_text("sim/echo", f"Sure:\n```json\n{TEXT}\n```")
        assert await anext(result.stream)
        assert await result.parsed(Recipe) == Recipe("Bread", ["mix"])
        assert await result.parsed(Bread) == Bread(name="Bread", steps=["mix"])
        with pytest.raises(OutputError, match="did not call x"):
            await result.parsed(Recipe, tool="x")
        values = [value async for value in headrace.stream_text("sim/echo", TEXT).partial(Recipe)]
        assert values[-1].name == "Bread"
        cut = headrace.stream_text("sim/echo", TEXT)
        await cut.aclose()
        with pytest.raises(StreamCancelledException):
            await cut.parsed(Recipe)

    asyncio.run(main())


def test_without_a_loop() -> None:
    assert list(headrace.stream_object_sync("sim/echo", TEXT, output=Recipe))[-1] == Recipe("Bread", ["mix"])
