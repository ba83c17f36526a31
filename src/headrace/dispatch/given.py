"""What people write for a tool, a choice, a form of answer or a part of a message -> ours.

Mappings may have our own fields, or the shape that OpenAI's users write. What is in neither is an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias, get_args

import msgspec

from headrace.core.message import Part
from headrace.core.request import ResponseFormat, Tool, ToolChoice
from headrace.errors import RequestError

ToolLike: TypeAlias = Tool | Mapping[str, Any]
ChoiceLike: TypeAlias = ToolChoice | Mapping[str, Any] | str
FormatLike: TypeAlias = ResponseFormat | Mapping[str, Any]
_PARTS: dict[str, type[msgspec.Struct]] = {kind.__struct_config__.tag: kind for kind in get_args(Part)}
_MODES: dict[str, ToolChoice] = {
    "auto": ToolChoice("auto"),
    "none": ToolChoice("none"),
    "required": ToolChoice("required"),
}
_FORMATS = ("text", "json_object", "json_schema")


def tool_of(given: ToolLike, where: str) -> Tool:
    """One tool. where: what a RequestError calls it."""
    if isinstance(given, Tool):
        return given
    if callable(given):
        raise RequestError(
            f"{where} is a function: run_tools runs it when it is called;"
            " to offer it only, give headrace.tool(function).request",
            field=where,
            value=given,
        )
    if not isinstance(given, Mapping):
        raise RequestError(f"{where} is {given!r:.80}: give a Tool or a mapping", field=where, value=given)
    plain = given.get("function", given)
    _check_fields(plain, (*Tool.__struct_fields__, "type"), where)
    try:
        return msgspec.convert(plain, Tool)
    except msgspec.ValidationError as error:
        raise RequestError(f"{where} is not a tool: {error}", field=where) from None


def choice_of(given: ChoiceLike | None) -> ToolChoice | None:
    """Whether and which tool: a mode, a tool's name, or {"type": "function", "function": {"name": ...}}."""
    if given is None or isinstance(given, ToolChoice):
        return given
    if isinstance(given, str) and given in _MODES:
        return _MODES[given]
    name: Any = given
    if isinstance(given, Mapping):
        held = given.get("function", given)
        name = held.get("name") if isinstance(held, Mapping) else None
    if not isinstance(name, str) or not name:
        raise RequestError(
            f"tool_choice is {given!r:.80}: give {', '.join(_MODES)}, the name of a tool or a ToolChoice",
            field="tool_choice",
            value=given,
        )
    return ToolChoice("tool", name)


def format_of(given: FormatLike | None) -> ResponseFormat | None:
    """The form of the answer; a mapping is a JSON schema, or {"type": "json_schema", "json_schema": ...}."""
    if given is None or isinstance(given, ResponseFormat):
        return given
    if not isinstance(given, Mapping):
        raise RequestError(
            "response_format must be a ResponseFormat or a JSON schema as a mapping",
            field="response_format",
            value=given,
        )
    kind = given.get("type")
    if kind not in _FORMATS:  # no JSON schema has one of these types
        return ResponseFormat("json_schema", name=str(given.get("title", "answer")), schema=dict(given))
    told = {"name": "answer", **_told(given)} if kind == "json_schema" else {}
    try:
        return msgspec.convert({"kind": kind, **told}, ResponseFormat)
    except msgspec.ValidationError as error:
        raise RequestError(f"response_format is not one: {error}", field="response_format") from None


def _told(given: Mapping[str, Any]) -> dict[str, Any]:
    where = "response_format.json_schema"
    told = given.get("json_schema")
    if not isinstance(told, Mapping) or not isinstance(told.get("schema"), Mapping):
        raise RequestError(f"{where} must hold a schema", field=where, value=told)
    _check_fields(told, ("name", "schema", "strict"), where)
    return {name: value for name, value in told.items() if value is not None}


def parts_of(given: Any, where: str) -> tuple[Part, ...]:
    """The parts of one message. where: what a RequestError calls them."""
    if isinstance(given, list | tuple):
        for index, part in enumerate(given):
            _check_part(part, f"{where}.{index}")
    try:
        return msgspec.convert(given, tuple[Part, ...], from_attributes=True)
    except msgspec.ValidationError as error:
        raise RequestError(f"{where} must be text or message parts: {error}", field=where) from None


def _check_part(given: Any, where: str) -> None:
    if not isinstance(given, Mapping):
        return
    kind = given.get("type")
    if not isinstance(kind, str) or kind not in _PARTS:
        raise RequestError(
            f"{where}.type is {kind!r}: choose one of {', '.join(_PARTS)}", field=f"{where}.type", value=kind
        )
    _check_fields(given, ("type", *_PARTS[kind].__struct_fields__), where)
    inner = given.get("parts")
    if isinstance(inner, list | tuple):
        for index, part in enumerate(inner):
            _check_part(part, f"{where}.parts.{index}")


def _check_fields(given: Any, known: tuple[str, ...], where: str) -> None:
    """A field that nobody reads is an error, since it was meant."""
    if not isinstance(given, Mapping):
        raise RequestError(f"{where} is {given!r:.80}: give a mapping", field=where, value=given)
    for name in given:
        if name not in known:
            field = f"{where}.{name}"
            raise RequestError(f"{field} is not known: there are {', '.join(known)}", field=field)


__all__ = ["ChoiceLike", "FormatLike", "ToolLike", "choice_of", "format_of", "parts_of", "tool_of"]
