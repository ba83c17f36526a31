"""Types of every kind: what is shown of each while it is open, and what is refused."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import json
import sys
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Annotated, Any, Generic, Literal, NamedTuple, NewType, TypeVar

import annotated_types
import msgspec
import pydantic
import pytest

from headrace.errors import OutputError, RequestError
from headrace.structured.growing import Growing, read_output

T = TypeVar("T")


class Cat(msgspec.Struct, tag="cat"):
    name: str
    lives: int = 9


class Dog(msgspec.Struct, tag="dog"):
    name: str


class ModelCat(pydantic.BaseModel):
    kind: Literal["cat"]
    name: str


class ModelDog(pydantic.BaseModel):
    kind: Literal["dog", "hound"]
    name: str


class Owner(pydantic.BaseModel):
    pet: Annotated[ModelCat | ModelDog, pydantic.Field(discriminator="kind")]
    other: ModelCat | ModelDog | None = None


class Renamed(msgspec.Struct, rename="camel", frozen=True, kw_only=True):
    first_name: str
    born_in: int


class Aliased(pydantic.BaseModel):
    first_name: str = pydantic.Field(alias="firstName")


class Box(msgspec.Struct, Generic[T]):
    inside: T


@dataclasses.dataclass(frozen=True, slots=True)
class Pair(Generic[T]):
    one: T
    more: list[T]


class Point(NamedTuple):
    x: int
    y: int


class Tree(msgspec.Struct):
    value: int
    left: Tree | None = None


class Mixed(msgspec.Struct):
    pairs: tuple[int, str]
    names: tuple[str, ...]
    either: int | str | None
    exact: decimal.Decimal
    real: float
    by_number: dict[int, str]
    chosen: set[int]
    point: Point


class Private(pydantic.BaseModel):
    text: str
    _count: int = pydantic.PrivateAttr(default=3)


class Root(pydantic.RootModel[list[int]]):
    pass


class HoldsRoot(pydantic.BaseModel):
    root: Root
    when: Annotated[datetime.date, pydantic.BeforeValidator(lambda value: value.strip())]


def shown(output: Any, text: str) -> list[Any]:
    """The different values on the way, character by character, and the whole."""
    growing: Growing[Any] = Growing(output)
    values: list[Any] = []
    for start, end in pairwise(range(len(text) + 1)):
        growing.feed(text[start:end])
        if growing.grew and repr(value := growing.value()) not in map(repr, values[-1:]):
            values.append(value)
    whole = growing.close()
    return values if repr(whole) in map(repr, values[-1:]) else [*values, whole]


Name = NewType("Name", str)
TABLE: list[tuple[Any, str, str]] = [
    (list[Cat | Dog], '[{"name": "T", "type": "cat"}]', "[] [Cat(name='T', lives=9)]"),
    (list[Cat | Dog], '[{"type": "dog", "name": "R"}]', "[] [Dog(name='')] [Dog(name='R')]"),
    (
        Owner,
        '{"pet": {"kind": "hound", "name": "R"}}',
        "Owner(pet=None, other=None) Owner(pet=ModelDog(kind='hound', name=''), other=None)"
        " Owner(pet=ModelDog(kind='hound', name='R'), other=None)",
    ),
    (
        Owner,
        '{"other": {"kind": "cat", "name": "T"}, "pet": {"kind": "cat", "name": ""}}',
        "Owner(pet=None, other=None) Owner(pet=None, other=ModelCat(kind='cat', name=''))"
        " Owner(pet=None, other=ModelCat(kind='cat', name='T'))"
        " Owner(pet=ModelCat(kind='cat', name=''), other=ModelCat(kind='cat', name='T'))",
    ),
    (
        Renamed,
        '{"firstName": "A", "bornIn": 1}',
        "Renamed(first_name='', born_in=None) Renamed(first_name='A', born_in=None)"
        " Renamed(first_name='A', born_in=1)",
    ),
    (Aliased, '{"firstName": "A"}', "Aliased(first_name='') Aliased(first_name='A')"),
    (Box[list[int]], '{"inside": [1]}', "Box(inside=[]) Box(inside=[1])"),
    (Box[Box[str]], '{"inside": {"inside": "a"}}', "Box(inside=Box(inside='')) Box(inside=Box(inside='a'))"),
    (Pair[str], '{"one": "a", "more": ["b"]}', ""),
    (Tree, '{"value": 1, "left": {"value": 2}}', ""),
    (list[int], "[1, 23]", "[] [1] [1, 23]"),
    (Sequence[str], '["a"]', "[] [''] ['a']"),
    (Mapping[str, str], '{"a": "b"}', "{} {'a': ''} {'a': 'b'}"),
    (tuple[str, ...], '["a"]', "() ('',) ('a',)"),
    (Point, "[1, 2]", "Point(x=1, y=2)"),
    (str, '"ab"', "'' 'a' 'ab'"),
    (Name, '"ab"', "'' 'a' 'ab'"),
    (int | None, "12", "12"),
    (Literal["a", "b"], '"a"', "'a'"),
    (list[Any], '[{"a": [1]}]', "[] [{}] [{'a': []}] [{'a': [1]}]"),
    (Annotated[list[int], msgspec.Meta(max_length=3)], "[1]", "[] [1]"),
    (Root, "[1]", "Root(root=[1])"),
    (
        HoldsRoot,
        '{"root": [1], "when": " 2026-01-02 "}',
        "HoldsRoot(root=None, when=None) HoldsRoot(root=Root(root=[1]), when=None)"
        " HoldsRoot(root=Root(root=[1]), when=datetime.date(2026, 1, 2))",
    ),
]


@pytest.mark.parametrize(("output", "text", "steps"), TABLE)
def test_what_is_shown_on_the_way(output: Any, text: str, steps: str) -> None:
    values = shown(output, text)
    ordinary = pydantic.TypeAdapter(output).validate_json if output in _MODELS else None
    decode = ordinary or msgspec.json.Decoder(output).decode
    assert values[-1] == decode(text)
    if steps:
        assert " ".join(map(repr, values)) == steps


_MODELS = (Owner, Aliased, Root, HoldsRoot)


def test_a_value_is_never_of_another_type_than_it_says() -> None:
    text = (
        '{"pairs": [1, "a"], "names": ["x", "y"], "either": "five", "exact": 1.10000000000000000000001,'
        ' "real": 1, "by_number": {"1": "x"}, "chosen": [1, 1], "point": [1, 2]}'
    )
    values = shown(Mixed, text)
    assert values[-1] == msgspec.json.decode(text, type=Mixed)
    assert {value.pairs for value in values} == {(), (1, "a")}
    assert {value.names for value in values} == {(), ("",), ("x",), ("x", ""), ("x", "y")}
    assert next(value.either for value in values if isinstance(value.either, str)) == ""
    assert {value.exact for value in values} == {None, decimal.Decimal("1.10000000000000000000001")}
    assert {type(value.real) for value in values} == {type(None), float}
    assert {repr(value.by_number) for value in values} == {"{}", "{1: 'x'}"}
    assert {repr(value.chosen) for value in values} == {"set()", "{1}"}
    assert {value.point for value in values} == {None, (1, 2)}


def test_pydantic_says_which_fields_have_come() -> None:
    growing = Growing(Owner)
    growing.feed('{"pet": {"kind": "cat", "name": "T')
    assert growing.value().model_fields_set == {"pet"}
    assert growing.value().pet.model_fields_set == {"kind", "name"}


def test_private_attributes_have_their_defaults() -> None:
    assert shown(Private, '{"text": "ab"}')[0]._count == 3


def test_lists_of_what_is_read_late_hold_only_what_is_whole() -> None:
    class Days(pydantic.BaseModel):
        days: list[datetime.date]
        counts: list[int]

    values = shown(Days, '{"days": ["2026-01-02", "2026-01-03"], "counts": [1, "2", 3]}')
    assert {type(day) for value in values for day in value.days} == {datetime.date}
    assert {type(count) for value in values for count in value.counts} == {int}
    assert values[-1].counts == [1, 2, 3]


def test_several_objects_that_nothing_tells_apart_are_shown_when_whole() -> None:
    class One(pydantic.BaseModel):
        one: int

    class Two(pydantic.BaseModel):
        two: int

    class Either(pydantic.BaseModel):
        it: One | Two

    Either.model_rebuild(_types_namespace={"One": One, "Two": Two})
    assert [repr(value.it) for value in shown(Either, '{"it": {"two": 2}}')] == ["None", "Two(two=2)"]


def test_a_validator_after_a_field_changes_it_once() -> None:
    class Counted(pydantic.BaseModel):
        n: Annotated[int, pydantic.AfterValidator(lambda n: n + 1)]
        children: list[Counted] = []

    whole = read_output(Counted, '{"n": 1, "children": [{"n": 1, "children": [{"n": 1}]}]}')
    assert json.loads(whole.model_dump_json()) == {
        "n": 2,
        "children": [{"n": 2, "children": [{"n": 2, "children": []}]}],
    }


@dataclasses.dataclass
class Counts:
    text: str
    size: int = dataclasses.field(init=False)
    words: list[str] = dataclasses.field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self.words = [*self.words, self.text]


def test_fields_that_a_dataclasss_own_init_does_not_take_grow_as_the_others() -> None:
    text = '{"text": "a", "size": 1, "words": ["b"]}'
    values = shown(Counts, text)
    assert values[-1] == msgspec.json.decode(text, type=Counts)
    assert [(value.text, value.size, value.words) for value in values] == [
        *(
            ("", None, []),
            ("a", None, []),
            ("a", 1, []),
            ("a", 1, [""]),
            ("a", 1, ["b"]),
            ("a", 1, ["b", "a"]),
        )
    ]


@dataclasses.dataclass
class Near:
    metres: Annotated[int, pydantic.Field(gt=0)]


@pytest.mark.parametrize(
    "output", [Near, dict[str, Annotated[int, annotated_types.Gt(0)]], dict[str, pydantic.PositiveInt]]
)
def test_limits_that_only_pydantic_heeds_are_checked_by_it(output: Any) -> None:
    assert read_output(output, '{"metres": 1}') in (Near(1), {"metres": 1})
    with pytest.raises(OutputError, match=r"metres: .*greater than 0"):
        read_output(output, '{"metres": 0}')


def test_limits_that_nobody_here_can_check_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pydantic", None)
    with pytest.raises(RequestError, match=r"annotated_types and is not installed"):
        Growing(list[Annotated[float, annotated_types.Gt(2)]])


@pytest.mark.parametrize("text", ['["2026-01-02"]', '"2026-01-02"', "null"])
def test_what_follows_the_value_is_passed_over_when_it_is_read_as_json_again(text: str) -> None:
    strict = Annotated[datetime.date, pydantic.Strict()]
    output = list[strict] | strict | None  # type: ignore[valid-type]
    assert read_output(output, f"{text} and }} so on") == pydantic.TypeAdapter(output).validate_json(text)


class Nowhere:
    pass


@pytest.mark.parametrize(
    "output", [Nowhere, list[Nowhere], Cat | Nowhere, dict[str, Nowhere], Cat | ModelCat, list[Cat | Renamed]]
)
def test_a_type_that_json_cannot_say_is_refused_at_once(output: Any) -> None:
    with pytest.raises(RequestError) as caught:
        Growing(output)
    assert caught.value.field == "output"


def test_a_hint_that_names_nothing_is_refused_at_once() -> None:
    @dataclasses.dataclass
    class Lost:
        inside: Missing  # type: ignore[name-defined]  # noqa: F821

    with pytest.raises(RequestError, match="Lost cannot be read"):
        Growing(Lost)


def test_what_a_classs_own_code_raises_is_why_the_value_is_refused() -> None:
    class Odd(pydantic.BaseModel):
        n: int

        @pydantic.model_validator(mode="after")
        def even(self) -> Odd:
            raise KeyError("no such number")

    with pytest.raises(OutputError, match="KeyError: 'no such number'"):
        read_output(Odd, '{"n": 1}')
