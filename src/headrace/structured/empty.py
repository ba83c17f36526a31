"""What a field is before it has come: its default, else empty where its type has such a value, else None."""

from __future__ import annotations

from collections import abc
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, get_origin

from headrace.core.shape import HIDDEN
from headrace.structured.hints import Field, bare, fields_of
from headrace.structured.instances import shower

ARRAYS: tuple[Any, ...] = (list, abc.Sequence, abc.MutableSequence, abc.Collection, abc.Iterable)
MAPS: tuple[Any, ...] = (dict, abc.Mapping, abc.MutableMapping)
_MAKERS: tuple[tuple[tuple[Any, ...], Callable[[], Any]], ...] = (
    (ARRAYS, list),
    (MAPS, dict),
    ((set, abc.Set, abc.MutableSet), set),
)
_CONSTANTS = {str: "", tuple: (), frozenset: frozenset()}


class Empty(NamedTuple):
    """The fields of an object of which nothing has come.

    values: field name -> what it is, None where it is made anew. made: (field name, what makes it).
    """

    values: dict[str, Any]
    made: tuple[tuple[str, Callable[[], Any]], ...]


def empty_of(plain: Any, fields: tuple[Field, ...], around: tuple[Any, ...] = ()) -> Empty:
    """The empty form of a class. around: the classes that it stands in, which end what holds itself."""
    values: dict[str, Any] = {}
    made: list[tuple[str, Callable[[], Any]]] = []
    for field in fields:
        if not field.always:
            continue
        values[field.name] = None if field.default is HIDDEN else field.default
        if field.default is HIDDEN:
            constant, make = _before(field.hint, (*around, plain))
            values[field.name] = constant
            made += [(field.name, make)] if make is not None else []
    return Empty(values, tuple(made))


def _before(hint: Any, around: tuple[Any, ...]) -> tuple[Any, Callable[[], Any] | None]:
    plain, _ = bare(hint)
    origin = get_origin(plain) or plain
    if isinstance(origin, type) and origin in _CONSTANTS:
        return _CONSTANTS[origin], None
    for kinds, make in _MAKERS:
        if origin in kinds:
            return None, make
    fields = fields_of(plain)
    if fields is None or plain in around:  # nothing of that kind is empty
        return None, None
    empty = empty_of(plain, fields, around)
    return None, partial(_shown, shower(plain, fields, *empty))


def _shown(show: Callable[[dict[str, Any]], Any]) -> Any:
    return show({})
