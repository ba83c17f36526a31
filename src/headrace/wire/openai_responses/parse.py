"""A client's body -> Request, with errors that name the field."""

from __future__ import annotations

from typing import Any

from headrace.core.message import Message, TextPart
from headrace.core.opaque import Opaque
from headrace.core.request import GenerationSettings, Request, ResponseFormat, Tool, ToolChoice
from headrace.errors import RequestError
from headrace.wire.base import ParsedRequest
from headrace.wire.kept import only_here, warn_each
from headrace.wire.openai_responses.parse_input import messages_from
from headrace.wire.openai_responses.request import RequestBody, ToolBody
from headrace.wire.openai_responses.schema import WIRE_NAME
from headrace.wire.reading import at_least, check_ranges, quoted, read_body

Fields = dict[str, Any]

# A function that takes the free text of a custom tool, for targets that know functions only.
_FREE_TEXT: Fields = {
    "type": "object",
    "properties": {"input": {"type": "string"}},
    "required": ["input"],
    "additionalProperties": False,
}
_LOGPROBS = "message.output_text.logprobs"
_READ = (
    *("model", "input", "instructions", "stream", "max_output_tokens", "temperature", "top_p"),
    *("top_logprobs", "tools", "tool_choice", "parallel_tool_calls", "user", "reasoning", "text"),
    *("previous_response_id", "conversation", "background", "stream_options"),
)
# Values that ask for nothing.
_HARMLESS: Fields = {
    "store": False,
    "truncation": "disabled",
    "metadata": {},
    "service_tier": "auto",
    "include": [],
}
_QUIET = ("prompt_cache_key", "prompt_cache_retention", "safety_identifier", "include")


def parse_request(body: bytes) -> ParsedRequest:
    """Read a client's body. Raises RequestError that names the field (or, for broken JSON, the place).

    Fields that we do not know are kept in `Request.vendor` for a target that speaks this protocol.
    """
    parsed, data = read_body(body, RequestBody)
    _check(parsed)
    warnings: list[str] = []
    kept = _vendor(parsed, data, warnings)
    request = Request(
        model=parsed.model,
        messages=_messages(parsed, warnings),
        settings=_settings(parsed),
        tools=_tools(parsed, data),
        tool_choice=_tool_choice(parsed, kept, data),
        parallel_tool_calls=parsed.parallel_tool_calls,
        response_format=_format(parsed),
        user=parsed.user or "",
        vendor=Opaque(WIRE_NAME, kept) if kept else None,
    )
    return ParsedRequest(
        request,
        bool(parsed.stream),
        True,
        tuple(warnings),
        told=frozenset(kept),
        background=bool(parsed.background),
    )


def _check(body: RequestBody) -> None:
    """What types alone do not tell, and what needs a memory of earlier answers."""
    if not body.model:
        raise RequestError("model: must not be empty", field="model", value=body.model)
    if not body.input and not body.instructions:
        raise RequestError("input: must not be empty", field="input", value=body.input)
    for name in ("previous_response_id", "conversation"):
        if getattr(body, name):
            said = f"{name}: answers are not stored here: send the whole conversation as input"
            raise RequestError(said, field=name, value=getattr(body, name))
    values = {name: getattr(body, name) for name in ("temperature", "top_p", "top_logprobs")}
    check_ranges(values)
    at_least("max_output_tokens", body.max_output_tokens, 1)


def _messages(body: RequestBody, warnings: list[str]) -> tuple[Message, ...]:
    messages: list[Message] = []
    if body.instructions:
        marked = Opaque(WIRE_NAME, {"instructions": True})
        messages.append(Message("system", (TextPart(body.instructions),), vendor=marked))
    if isinstance(body.input, str):
        if body.input:
            messages.append(Message("user", (TextPart(body.input),)))
        return tuple(messages)
    return (*messages, *messages_from(body.input, warnings))


