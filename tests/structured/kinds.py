"""The same order in every kind of type that values are grown for, and documents of it."""

from __future__ import annotations

import dataclasses
import datetime
import enum
from collections.abc import Callable
from typing import Any, Literal, NotRequired, TypedDict

import msgspec
import pydantic
from hypothesis import strategies as st


class Size(enum.Enum):
    SMALL = "small"
    LARGE = "large"


class StructItem(msgspec.Struct):
    id: int
    name: str
    size: Size
    price: float = 0.0
    tags: list[str] = []
    due: datetime.date | None = None


class StructOrder(msgspec.Struct):
    title: str
    items: list[StructItem]
    by_name: dict[str, StructItem]
    state: Literal["open", "closed"]
    first: StructItem
    note: str | int | None = None


@dataclasses.dataclass
class DataItem:
    id: int
    name: str
    size: Size
    price: float = 0.0
    tags: list[str] = dataclasses.field(default_factory=list)
    due: datetime.date | None = None


@dataclasses.dataclass
class DataOrder:
    title: str
    items: list[DataItem]
    by_name: dict[str, DataItem]
    state: Literal["open", "closed"]
    first: DataItem
    note: str | int | None = None


class DictItem(TypedDict):
    id: int
    name: str
    size: Size
    price: NotRequired[float]
    tags: NotRequired[list[str]]
    due: NotRequired[datetime.date | None]


class DictOrder(TypedDict):
    title: str
    items: list[DictItem]
    by_name: dict[str, DictItem]
    state: Literal["open", "closed"]
    first: DictItem
    note: NotRequired[str | int | None]


class ModelItem(pydantic.BaseModel):
    id: int
    name: str
    size: Size
    price: float = 0.0
    tags: list[str] = []
    due: datetime.date | None = None


class ModelOrder(pydantic.BaseModel):
    title: str
    items: list[ModelItem]
    by_name: dict[str, ModelItem]
    state: Literal["open", "closed"]
    first: ModelItem
    note: str | int | None = None


SCHEMA: dict[str, Any] = msgspec.json.schema(StructOrder)


def _ordinary(kind: Any) -> Callable[[str], Any]:
    """How the kind's own library reads a whole text."""
    if kind is ModelOrder:
        return ModelOrder.model_validate_json
    return msgspec.json.Decoder(Any if isinstance(kind, dict) else kind).decode


KINDS: dict[str, tuple[Any, Callable[[str], Any]]] = {
    "struct": (StructOrder, _ordinary(StructOrder)),
    "dataclass": (DataOrder, _ordinary(DataOrder)),
    "typed dict": (DictOrder, _ordinary(DictOrder)),
    "pydantic": (ModelOrder, _ordinary(ModelOrder)),
    "schema": (SCHEMA, _ordinary(SCHEMA)),
}

_TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
_ITEMS = st.fixed_dictionaries(
    {"id": st.integers(-(2**53), 2**53), "name": _TEXTS, "size": st.sampled_from(["small", "large"])},
    optional={
        "price": st.floats(0, 1e6, allow_nan=False),
        "tags": st.lists(_TEXTS, max_size=3),
        "due": st.none() | st.dates().map(str),
        "unknown": st.lists(st.integers(), max_size=2),
    },
)
DOCUMENTS = st.fixed_dictionaries(
    {
        "title": _TEXTS,
        "items": st.lists(_ITEMS, max_size=4),
        "by_name": st.dictionaries(_TEXTS, _ITEMS, max_size=2),
        "state": st.sampled_from(["open", "closed"]),
        "first": _ITEMS,
    },
    optional={"note": st.none() | st.integers(-5, 5) | _TEXTS},
)
EXAMPLE: dict[str, Any] = {
    "title": "Büro 😀",
    "items": [
        {"id": 1, "name": "pen", "size": "small", "price": 1.5, "tags": ["a", "b"], "due": "2026-01-02"},
        {"id": 2, "name": 'desk "x"', "size": "large"},
    ],
    "by_name": {"pen": {"id": 1, "name": "pen", "size": "small"}},
    "state": "open",
    "first": {"id": 3, "name": "", "size": "large", "unknown": [1]},
    "note": "soon",
}


def plain(value: Any) -> Any:
    """A value of any kind as plain data, to be looked at."""
    if isinstance(value, pydantic.BaseModel):
        return {name: plain(one) for name, one in value.__dict__.items()}
    if isinstance(value, msgspec.Struct):
        return {name: plain(getattr(value, name)) for name in value.__struct_fields__}
    if dataclasses.is_dataclass(value):
        return {one.name: plain(getattr(value, one.name)) for one in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    return [plain(one) for one in value] if isinstance(value, list) else value
