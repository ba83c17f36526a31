"""What is asked beside the messages: tools, the form of the answer, settings; both ways.

The transport itself sends none of it: a page adds it to the body (`body` of the transport or of one call).
The names and shapes are those of the package's own call options, so that a page writes what it knows.
Source: the npm package `ai` 7.0.173, `prompt/language-model-call-options.ts`, and `@ai-sdk/provider` 4.0.38,
`language-model/v4/`, read 2026-11-25. Ours is the form of `tools`, a map by name, and `strict` of a format.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from headrace.core.request import RANGES, GenerationSettings, Request, ResponseFormat, Tool, ToolChoice
from headrace.errors import RequestError
from headrace.wire.effort import warn_of_word
from headrace.wire.kept import warn
from headrace.wire.reading import in_range, quoted, read_fields
from headrace.wire.ui_messages.metadata import Part

# The package's name of a number -> ours.
_NUMBERS = {
    "maxOutputTokens": "max_tokens",
    "temperature": "temperature",
    "topP": "top_p",
    "topK": "top_k",
    "presencePenalty": "presence_penalty",
    "frequencyPenalty": "frequency_penalty",
    "seed": "seed",
}
_MODES = ("auto", "none", "required")
_UNSAID = "provider-default"
_NOWHERE = ("min_p", "logit_bias", "top_logprobs")
_NO_FIELD = "{} was left out: this protocol has no field for it"


class ToolBody(msgspec.Struct):
    """A tool, under its name. inputSchema: a JSON schema."""

    inputSchema: dict[str, Any]
    description: str | None = None
    strict: bool | None = None


class FormatBody(msgspec.Struct):
    """The form of the answer. schema: a JSON schema."""

    type: Literal["text", "json"]
    schema: dict[str, Any] | None = None
    name: str | None = None
    description: str | None = None
    strict: bool | None = None


class ChoiceBody(msgspec.Struct):
    """Whether tools are called, or which one."""

    type: Literal["auto", "none", "required", "tool"]
    toolName: str | None = None


class OptionsBody(msgspec.Struct):
    """The options of a body."""

    tools: dict[str, Any] | None = None
    toolChoice: str | ChoiceBody | None = None
    responseFormat: FormatBody | None = None
    maxOutputTokens: int | None = None
    temperature: float | None = None
    topP: float | None = None
    topK: int | None = None
    presencePenalty: float | None = None
    frequencyPenalty: float | None = None
    seed: int | None = None
    stopSequences: list[str] | None = None
    reasoning: str | None = None


def settings_from(body: OptionsBody) -> GenerationSettings:
    """The settings. Raises RequestError that names the field."""
    numbers = {ours: getattr(body, name) for name, ours in _NUMBERS.items()}
    for name, ours in _NUMBERS.items():
        in_range(name, numbers[ours], *RANGES[ours])
    stops = body.stopSequences or []
    if "" in stops:
        said = "stopSequences: a text that ends the answer must not be empty"
        raise RequestError(said, field="stopSequences", value=stops)
    effort = None if body.reasoning == _UNSAID else body.reasoning
    return GenerationSettings(**numbers, stop=tuple(stops), reasoning_effort=effort)


def tools_from(body: OptionsBody) -> tuple[Tool, ...]:
    """The tools. Raises RequestError that names the field."""
    return tuple(_tool_from(name, told) for name, told in (body.tools or {}).items())


def _tool_from(name: str, told: Any) -> Tool:
    field = f"tools.{name}"
    if not isinstance(told, dict):
        raise RequestError(f"{field}: expected an object (it is {quoted(told)})", field=field, value=told)
    try:
        tool = read_fields(told, ToolBody)
    except RequestError as error:
        raise RequestError(
            f"{field}.{error.message}", field=f"{field}.{error.field}", value=error.value
        ) from None
    return Tool(name, tool.description or "", tool.inputSchema, tool.strict)


def choice_from(body: OptionsBody) -> ToolChoice | None:
    """Whether to call tools. Raises RequestError that names the field."""
    choice = body.toolChoice
    if choice is None:
        return None
    mode = choice if isinstance(choice, str) else choice.type
    if mode in _MODES:
        if mode == "required" and not body.tools:
            said = "toolChoice: a call is required, but there are no tools"
            raise RequestError(said, field="toolChoice", value=mode)
        return ToolChoice("required" if mode == "required" else "none" if mode == "none" else "auto")
    if isinstance(choice, str):
        said = f"toolChoice: must be auto, none, required or a tool (it is {quoted(choice)})"
        raise RequestError(said, field="toolChoice", value=choice)
    if choice.toolName not in (body.tools or {}):
        said = f"toolChoice.toolName: no tool is called {quoted(choice.toolName)}"
        raise RequestError(said, field="toolChoice.toolName", value=choice.toolName)
    return ToolChoice("tool", choice.toolName or "")


def format_from(body: OptionsBody, warnings: list[str]) -> ResponseFormat | None:
    """The form of the answer."""
    wanted = body.responseFormat
    if wanted is None:
        return None
    if wanted.type == "text":
        return ResponseFormat()
    if wanted.description:
        warn(warnings, "responseFormat.description has no effect here: describe the schema itself")
    if wanted.schema is None:
        return ResponseFormat("json_object")
    return ResponseFormat("json_schema", wanted.name or "", wanted.schema, wanted.strict)


def option_fields(request: Request, warnings: list[str]) -> Part:
    """The fields of a body that ask for the same; what has no place is a warning."""
    fields: Part = {}
    if request.tools:
        fields["tools"] = {tool.name: _tool_body(tool) for tool in request.tools}
    if request.tool_choice is not None:
        choice = request.tool_choice
        fields["toolChoice"] = (
            {"type": "tool", "toolName": choice.name} if choice.mode == "tool" else choice.mode
        )
    if request.response_format is not None:
        fields["responseFormat"] = _format_body(request.response_format)
    _settings(request.settings, fields, warnings)
    if request.parallel_tool_calls is not None:
        warn(warnings, _NO_FIELD.format("parallel_tool_calls"))
    if request.user:
        warn(warnings, _NO_FIELD.format("user"))
    return fields


def _tool_body(tool: Tool) -> Part:
    body: Part = {"inputSchema": tool.parameters or {"type": "object", "properties": {}}}
    if tool.description:
        body["description"] = tool.description
    if tool.strict is not None:
        body["strict"] = tool.strict
    return body


def _format_body(wanted: ResponseFormat) -> Part:
    if wanted.kind == "text":
        return {"type": "text"}
    body: Part = {"type": "json"}
    if wanted.schema is not None:
        body["schema"] = wanted.schema
    if wanted.name:
        body["name"] = wanted.name
    if wanted.strict is not None:
        body["strict"] = wanted.strict
    return body


def _settings(settings: GenerationSettings, fields: Part, warnings: list[str]) -> None:
    for name, ours in _NUMBERS.items():
        value = getattr(settings, ours)
        if value is not None:
            fields[name] = value
    if settings.stop:
        fields["stopSequences"] = list(settings.stop)
    if settings.effort is not None:
        fields["reasoning"] = settings.effort
        warn_of_word(settings, warnings)
    lost = [name for name in _NOWHERE if getattr(settings, name) is not None]
    for name in (*lost, *(["logprobs"] if settings.logprobs else [])):
        warn(warnings, _NO_FIELD.format(name))
    if settings.n != 1:
        warn(warnings, "n was left out: this protocol gives one answer")
