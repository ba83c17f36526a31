"""The vendor's dialect of OpenAPI schemas -> JSON schema: types in capitals, `nullable`, numbers as text."""

from __future__ import annotations

from typing import Any

from headrace.wire.gemini.schema import Fields

_LOWER = ("STRING", "NUMBER", "INTEGER", "BOOLEAN", "ARRAY", "OBJECT", "NULL")
_COUNTS = ("minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties")
_SPELLINGS = {
    "any_of": "anyOf",
    "property_ordering": "propertyOrdering",
    "min_items": "minItems",
    "max_items": "maxItems",
    "min_length": "minLength",
    "max_length": "maxLength",
    "min_properties": "minProperties",
    "max_properties": "maxProperties",
}
_NOT_JSON_SCHEMA = ("propertyOrdering", "nullable", "example")


def json_schema(schema: Fields) -> Fields:
    """The same schema for those who read JSON schema; what is neither is left as it is."""
    out: Fields = {}
    for given, value in schema.items():
        name = _SPELLINGS.get(given, given)
        if name == "type" and isinstance(value, str) and value.upper() in _LOWER:
            out[name] = value.lower()
        elif name == "properties" and isinstance(value, dict):
            out[name] = {key: _inner(one) for key, one in value.items()}
        elif name == "anyOf" and isinstance(value, list):
            out[name] = [_inner(one) for one in value]
        elif name == "items":
            out[name] = _inner(value)
        elif name in _COUNTS and isinstance(value, str) and value.isdecimal():
            out[name] = int(value)
        elif name not in _NOT_JSON_SCHEMA:
            out[name] = value
    if schema.get("nullable") and isinstance(out.get("type"), str):
        out["type"] = [out["type"], "null"]
    return out


def _inner(schema: Any) -> Any:
    return json_schema(schema) if isinstance(schema, dict) else schema