def _settings(body: RequestBody) -> GenerationSettings:
    return GenerationSettings(
        max_tokens=body.max_output_tokens,
        temperature=body.temperature,
        top_p=body.top_p,
        logprobs=bool(body.top_logprobs) or _LOGPROBS in (body.include or ()),
        top_logprobs=body.top_logprobs,
        reasoning_effort=body.reasoning.effort if body.reasoning is not None else None,
    )


def _tools(body: RequestBody, data: Fields) -> tuple[Tool, ...]:
    tools: list[Tool] = []
    for place, tool in enumerate(body.tools or ()):
        if tool.type not in ("function", "custom"):
            continue
        if not tool.name:
            raise RequestError(f"tools.{place}.name: is missing", field=f"tools.{place}.name")
        parameters = _FREE_TEXT if tool.type == "custom" else tool.parameters or {}
        raw = Opaque(WIRE_NAME, data["tools"][place])
        tools.append(Tool(tool.name, tool.description or "", parameters, tool.strict, raw))
    return tuple(tools)


def _tool_choice(body: RequestBody, kept: Fields, data: Fields) -> ToolChoice | None:
    choice = body.tool_choice
    if choice is None:
        return None
    names = [tool.name for tool in body.tools or () if tool.type in ("function", "custom")]
    if isinstance(choice, str):
        if choice not in ("auto", "none", "required"):
            said = f"tool_choice: must be auto, none, required or a tool (it is {quoted(choice)})"
            raise RequestError(said, field="tool_choice", value=choice)
        return ToolChoice("required" if choice == "required" else "none" if choice == "none" else "auto")
    if choice.type not in ("function", "custom"):
        kept["tool_choice"] = data["tool_choice"]
        return None
    if choice.name not in names:
        said = f"tool_choice.name: no tool is called {quoted(choice.name)}"
        raise RequestError(said, field="tool_choice.name", value=choice.name)
    return ToolChoice("tool", choice.name or "")


def _format(body: RequestBody) -> ResponseFormat | None:
    wanted = body.text.format if body.text is not None else None
    if wanted is None:
        return None
    match wanted.type:
        case "json_schema":
            if wanted.schema is None:
                raise RequestError("text.format.schema: is missing", field="text.format.schema")
            return ResponseFormat("json_schema", wanted.name or "", wanted.schema, wanted.strict)
        case "json_object":
            return ResponseFormat("json_object")
        case "text":
            return ResponseFormat("text")
    said = f"text.format.type: must be text, json_object or json_schema (it is {quoted(wanted.type)})"
    raise RequestError(said, field="text.format.type", value=wanted.type)


def _vendor(body: RequestBody, data: Fields, warnings: list[str]) -> Fields:
    """What has no place in `Request`; a warning for each that asks for something."""
    kept = {name: value for name, value in data.items() if name not in _READ and value is not None}
    told = [name for name, value in kept.items() if name not in _QUIET and value != _HARMLESS.get(name)]
    for name, known in (("reasoning", ("effort",)), ("text", ())):
        rest = {key: value for key, value in (data.get(name) or {}).items() if key not in known}
        told += [f"{name}.{key}" for key, value in rest.items() if value is not None and key != "format"]
        if rest:
            kept[name] = rest
    vendors = [_tool_place(place, tool) for place, tool in enumerate(body.tools or ())]
    built_in = [data["tools"][place] for place, tool in enumerate(body.tools or ()) if vendors[place]]
    if built_in:
        kept["tools"] = built_in
    told += [named for named in vendors if named]
    if not isinstance(body.tool_choice, str | None) and body.tool_choice.type not in ("function", "custom"):
        told.append(f"tool_choice {body.tool_choice.type}")
    warn_each(warnings, (only_here(name) for name in told))
    return kept


def _tool_place(place: int, tool: ToolBody) -> str:
    return "" if tool.type in ("function", "custom") else f"tools.{place} ({tool.type})"
