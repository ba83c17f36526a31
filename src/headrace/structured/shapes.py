"""A type -> the tree of shapes that growing JSON is read by."""

from __future__ import annotations

import datetime
import decimal
import enum
import pathlib
import uuid
from collections import abc
from collections.abc import Callable
from typing import Any, get_args, get_origin

import msgspec

from headrace.core.shape import HIDDEN, PLAIN, Check, Invalid, Shape
from headrace.errors import RequestError
from headrace.structured.empty import ARRAYS, MAPS, empty_of
from headrace.structured.hints import (
    Before,
    Discriminated,
    Field,
    bare,
    fields_of,
    is_pydantic,
    is_typed_dict,
    literals,
    members,
)
from headrace.structured.instances import shower
from headrace.structured.worlds import World

_NUMBERS = (bool, int, float, type(None))
# What pydantic reads without a user's code, so that it may be read for the eye before its object is whole.
_LOOKED = (
    datetime.date,
    datetime.time,
    datetime.timedelta,
    decimal.Decimal,
    enum.Enum,
    pathlib.PurePath,
    uuid.UUID,
    bytes,
    *_NUMBERS,
)


def shape_of(hint: Any, world: World) -> Shape:
    """The shape of a type. Raises RequestError for a type that cannot be read from JSON."""
    return _Maker(world).shape(hint)


def marks_of(hint: Any) -> str:
    """What the JSON of a type may begin with, of "{" and "["; empty where it may be neither."""
    marks = {_mark(one) for one in members(bare(hint)[0])}
    return "" if "" in marks else "".join(sorted(marks))


def _mark(plain: Any) -> str:
    origin = get_origin(plain) or plain
    if fields_of(plain) is not None or origin in MAPS:
        return "{"
    listed = (*ARRAYS, tuple, set, frozenset, abc.Set, abc.MutableSet)
    return "[" if origin in listed else ""


