"""A type -> its JSON schema, in the forms that providers want."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from headrace.errors import RequestError
from headrace.structured.hints import key_orders
from headrace.structured.worlds import world_of

Schema = dict[str, Any]
# Of string formats, those that both vendors with strict schemas take.
_FORMATS = frozenset({"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"})
_SAYS_WHAT = frozenset({"$ref", "allOf", "anyOf", "const", "enum", "type"})
_LIMITS = (
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "pattern",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
)


def schema_of(output: Any) -> Schema:
    """The JSON schema of a type, an object at its root where it can be; a mapping is a schema already.

    Raises: RequestError for a type that has none.
    """
    if isinstance(output, Mapping):
        return _with_plain_root(copy.deepcopy(dict(output)))
    try:
        schema = world_of(output).schema(output)
    except TypeError as error:
        why = (
            str(error).strip().rpartition("\n")[2]
        )  # msgspec's last line; what comes before is for its own users
        raise RequestError(f"this type has no JSON schema: {why}", field="output", value=output) from None
    schema = _with_plain_root(copy.deepcopy(schema))
    orders = key_orders(output)
    for one in (schema, *schema.get("$defs", {}).values()):
        _put_in_order(one, orders)
    return schema


def strict_schema(schema: Mapping[str, Any]) -> Schema:
    """The schema in the form that providers with strict structured output take.

    OpenAI (`strict: true`) and Anthropic (`output_config.format`) generate nothing but JSON of the schema,
    and take only a part of JSON Schema for it. So here every object refuses further fields; all of its fields
    are required (one that has a default is written all the same); `oneOf` becomes `anyOf`; a reference stands
    alone; the root is an object itself; defaults are left out; and limits that one of the two refuses
    (minimum, maxLength, pattern, rare formats, ...) are told in the description instead. What comes is
    checked here against the type, limits and all.

    Raises: RequestError for a schema without such a form: the root is no object, or an object has free keys.
    Source: the official SDKs, openai 3.52 `lib/_pydantic.py` and anthropic 2.11 `lib/_parse/_transform.py`,
    read 2026-11-25.
    """
    root = _with_plain_root(copy.deepcopy(dict(schema)))
    strict = _strict(root, root, "")
    if strict.get("type") != "object":
        raise RequestError(
            "a strict schema is an object at its root: put what you ask for into a field of one",
            field="response_format",
            value=schema,
        )
    return strict


def _put_in_order(schema: Schema, orders: Mapping[frozenset[str], Sequence[str]]) -> None:
    """Fields as the class has them, which is the order that models write them in."""
    fields = schema.get("properties", {})
    order = orders.get(frozenset(fields))
    if order is not None:
        schema["properties"] = {name: fields[name] for name in order}


def _with_plain_root(schema: Schema) -> Schema:
    """The root itself in place of a reference to it."""
    ref = schema.get("$ref")
    if ref is None:
        return schema
    found = {**_resolved(schema, ref), **{name: one for name, one in schema.items() if name != "$ref"}}
    definitions = found.get("$defs", {})
    name = ref.removeprefix("#/$defs/")
    others = {key: one for key, one in definitions.items() if key != name}
    # Its own definition stays only where it holds itself.
    if ref.encode() not in msgspec.json.encode({**found, "$defs": others}):
        found["$defs"] = others
    if not found.get("$defs", True):
        del found["$defs"]
    return found


def _resolved(root: Schema, ref: str) -> Schema:
    place: Any = root
    for step in ref.removeprefix("#/").split("/"):
        place = place[step.replace("~1", "/").replace("~0", "~")]
    return dict(place)


def _strict(schema: Any, root: Schema, path: str) -> Schema:
    if not isinstance(schema, dict):
        raise _no_form(path, "anything at all is allowed")
    if set(schema) == {"$ref"}:
        return dict(schema)
    schema = _alone(schema, root)
    for name in schema.keys() & {"$defs", "definitions"}:
        schema[name] = {key: _strict(one, root, f"{path}.{key}") for key, one in schema[name].items()}
    if "oneOf" in schema:
        schema["anyOf"] = schema.pop("oneOf")
    for name in schema.keys() & {"anyOf", "allOf"}:
        schema[name] = [_strict(one, root, path) for one in schema[name]]
    if schema.get("type") == "object" or "properties" in schema:
        _strict_object(schema, root, path)
    if schema.get("type") == "array":
        schema["items"] = _strict(schema.get("items"), root, f"{path}[]")
    if schema.keys().isdisjoint(_SAYS_WHAT):
        raise _no_form(path, "anything at all is allowed")
    return _told_limits(schema)


def _alone(schema: Schema, root: Schema) -> Schema:
    """A copy without what says nothing, and with a reference that others stand beside written out."""
    plain = {
        name: value for name, value in schema.items() if name not in ("$ref", "default", "discriminator")
    }
    return {**_resolved(root, schema["$ref"]), **plain} if "$ref" in schema else plain


def _strict_object(schema: Schema, root: Schema, path: str) -> None:
    if isinstance(schema.get("additionalProperties"), dict) or "properties" not in schema:
        raise _no_form(path, "an object with free keys stands there")
    fields = schema["properties"]
    schema["properties"] = {name: _strict(one, root, f"{path}.{name}") for name, one in fields.items()}
    schema["required"] = list(fields)
    schema["additionalProperties"] = False


def _told_limits(schema: Schema) -> Schema:
    told = {name: schema.pop(name) for name in _LIMITS if name in schema}
    if "format" in schema and schema["format"] not in _FORMATS:
        told["format"] = schema.pop("format")
    if told:
        said = ", ".join(f"{name}: {value}" for name, value in told.items())
        before = f"{schema['description']} " if schema.get("description") else ""
        schema["description"] = f"{before}({said})"
    return schema


def _no_form(path: str, why: str) -> RequestError:
    where = path.lstrip(".") or "the root"
    return RequestError(
        f"this schema has no strict form: at {where} {why}", field="response_format", value=where
    )
