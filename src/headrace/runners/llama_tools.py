"""Tool calls for models whose template knows none: a JSON schema holds the answer to the form of a call.

Where the caller pins one tool, the answer *is* its arguments. Where any tool may be called, the answer is
`{"name": ..., "arguments": {...}}` and the arguments are taken out as they come.
"""

from __future__ import annotations

import json
import re
from typing import Any, Literal

import msgspec

from headrace.core.request import Request, Tool
from headrace.errors import RequestError
from headrace.runners.schema_bounds import SchemaCheck

_WARN_AUTO = (
    "the local model cannot choose between an answer and a tool call by itself: it answers in text; "
    'set tool_choice to "required" or to one tool for a call'
)
_WARN_PARALLEL = "the local model makes one tool call an answer: parallel_tool_calls has no effect"
# The engine's JSON grammar writes the properties in the schema's order, so the name always comes first.
_HEAD = re.compile(r'\s*\{\s*"name"\s*:\s*("(?:[^"\\]|\\.)*")\s*,\s*"arguments"\s*:\s*(?=\S)')
_MARK = re.compile(r'["\\{}]')


class ToolPlan(msgspec.Struct, frozen=True):
    """How a request's tools are met. schema: of the whole answer; name: of the pinned tool."""

    form: Literal["text", "one-tool", "any-tool"] = "text"
    name: str = ""
    schema: Any = None
    instruction: str = ""
    warnings: tuple[str, ...] = ()


def tool_plan(request: Request) -> ToolPlan:
    """What to do about the request's tools. Raises RequestError for a choice that names none of them."""
    choice = request.tool_choice
    mode = choice.mode if choice is not None else "auto"
    if mode == "none" or (not request.tools and mode == "auto"):
        return ToolPlan()
    if mode == "auto":
        return ToolPlan(warnings=(_WARN_AUTO,))
    if not request.tools:
        raise RequestError("a tool must be called and none is given", field="tools")
    warnings = (_WARN_PARALLEL,) if request.parallel_tool_calls else ()
    tools = _chosen(request.tools, choice.name if choice is not None and mode == "tool" else "")
    _check(request.tools, tools)
    if len(tools) == 1:
        tool = tools[0]
        asked = f"Call the function {_described(tool)}. Answer with its arguments as JSON."
        return ToolPlan("one-tool", tool.name, _parameters(tool), asked, warnings)
    listed = "\n".join(_described(tool) for tool in tools)
    asked = f'Call one of these functions. Answer with JSON: {{"name": ..., "arguments": ...}}.\n{listed}'
    return ToolPlan("any-tool", "", {"anyOf": [_call_schema(tool) for tool in tools]}, asked, warnings)


def _chosen(tools: tuple[Tool, ...], name: str) -> tuple[Tool, ...]:
    if not name:
        return tools
    named = tuple(tool for tool in tools if tool.name == name)[:1]
    if not named:
        raise RequestError(f"no tool is called {name!r}", field="tool_choice", value=name)
    return named


def _check(given: tuple[Tool, ...], used: tuple[Tool, ...]) -> None:
    """Raises RequestError for parameters too large for the engine; those that are not used do not count."""
    check, ids = SchemaCheck(), {id(tool) for tool in used}
    for place, tool in enumerate(given):
        if id(tool) in ids:
            check.check(tool.parameters, f"tools.{place}.parameters")


def _parameters(tool: Tool) -> dict[str, Any]:
    return tool.parameters or {"type": "object", "properties": {}, "additionalProperties": False}


def _described(tool: Tool) -> str:
    told = {"name": tool.name, "description": tool.description, "parameters": _parameters(tool)}
    return json.dumps(told, ensure_ascii=False)


def _call_schema(tool: Tool) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {"name": {"const": tool.name}, "arguments": _parameters(tool)},
        "required": ["name", "arguments"],
        "additionalProperties": False,
    }


class CallReader:
    """Text of `{"name": ..., "arguments": {...}}` in any split -> the name, then the arguments' text.

    name: empty until its part has come. Linear: the arguments are scanned once.
    """

    def __init__(self) -> None:
        self.name = ""
        self._head = ""
        self._depth = 0
        self._in_string = False
        self._escaped = False
        self._done = False

    def feed(self, text: str) -> str:
        """The arguments' text that `text` adds."""
        if not self.name:
            self._head += text
            found = _HEAD.match(self._head)
            if found is None:
                return ""
            self.name = json.loads(found[1])
            text = self._head[found.end() :]
        return self._within(text)

    def _within(self, text: str) -> str:
        if self._done or not text:  # an empty text ends no escape
            return ""
        start = 1 if self._escaped else 0
        self._escaped = False
        while (mark := _MARK.search(text, start)) is not None:
            start = mark.end()
            if mark[0] == "\\":
                self._escaped = start == len(text)
                start += 1
            elif mark[0] == '"':
                self._in_string = not self._in_string
            elif not self._in_string:
                self._depth += 1 if mark[0] == "{" else -1
                if self._depth == 0:
                    self._done = True
                    return text[: mark.end()]
        return text
