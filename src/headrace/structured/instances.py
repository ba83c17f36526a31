"""Instances of a class with only some of its fields: what is shown of an object that is still open.

No code of the class runs for them (`__init__` of a dataclass, `__post_init__`, validators): it expects whole
values. What has not come is the field's default, or empty (text, lists, objects), or None.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, get_origin

import msgspec

from headrace.structured.hints import Field, is_pydantic

Show = Callable[[dict[str, Any]], Any]


def shower(
    hint: Any,
    fields: tuple[Field, ...],
    values: Mapping[str, Any],
    made: Sequence[tuple[str, Callable[[], Any]]] = (),
) -> Show:
    """How an open object is shown: JSON keys and values -> an instance of the class.

    values: field name -> what it is before it has come; made: the same for what is made anew each time. Keys
    that the class does not know are left out.
    """
    instance = _maker(get_origin(hint) or hint)
    names = {field.key: field.name for field in fields}
    known = names.keys()
    same = all(key == name for key, name in names.items())

    def show(grown: dict[str, Any]) -> Any:
        if not same or not known >= grown.keys():
            grown = {names[key]: value for key, value in grown.items() if key in known}
        whole = {**values, **grown}
        for name, make in made:
            if name not in grown:
                whole[name] = make()
        return instance(whole, grown)

    return show


def _maker(kind: Any) -> Callable[[dict[str, Any], dict[str, Any]], Any]:
    """(all values, those that have come) -> the instance."""
    if issubclass(kind, msgspec.Struct):
        return _struct_maker(kind)
    if dataclasses.is_dataclass(kind):
        return _dataclass_maker(kind)
    if is_pydantic(kind):
        return _model_maker(kind)
    return lambda values, _came: values  # a TypedDict


def _struct_maker(kind: Any) -> Callable[[dict[str, Any], dict[str, Any]], Any]:
    if hasattr(kind, "__post_init__"):
        config = kind.__struct_config__
        silent = {"__post_init__": lambda self: None, "__module__": kind.__module__}
        kind = msgspec.defstruct(
            kind.__name__, [], bases=(kind,), namespace=silent, frozen=config.frozen, gc=config.gc
        )
    return lambda values, _came: kind(**values)


def _dataclass_maker(kind: Any) -> Callable[[dict[str, Any], dict[str, Any]], Any]:
    new, put = object.__new__, object.__setattr__

    def made(values: dict[str, Any], _came: dict[str, Any]) -> Any:
        instance = new(kind)
        for name, value in values.items():
            put(instance, name, value)
        return instance

    return made


def _model_maker(kind: Any) -> Callable[[dict[str, Any], dict[str, Any]], Any]:
    """As pydantic's own `model_construct`, which would run default factories and hooks."""
    new, put = object.__new__, object.__setattr__
    private = {name: one.default for name, one in kind.__private_attributes__.items()}

    def made(values: dict[str, Any], came: dict[str, Any]) -> Any:
        instance = new(kind)
        put(instance, "__dict__", values)
        put(instance, "__pydantic_fields_set__", set(came))
        put(instance, "__pydantic_extra__", None)
        put(instance, "__pydantic_private__", dict(private) if private else None)
        return instance

    return made
