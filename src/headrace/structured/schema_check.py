"""A JSON schema as a check of plain data: the keywords that schemas of answers are written with.

Source: JSON Schema 2020-12, "Validation" and "Applicator" vocabularies, read 2026-11-25. Keywords that only
describe (title, format, default, ...) and unknown ones check nothing, as there; those that would check, and
are not read here, are refused by name.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from headrace.core.shape import Check, Invalid
from headrace.errors import RequestError

Schema = Mapping[str, Any]
_UNREAD = frozenset(
    {
        "$dynamicRef",
        "contains",
        "dependencies",
        "dependentRequired",
        "dependentSchemas",
        "else",
        "if",
        "patternProperties",
        "propertyNames",
        "then",
        "unevaluatedItems",
        "unevaluatedProperties",
    }
)
_MOST_REFS = 64  # one behind the other on the same value
_TYPES: dict[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "number": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
    "integer": lambda value: (
        not isinstance(value, bool) and isinstance(value, (int, float)) and value % 1 == 0
    ),
}


def schema_check(schema: Schema) -> Check:
    """Plain data -> the same data. The check raises Invalid with the path of the first thing that is wrong.

    Raises: RequestError for a schema that says what is not read here.
    """
    _refuse_unread(schema, "response_format")
    checker = _Checker(schema)

    def check(value: Any) -> Any:
        checker.check(schema, value, "", 0)
        return value

    return check


class _Checker:
    def __init__(self, root: Schema) -> None:
        self._root = root

    def check(self, schema: Any, value: Any, path: str, refs: int) -> None:
        if schema is True:
            return
        if schema is False:
            raise Invalid("nothing is allowed here", path)
        if "$ref" in schema:
            if refs >= _MOST_REFS:
                raise Invalid(f"the schema refers to itself: {schema['$ref']}", path)
            self.check(self._found(schema["$ref"]), value, path, refs + 1)
        self._kind(schema, value, path)
        self._combined(schema, value, path, refs)
        if isinstance(value, str):
            _text(schema, value, path)
        elif isinstance(value, dict):
            self._object(schema, value, path)
        elif isinstance(value, list):
            self._array(schema, value, path)
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            _number(schema, value, path)

    def _found(self, ref: str) -> Any:
        place: Any = self._root
        for step in ref.removeprefix("#").strip("/").split("/") if ref != "#" else ():
            name = step.replace("~1", "/").replace("~0", "~")
            place = place[int(name)] if isinstance(place, list) else place[name]
        return place

    def _kind(self, schema: Schema, value: Any, path: str) -> None:
        kinds = schema.get("type", ())
        kinds = (kinds,) if isinstance(kinds, str) else kinds
        if kinds and not any(_TYPES[kind](value) for kind in kinds):
            raise Invalid(f"expected {' or '.join(kinds)}, got {_called(value)}", path)
        if "const" in schema and not _same(value, schema["const"]):
            raise Invalid(f"expected {schema['const']!r}, got {value!r:.80}", path)
        if "enum" in schema and not any(_same(value, one) for one in schema["enum"]):
            raise Invalid(f"{value!r:.80} is none of {schema['enum']!r:.200}", path)

    def _combined(self, schema: Schema, value: Any, path: str, refs: int) -> None:
        for one in schema.get("allOf", ()):
            self.check(one, value, path, refs)
        for name, least, most in (("anyOf", 1, math.inf), ("oneOf", 1, 1)):
            if name in schema:
                fits = [self._fits(one, value, path, refs) for one in schema[name]]
                if not least <= fits.count("") <= most:
                    whys = "; or ".join(fit for fit in fits if fit) or "it fits several of oneOf"
                    raise Invalid(whys[:400], path)
        if "not" in schema and not self._fits(schema["not"], value, path, refs):
            raise Invalid("it is what the schema says it must not be", path)

    def _fits(self, schema: Any, value: Any, path: str, refs: int) -> str:
        """Why the value does not fit; empty where it does."""
        try:
            self.check(schema, value, path, refs)
        except Invalid as error:
            inner = error.path.removeprefix(path)
            return f"{error.why} at {inner}" if inner else error.why
        return ""

    def _object(self, schema: Schema, value: dict[str, Any], path: str) -> None:
        for name in schema.get("required", ()):
            if name not in value:
                raise Invalid(f"the required field {name} is missing", path)
        _count(schema, len(value), "Properties", "fields", path)
        known = schema.get("properties", {})
        others = schema.get("additionalProperties", True)
        for name, inner in value.items():
            if name in known:
                self.check(known[name], inner, f"{path}.{name}", 0)
            elif others is False:
                raise Invalid(f"there is no field {name}", path)
            else:
                self.check(others, inner, f"{path}.{name}", 0)

    def _array(self, schema: Schema, value: list[Any], path: str) -> None:
        _count(schema, len(value), "Items", "items", path)
        first = schema.get("prefixItems", ())
        rest = schema.get("items", True)
        for at, inner in enumerate(value):
            self.check(first[at] if at < len(first) else rest, inner, f"{path}[{at}]", 0)
        if schema.get("uniqueItems"):
            for at, inner in enumerate(value):
                if any(_same(inner, one) for one in value[:at]):
                    raise Invalid("it is there twice", f"{path}[{at}]")


def _text(schema: Schema, value: str, path: str) -> None:
    _count(schema, len(value), "Length", "characters", path)
    if "pattern" in schema and not re.search(schema["pattern"], value):
        raise Invalid(f"{value!r:.80} does not match {schema['pattern']}", path)


def _number(schema: Schema, value: float, path: str) -> None:
    bounds: tuple[tuple[str, Callable[[Any], bool], str], ...] = (
        ("minimum", lambda bound: value >= bound, "at least"),
        ("maximum", lambda bound: value <= bound, "at most"),
        ("exclusiveMinimum", lambda bound: value > bound, "more than"),
        ("exclusiveMaximum", lambda bound: value < bound, "less than"),
        ("multipleOf", lambda step: abs(math.remainder(value, step)) < 1e-9 * abs(step), "a multiple of"),
    )
    for name, holds, said in bounds:
        if name in schema and not holds(schema[name]):
            raise Invalid(f"{value} is not {said} {schema[name]}", path)


def _count(schema: Schema, count: int, what: str, said: str, path: str) -> None:
    if count < schema.get(f"min{what}", 0):
        raise Invalid(f"{count} {said} are fewer than {schema[f'min{what}']}", path)
    if count > schema.get(f"max{what}", math.inf):
        raise Invalid(f"{count} {said} are more than {schema[f'max{what}']}", path)


def _same(one: Any, other: Any) -> bool:
    return isinstance(one, bool) == isinstance(other, bool) and one == other


def _called(value: Any) -> str:
    return next(name for name, is_one in _TYPES.items() if is_one(value))


def _refuse_unread(schema: Any, field: str) -> None:
    """Walks every place where a schema may stand; what stands in `enum`, `const` or `default` is data."""
    if isinstance(schema, Mapping):
        for name, inner in schema.items():
            if name in _UNREAD:
                why = "this keyword of JSON Schema is not checked here: leave it out, or ask for a type"
                raise RequestError(f"{field}.{name}: {why}", field=f"{field}.{name}", value=name)
            if name in ("properties", "$defs", "definitions") and isinstance(inner, Mapping):
                for key, one in inner.items():
                    _refuse_unread(one, f"{field}.{name}.{key}")
            elif name not in ("enum", "const", "default", "examples"):
                _refuse_unread(inner, f"{field}.{name}")
    elif isinstance(schema, (list, tuple)):
        for at, one in enumerate(schema):
            _refuse_unread(one, f"{field}.{at}")
