"""A type as it is asked for: its schema, its name, and the form in which the answer comes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, TypeAlias

from headrace.core.request import ResponseFormat, Tool, ToolChoice
from headrace.dispatch.ask import Ask
from headrace.errors import RequestError
from headrace.structured.schema import schema_of, strict_schema
from headrace.structured.worlds import made_dict

ObjectMode: TypeAlias = Literal["schema", "tool"]
_NO_NAME = re.compile(r"[^a-zA-Z0-9_-]+")
_LONGEST_NAME = 64


class Wanted(NamedTuple):
    """A type as it is asked for. output: what is read; wrapped: as the field `value` of an object.

    strict: whether the schema is in the strict form. warning: why it is not, where that was not asked for.
    """

    output: Any
    name: str
    schema: dict[str, Any]
    strict: bool
    mode: ObjectMode
    wrapped: bool
    warning: str = ""

    def ask(self, ask: Ask) -> Ask:
        """The keywords of the call, with what asks for the value."""
        for name in ("response_format", *(("tool_choice",) if self.mode == "tool" else ())):
            if ask.get(name) is not None:
                raise RequestError(f"{name} is set by output: leave it out", field=name, value=ask.get(name))
        strict = True if self.strict else None
        if self.mode == "schema":
            return {**ask, "response_format": ResponseFormat("json_schema", self.name, self.schema, strict)}
        told = self.schema.get("description") or "Gives the answer."
        tool = Tool(self.name, str(told), self.schema, strict)
        return {
            **ask,
            "tools": [*(ask.get("tools") or ()), tool],
            "tool_choice": ToolChoice("tool", self.name),
        }


def want(output: Any, *, mode: ObjectMode = "schema", strict: bool | None = None) -> Wanted:
    """How a type is asked for. Arguments as in `stream_object`."""
    if mode not in ("schema", "tool"):
        raise RequestError(f"mode is {mode!r}: choose one of schema, tool", field="mode", value=mode)
    schema = schema_of(output)
    name = _name(output, schema)
    wrapped = schema.get("type") != "object"
    if wrapped:
        output, schema = _wrapped(output, schema)
    warning = ""
    if strict is not False:
        try:
            return Wanted(output, name, strict_schema(schema), True, mode, wrapped)
        except RequestError as error:
            if strict:
                raise
            warning = f"the answer may stray from what was asked for: {error.message}"
    return Wanted(output, name, schema, False, mode, wrapped, warning)


def _name(output: Any, schema: Mapping[str, Any]) -> str:
    name = _NO_NAME.sub("_", str(schema.get("title") or getattr(output, "__name__", "answer"))).strip("_")
    return name[:_LONGEST_NAME] or "answer"


def _wrapped(output: Any, schema: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Providers want an object at the root: the value becomes its one field."""
    if not isinstance(output, Mapping):
        held = made_dict("Answer", {"value": output})
        return held, schema_of(held)
    outer: dict[str, Any] = {"type": "object", "properties": {"value": schema}, "required": ["value"]}
    if "$defs" in schema:  # references count from the root
        outer["$defs"] = schema.pop("$defs")
    return outer, outer


def unwrapped(answer: Any) -> Any:
    """The value inside a wrapped answer, as far as that has come."""
    return None if answer is None else answer.get("value")