class _Maker:
    """Makes shapes; a class that holds itself meets its own shape again."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._pydantic = world.name == "pydantic"
        self._objects: dict[Any, Shape] = {}

    def shape(self, hint: Any) -> Shape:
        plain, metadata = bare(hint)
        if self._pydantic and any(_is_before(one) for one in metadata):
            return _text_or(plain, Shape(check=_hidden))
        options = members(plain)
        if len(options) > 1:
            return self._union(hint, options, metadata)
        fields = fields_of(plain)
        if fields is not None:
            return self._object(plain, fields)
        if plain in (Any, object):
            return PLAIN
        origin = get_origin(plain) or plain
        if origin in ARRAYS or (origin is tuple and get_args(plain)[1:] == (...,)):
            return self._array(plain, hint, origin, checked=bool(metadata))
        if origin in MAPS and get_args(plain)[:1] in ((), (str,), (Any,)):
            return self._map(plain, hint, checked=bool(metadata))
        return self._leaf(plain, hint)

    def _object(self, plain: Any, fields: tuple[Field, ...]) -> Shape:
        made = self._objects.get(plain)
        if made is None:
            made = self._objects[plain] = Shape("{")
            made.fields = {field.key: self.shape(field.hint) for field in fields}
            made.show = shower(plain, fields, *empty_of(plain, fields))
            if not (self._pydantic and is_typed_dict(get_origin(plain) or plain)):
                made.check, made.joins = self._world.check(plain), True
                made.recheck = self._world.recheck(plain) if self._pydantic else None
        return made

    def _array(self, plain: Any, hint: Any, origin: Any, checked: bool) -> Shape:
        items = get_args(plain)
        show = tuple if origin is tuple else None
        shape = Shape("[", item=self.shape(items[0]) if items else None, show=show)
        if not self._pydantic and (checked or show is not None):
            shape.check, shape.joins = self._world.check(hint), True
        return shape

    def _map(self, plain: Any, hint: Any, checked: bool) -> Shape:
        values = get_args(plain)[1:]
        shape = Shape("{", rest=self.shape(values[0]) if values else None)
        if not self._pydantic and checked:
            shape.check, shape.joins = self._world.check(hint), True
        return shape

    def _leaf(self, plain: Any, hint: Any) -> Shape:
        """A value that is nothing before it is whole; text is shown as far as it came."""
        if self._pydantic:
            if is_pydantic(plain):  # a root model: its instances pass as they are
                check, recheck = self._world.check(plain), self._world.recheck(plain)
                return Shape(check=check, joins=True, recheck=recheck)
            looks = literals(plain) or (isinstance(plain, type) and issubclass(plain, _LOOKED))
            look = _look(self._world.check(plain)) if looks else _hidden
            return _text_or(plain, Shape(check=look))
        _refuse_unknown(hint)
        number = msgspec.json.Decoder(plain).decode if plain is decimal.Decimal else None
        return Shape('"' if plain is str else "", check=self._world.check(hint), joins=True, number=number)

    def _union(self, hint: Any, options: tuple[Any, ...], metadata: tuple[Any, ...]) -> Shape:
        """Read by what the value begins with; hidden until whole where that does not tell."""
        whole = Shape(check=_hidden) if self._pydantic else Shape(check=self._world.check(hint), joins=True)
        if not self._pydantic:
            _refuse_unknown(hint)
        looked = Shape(check=_look(self._world.check(hint))) if self._pydantic else whole
        kept = [one for one in options if one not in _NUMBERS]
        shapes = {one: self.shape(one) for one in kept}
        by_mark: dict[str, Shape] = {}
        for mark in '{["':
            fit = [one for one in kept if mark in shapes[one].opens]
            others = [one for one in kept if not shapes[one].opens] if mark == '"' else []
            if len(fit) == 1 and not others:
                by_mark[mark] = shapes[fit[0]]
            elif mark == "{" and len(fit) > 1:
                by_mark[mark] = self._tagged(fit, metadata, whole)
            else:
                by_mark[mark] = whole
        by_kind = by_mark.get
        return Shape(choose=lambda mark: by_kind(mark) or looked)

    def _tagged(self, options: list[Any], metadata: tuple[Any, ...], whole: Shape) -> Shape:
        """Objects told apart by one key: hidden until that has come."""
        found = _tags(options, metadata)
        if found is None:
            return whole
        key, by_value = found
        tagged = {value: self.shape(one) for value, one in by_value.items()}
        return Shape(check=whole.check, joins=whole.joins, tag=(key, tagged))


def _tags(options: list[Any], metadata: tuple[Any, ...]) -> tuple[str, dict[Any, Any]] | None:
    """The key that tells the objects apart, and which value means which; None where none does."""
    struct_tags = [getattr(one, "__struct_config__", None) for one in options]
    if all(one is not None and one.tag is not None for one in struct_tags):
        by_tag = {one.tag: option for one, option in zip(struct_tags, options, strict=True)}  # type: ignore[union-attr]
        return struct_tags[0].tag_field, by_tag  # type: ignore[union-attr]
    told = [one.key for one in metadata if isinstance(one, Discriminated) and isinstance(one.key, str)]
    told += [one.discriminator for one in metadata if isinstance(getattr(one, "discriminator", None), str)]
    by_name = [{field.name: field for field in fields_of(one) or ()} for one in options]
    for name in told or [name for name in by_name[0] if all(name in one for one in by_name)]:
        by_value: dict[Any, Any] = {}
        values = [literals(fields[name].hint) for fields in by_name if name in fields]
        for option, mine in zip(options, values, strict=False):
            by_value.update(dict.fromkeys(mine, option))
        if all(values) and len(values) == len(options) and len(by_value) == sum(map(len, values)):
            return by_name[0][name].key, by_value
    return None


def _is_before(metadata: Any) -> bool:
    kind = type(metadata)
    own = hasattr(kind, "__get_pydantic_core_schema__") and kind.__name__ != "AfterValidator"
    return own or kind is Before


def _text_or(plain: Any, otherwise: Shape) -> Shape:
    return (
        Shape('"', check=lambda value: value if type(value) is str else HIDDEN) if plain is str else otherwise
    )


def _hidden(_value: Any) -> Any:
    return HIDDEN


def _look(check: Check) -> Callable[[Any], Any]:
    """The value as it will be, for the eye alone: whoever is around it checks it again, and may refuse."""

    def look(value: Any) -> Any:
        try:
            return check(value)
        except Invalid:
            return HIDDEN

    return look


def _refuse_unknown(hint: Any) -> None:
    try:
        info = msgspec.inspect.type_info(hint)
    except TypeError as error:
        raise RequestError(
            f"this type cannot be read from JSON: {error}", field="output", value=hint
        ) from None
    for one in (info, *getattr(info, "types", ())):
        if isinstance(one, msgspec.inspect.CustomType):
            raise RequestError(
                f"{one.cls!r} cannot be read from JSON: use a Struct, a dataclass, a TypedDict or a pydantic"
                " model",
                field="output",
                value=hint,
            )


__all__ = ["shape_of"]
