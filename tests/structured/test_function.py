"""Functions as tools: what the model is told of them, and what they are called with."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime
import enum
import functools
from typing import Annotated, Any, Literal, TypedDict

import msgspec
import pydantic
import pytest

from headrace.core.shape import Invalid
from headrace.errors import RequestError
from headrace.structured.function import Arguments, FunctionTool, tool


class Unit(enum.Enum):
    CELSIUS = "c"
    FAHRENHEIT = "f"


class Place(TypedDict):
    town: str
    country: str


@dataclasses.dataclass
class Window:
    start: datetime.date
    days: int = 1


class Filter(msgspec.Struct):
    words: list[str] = []


class Person(pydantic.BaseModel):
    name: str = pydantic.Field(min_length=2)


def near(metres: Annotated[int, pydantic.Field(gt=0, description="From here.")], also: Person) -> str:
    return f"{metres} {also}"


def test_what_pydantics_field_says_of_an_argument_holds() -> None:
    made = FunctionTool(near)
    told = made.request.parameters["properties"]["metres"]
    assert (told["description"], told["exclusiveMinimum"]) == ("From here.", 0)
    with pytest.raises(Invalid, match="greater than 0") as caught:
        made.read('{"metres": 0, "also": {"name": "Ann"}}')
    assert caught.value.path == ".metres"


def weather(
    city: str,
    /,
    when: Window,
    unit: Unit = Unit.CELSIUS,
    *,
    detail: Literal["low", "high"] = "low",
    near: list[Place] | None = None,
    sharpness: Annotated[float, "from 0 to 1"] = 0.5,
) -> str:
    """The weather in a city.

    It is made up.

    Args:
        city: Its name,
            in English.
        when (Window): From when.
        unit: Of the temperatures.

    Returns:
        A sentence: not for the model.
    """
    return f"{city} {when} {unit} {detail} {near} {sharpness}"


def test_the_model_is_told_what_signature_and_docstring_say() -> None:
    made = FunctionTool(weather)
    assert made.request.name == "weather"
    assert made.request.description == "The weather in a city.\n\nIt is made up."
    schema = made.request.parameters
    assert list(schema["properties"]) == ["city", "when", "unit", "detail", "near", "sharpness"]
    assert sorted(schema["required"]) == ["city", "when"]
    fields = schema["properties"]
    assert fields["city"] == {"type": "string", "description": "Its name, in English."}
    assert fields["when"] == {"$ref": "#/$defs/Window", "description": "From when."}
    assert fields["unit"] == {"$ref": "#/$defs/Unit", "description": "Of the temperatures."}
    assert fields["detail"] == {"enum": ["high", "low"], "default": "low"}
    assert fields["near"]["default"] is None
    assert fields["sharpness"] == {"type": "number", "description": "from 0 to 1", "default": 0.5}
    assert schema["$defs"]["Unit"]["enum"] == ["c", "f"]
    assert list(schema["$defs"]["Place"]["properties"]) == ["town", "country"]


def test_arguments_become_values_of_the_functions_types() -> None:
    made = FunctionTool(weather)
    assert made.read('{"city": "Oslo", "when": {"start": "2026-01-02"}}') == Arguments(
        ("Oslo",), {"when": Window(datetime.date(2026, 1, 2))}
    )
    positional, named = made.read(
        '{"detail": "high", "near": [{"town": "a", "country": "b"}], "unit": "f", "city": "x",'
        ' "when": {"start": "2026-01-02", "days": 3}}'
    )
    assert positional == ("x",)
    assert (named["unit"], named["when"].days, named["near"]) == (
        Unit.FAHRENHEIT,
        3,
        [{"town": "a", "country": "b"}],
    )
    assert made.function(*positional, **named).startswith("x Window")


@pytest.mark.parametrize(
    ("arguments", "path", "said"),
    [
        ('{"city": "Oslo"', "", "are no JSON"),
        ("[1]", "", "must be a JSON object"),
        ("", ".city", "missing required field city"),
        ('{"city": 1, "when": {"start": "2026-01-02"}}', ".city", "Expected str, got int"),
        ('{"city": "x", "when": {"start": "soon"}}', ".when.start", "Invalid RFC3339"),
        ('{"city": "x", "town": "y"}', "", "there is no argument town: weather takes city, when, unit"),
    ],
)
def test_wrong_arguments_are_told_in_words_for_the_model(arguments: str, path: str, said: str) -> None:
    with pytest.raises(Invalid, match=said) as caught:
        FunctionTool(weather).read(arguments)
    assert caught.value.path == path


def test_structs_and_pydantic_models_as_arguments() -> None:
    def find(filter: Filter, most: int = 3) -> None: ...

    def greet(person: Person, *, loud: bool = False) -> None: ...

    assert FunctionTool(find).read('{"filter": {"words": ["a"]}}').named == {"filter": Filter(["a"])}
    assert FunctionTool(greet).read('{"person": {"name": "Ann"}}').named == {"person": Person(name="Ann")}
    with pytest.raises(Invalid, match="at least 2 characters"):
        FunctionTool(greet).read('{"person": {"name": "A"}}')
    assert FunctionTool(greet).request.parameters["properties"]["loud"]["default"] is False


def test_a_function_without_parameters() -> None:
    def now() -> str:
        return "noon"

    made = FunctionTool(now)
    assert made.request.parameters["properties"] == {}
    assert made.read("") == made.read("{}") == Arguments((), {})
    with pytest.raises(Invalid, match="takes none"):
        made.read('{"zone": 1}')


def test_a_default_of_a_positional_parameter_is_filled_in() -> None:
    def power(base: int, exponent: int = 2, /) -> int:
        return base**exponent

    assert FunctionTool(power).read('{"base": 3}').positional == (3, 2)


def test_the_decorator_says_what_the_signature_cannot() -> None:
    @tool(name="add_numbers", description="Adds.", strict=True, timeout_s=2)
    def add(a: int, b: int = 1) -> int:
        "Not this."
        return a + b

    assert isinstance(add, FunctionTool)
    assert (add(1), add(1, b=5)) == (2, 6)
    assert (add.name, add.timeout_s, add.is_async) == ("add_numbers", 2, False)
    assert add.request.description == "Adds."
    assert add.request.strict
    assert sorted(add.request.parameters["required"]) == ["a", "b"]
    assert add.request.parameters["additionalProperties"] is False
    assert repr(add) == "FunctionTool(add_numbers(a: 'int', b: 'int' = 1) -> 'int')"

    @tool
    async def wait(seconds: float) -> None:
        "Waits."

    assert wait.is_async
    assert wait.request.description == "Waits."


class Counter:
    """Counts."""

    def count(self, by: int) -> int:
        "Counts up."
        return by

    def __call__(self, by: int) -> int:
        return by


def test_methods_callables_and_partials_are_functions_too() -> None:
    assert FunctionTool(Counter().count).read('{"by": 2}').named == {"by": 2}
    assert FunctionTool(Counter()).request.name == "Counter"
    assert FunctionTool(Counter()).read('{"by": 2}').named == {"by": 2}
    by_two = functools.partial(Counter().count, by=2)
    assert FunctionTool(by_two, name="two").read("{}").named == {}


def anything(*values: int) -> None: ...
def options(**values: int) -> None: ...
def untyped(a) -> None: ...  # type: ignore[no-untyped-def]
def lost(a: Missing) -> None: ...  # type: ignore[name-defined]  # noqa: F821
def complicated(a: complex) -> None: ...
def locked(a: int, b: asyncio.Lock) -> None: ...
def free(a: dict[str, int]) -> None: ...


@pytest.mark.parametrize(
    ("function", "options", "said"),
    [
        (anything, {}, "takes any arguments"),
        (options, {}, "takes any arguments"),
        (untyped, {}, "its parameter a has no type"),
        (lost, {}, "cannot be read"),
        (complicated, {}, "complicated cannot be a tool: of its parameter a, .* no JSON schema"),
        (locked, {}, r"^locked cannot be a tool: of its parameter b, .* no JSON schema: .*Lock.*$"),
        (free, {"strict": True}, "no strict form"),
        (print, {}, "takes any arguments|cannot be a tool"),
    ],
)
def test_a_function_that_cannot_be_described_is_refused(
    function: Any, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(RequestError, match=said):
        FunctionTool(function, **options)
