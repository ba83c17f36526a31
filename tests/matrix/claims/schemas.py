"""Every name in a vendor's type: its fields, theirs, and the values they may have."""

from __future__ import annotations

import dataclasses
import inspect
import typing
from importlib import import_module
from typing import Any

import typing_extensions


def names_in(schema: str) -> set[str]:
    """The names in the type at "module:Name", in lower case, without underscores."""
    module, _, name = schema.partition(":")
    found: set[str] = set()
    _walk(getattr(import_module(module), name), found, set())
    return {plain(one) for one in found}


def plain(name: str) -> str:
    """A name in the one spelling that is compared."""
    return name.replace("_", "").lower()


def _walk(kind: Any, found: set[str], seen: set[int]) -> None:
    if id(kind) in seen:
        return
    seen.add(id(kind))
    if typing.get_origin(kind) is typing.Literal:
        found.update(str(value) for value in typing.get_args(kind))
        return
    for argument in typing.get_args(kind):
        _walk(argument, found, seen)
    for name, field in _fields(kind).items():
        found.add(name)
        _walk(field, found, seen)


def _fields(kind: Any) -> dict[str, Any]:
    if not inspect.isclass(kind):
        return {}
    if hasattr(kind, "model_fields"):
        return {name: field.annotation for name, field in kind.model_fields.items()}
    if dataclasses.is_dataclass(kind) or typing_extensions.is_typeddict(kind):
        return typing_extensions.get_type_hints(kind)
    return {}
