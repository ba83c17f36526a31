"""Reading type hints: what a class holds, whatever kind of class it is.

Kinds: msgspec Structs, dataclasses, TypedDicts, pydantic models and dataclasses. pydantic is never imported
here: its classes are known by what they carry.
"""

from __future__ import annotations

import dataclasses
import enum
import types
from collections.abc import Iterator
from typing import (
    Annotated,
    Any,
    Literal,
    NamedTuple,
    NewType,
    NotRequired,
    Required,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

import msgspec

from headrace.core.shape import HIDDEN
from headrace.errors import RequestError

# A default that several values may share without harm.
_SHAREABLE = (str, int, float, bool, bytes, type(None), enum.Enum, frozenset)
_KEY_MARKERS: dict[Any, bool] = {Required: True, NotRequired: False}


class Field(NamedTuple):
    """One field of a class. key: its name in JSON. default: HIDDEN where there is none that can be shared.

    always: whether a whole value has it; a key of a TypedDict may be missing.
    """

    name: str
    key: str
    hint: Any
    default: Any = HIDDEN
    always: bool = True


def bare(hint: Any) -> tuple[Any, tuple[Any, ...]]:
    """The hint without `Annotated` and without names given to it; and the metadata."""
    metadata: tuple[Any, ...] = ()
    while True:
        origin = get_origin(hint)
        if origin is Annotated:
            metadata = (*hint.__metadata__, *metadata)
            hint = hint.__origin__
        elif isinstance(hint, NewType):
            hint = hint.__supertype__
        elif type(hint).__name__ == "TypeAliasType":
            hint = hint.__value__
        else:
            return hint, metadata


def members(hint: Any) -> tuple[Any, ...]:
    """What a union is made of; the hint itself where it is none."""
    if get_origin(hint) in (Union, types.UnionType):
        return tuple(inner for one in get_args(hint) for inner in members(bare(one)[0]))
    return (hint,)


def is_pydantic(hint: Any) -> bool:
    """Whether it is a class that pydantic validates."""
    return isinstance(hint, type) and hasattr(hint, "__pydantic_validator__")


def is_typed_dict(hint: Any) -> bool:
    """Whether it is a TypedDict, of `typing` or of `typing_extensions`."""
    return isinstance(hint, type) and issubclass(hint, dict) and hasattr(hint, "__required_keys__")


def fields_of(hint: Any) -> tuple[Field, ...] | None:
    """The fields of a class that JSON writes as an object; None for everything else.

    Raises: RequestError for hints that name what cannot be found.
    """
    origin = get_origin(hint) or hint
    if not isinstance(origin, type):
        return None
    if is_pydantic(hint):
        return None if getattr(hint, "__pydantic_root_model__", False) else tuple(_pydantic_fields(hint))
    if issubclass(origin, msgspec.Struct):
        return None if origin.__struct_config__.array_like else tuple(_struct_fields(hint))
    if dataclasses.is_dataclass(origin):
        return tuple(_dataclass_fields(hint, origin))
    if is_typed_dict(origin):
        return tuple(_key_field(name, one, origin) for name, one in _hints(hint, origin).items())
    return None


def literals(hint: Any) -> tuple[Any, ...]:
    """The values of a `Literal`; none for other hints."""
    plain, _ = bare(hint)
    return get_args(plain) if get_origin(plain) is Literal else ()


def classes_in(hint: Any) -> Iterator[Any]:
    """The type itself and all that it holds, at any depth, each once, and the metadata of its hints."""
    seen: dict[int, Any] = {}  # the objects too: an id means nothing once its object is gone
    waiting = [hint]
    while waiting:
        plain, metadata = bare(waiting.pop())
        yield from metadata
        if id(plain) not in seen:
            seen[id(plain)] = plain
            yield plain
            waiting += [*get_args(plain), *(field.hint for field in fields_of(plain) or ())]


def holds_pydantic(hint: Any) -> bool:
    """Whether pydantic must read it: one of its classes is in it, or metadata that only pydantic heeds."""
    return any(is_pydantic(one) or _is_pydantics(one) for one in classes_in(hint))


def _is_pydantics(metadata: Any) -> bool:
    """Whether it is metadata such as `pydantic.Field(gt=0)` or `annotated_types.Gt(0)`."""
    return type(metadata).__module__.partition(".")[0] in ("pydantic", "annotated_types")


def key_orders(hint: Any) -> dict[frozenset[str], tuple[str, ...]]:
    """The order of the keys of each TypedDict in a type, by the set of them: msgspec's schemas lose it."""
    orders: dict[frozenset[str], tuple[str, ...]] = {}
    for one in classes_in(hint):
        if is_typed_dict(get_origin(one) or one):
            keys = tuple(field.key for field in fields_of(one) or ())
            orders.setdefault(frozenset(keys), keys)
    return orders


def _hints(hint: Any, origin: Any) -> dict[str, Any]:
    """A class's hints, with what stands for its type parameters."""
    try:
        found = get_type_hints(origin, include_extras=True)
    except NameError as error:
        name = origin.__name__
        raise RequestError(
            f"the types of {name} cannot be read: {error}; define what it names at the top of a module",
            field="output",
            value=name,
        ) from None
    given = dict(zip(getattr(origin, "__parameters__", ()), get_args(hint), strict=False))
    return {name: _filled(one, given) for name, one in found.items()} if given else found


def _key_field(name: str, hint: Any, origin: Any) -> Field:
    """A TypedDict's field. Its own set of keys does not see a marker in hints that are kept as text."""
    always = name in origin.__required_keys__
    while (marker := get_origin(hint)) in _KEY_MARKERS or getattr(marker, "__name__", "") == "ReadOnly":
        always = _KEY_MARKERS.get(marker, always)
        hint = get_args(hint)[0]
    return Field(name, name, hint, always=always)


def _filled(hint: Any, given: dict[Any, Any]) -> Any:
    if hint in given:
        return given[hint]
    free = getattr(hint, "__parameters__", ())
    return hint[tuple(given.get(one, one) for one in free)] if free else hint


def _struct_fields(hint: Any) -> Iterator[Field]:
    for one in msgspec.structs.fields(hint):
        default = HIDDEN if one.default is msgspec.NODEFAULT else one.default
        yield Field(one.name, one.encode_name, one.type, _shareable(default))


def _dataclass_fields(hint: Any, origin: Any) -> Iterator[Field]:
    hints = _hints(hint, origin)
    for one in dataclasses.fields(origin):  # also those that `__init__` does not take: msgspec reads them
        default = HIDDEN if one.default is dataclasses.MISSING else one.default
        yield Field(one.name, one.name, hints[one.name], _shareable(default))


def _pydantic_fields(hint: Any) -> Iterator[Field]:
    early = {
        name
        for one in hint.__pydantic_decorators__.field_validators.values()
        for name in one.info.fields
        if one.info.mode != "after"
    }
    for name, info in hint.__pydantic_fields__.items():
        told = info.annotation
        for one in info.metadata:
            told = Annotated[told, one]
        if not early.isdisjoint((name, "*")):
            told = Annotated[told, Before()]
        if info.discriminator is not None:
            told = Annotated[told, Discriminated(info.discriminator)]
        no_default = info.default_factory is not None or info.is_required()
        default = HIDDEN if no_default else _shareable(info.default)
        alias = info.validation_alias or info.alias
        # An alias that is a path or a choice has no one key: the field is shown once the object is whole.
        key = alias if isinstance(alias, str) else name
        yield Field(name, key, told, default)


class Before(NamedTuple):
    """Metadata of a field: a validator of its class gets JSON's own data, before there is a value."""


class Discriminated(NamedTuple):
    """Metadata of a union: the key that tells its members apart."""

    key: Any


def _shareable(default: Any) -> Any:
    return default if isinstance(default, _SHAREABLE) else HIDDEN
