"""The vendor's request body -> Request, with errors that name the field."""

from __future__ import annotations

from typing import Any

from headrace.core.excerpt import excerpt
from headrace.core.message import Message
from headrace.core.opaque import Opaque
from headrace.core.request import RANGES, GenerationSettings, Request, ResponseFormat, Tool, ToolChoice
from headrace.errors import RequestError
from headrace.wire.base import ParsedRequest
from headrace.wire.kept import only_here, warn_each
from headrace.wire.openai_chat.body import (
    KNOWN,
    ChoiceBody,
    CustomTool,
    FunctionSpec,
    Named,
    ObjectFormat,
    RequestBody,
    SchemaFormat,
)
from headrace.wire.openai_chat.parse_message import message_from
from headrace.wire.openai_chat.schema import WIRE_NAME
from headrace.wire.openai_chat.sound import sound_from
from headrace.wire.reading import check_ranges, in_range, quoted, read_body

MAX_STOPS = 4

# Standard fields with no place in `Request`: they reach a provider that speaks this protocol, no other.
PASSED_ON = (
    "metadata",
    "moderation",
    "prediction",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "safety_identifier",
    "service_tier",
    "store",
    "verbosity",
    "web_search_options",
)
_HARMLESS: dict[str, Any] = {"service_tier": "auto", "store": False, "metadata": {}}


def parse_request(body: bytes) -> ParsedRequest:
    """Read a client's body. Raises RequestError that names the field (or, for broken JSON, the place).

    Fields that we do not know are kept in `Request.vendor` for a target that speaks this protocol.
    """
    parsed, data = read_body(body, RequestBody)
    _check(parsed)
    warnings: list[str] = []
    modalities, speech, more = sound_from(parsed.modalities, parsed.audio, data)
    request = Request(
        model=parsed.model,
        messages=_messages(parsed, data),
        settings=_settings(parsed, warnings),
        tools=_tools(parsed, data),
        tool_choice=_tool_choice(parsed),
        parallel_tool_calls=parsed.parallel_tool_calls,
        response_format=_format(parsed),
        user=parsed.user or "",
        vendor=_vendor(data, more, warnings),
        modalities=modalities,
        speech=speech,
    )
    options = parsed.stream_options
    return ParsedRequest(
        request=request,
        stream=bool(parsed.stream),
        include_usage=bool(options and options.include_usage),
        warnings=tuple(warnings),
        told=frozenset(PASSED_ON),
    )


def _check(body: RequestBody) -> None:
    """What types alone do not tell."""
    if not body.model:
        raise RequestError("model: must not be empty", field="model", value=body.model)
    if not body.messages:
        raise RequestError("messages: must hold at least one message", field="messages", value=[])
    check_ranges({name: getattr(body, name) for name in RANGES if hasattr(body, name)})
    in_range("max_completion_tokens", body.max_completion_tokens, *RANGES["max_tokens"])
    for token, bias in (body.logit_bias or {}).items():
        in_range(f"logit_bias.{excerpt(token)}", bias, -100, 100)
    if body.top_logprobs is not None and not body.logprobs:
        raise RequestError(
            "top_logprobs: needs logprobs to be true", field="top_logprobs", value=body.top_logprobs
        )
    if body.stream_options is not None and not body.stream:
        raise RequestError("stream_options: needs stream to be true", field="stream_options")
    _check_stops(body.stop)


def _check_stops(stop: str | list[str] | None) -> None:
    stops = [stop] if isinstance(stop, str) else stop or []
    if len(stops) > MAX_STOPS:
        raise RequestError(
            f"stop: at most {MAX_STOPS} texts (there are {len(stops)})", field="stop", value=stop
        )
    if "" in stops:
        raise RequestError("stop: a text that ends the answer must not be empty", field="stop", value=stop)


def _settings(body: RequestBody, warnings: list[str]) -> GenerationSettings:
    limit = body.max_tokens if body.max_completion_tokens is None else body.max_completion_tokens
    if body.max_tokens is not None and limit != body.max_tokens:
        warnings.append("max_tokens has no effect beside max_completion_tokens")
    return GenerationSettings(
        max_tokens=limit,
        temperature=body.temperature,
        top_p=body.top_p,
        top_k=body.top_k,
        min_p=body.min_p,
        frequency_penalty=body.frequency_penalty,
        presence_penalty=body.presence_penalty,
        seed=body.seed,
        stop=(body.stop,) if isinstance(body.stop, str) else tuple(body.stop or ()),
        logprobs=bool(body.logprobs),
        top_logprobs=body.top_logprobs,
        n=body.n or 1,
        reasoning_effort=body.reasoning_effort,
        logit_bias=body.logit_bias,
    )


def _messages(body: RequestBody, data: dict[str, Any]) -> tuple[Message, ...]:
    raw = data["messages"]
    return tuple(
        message_from(one, raw[place], f"messages.{place}") for place, one in enumerate(body.messages)
    )


def _tools(body: RequestBody, data: dict[str, Any]) -> tuple[Tool, ...]:
    tools: list[Tool] = []
    for place, tool in enumerate(body.tools or ()):
        raw = data["tools"][place]
        if isinstance(tool, CustomTool):
            custom = tool.custom
            tools.append(Tool(custom.name, custom.description or "", vendor=Opaque(WIRE_NAME, raw)))
        else:
            tools.append(_tool(tool.function))
    return (*tools, *(_tool(function) for function in body.functions or ()))


def _tool(function: FunctionSpec) -> Tool:
    return Tool(function.name, function.description or "", function.parameters or {}, function.strict)


def _tool_choice(body: RequestBody) -> ToolChoice | None:
    choice = body.tool_choice if body.tool_choice is not None else body.function_call
    field = "tool_choice" if body.tool_choice is not None else "function_call"
    if choice is None:
        return None
    names = [
        tool.custom.name if isinstance(tool, CustomTool) else tool.function.name for tool in body.tools or ()
    ]
    names += [function.name for function in body.functions or ()]
    if isinstance(choice, str):
        if choice not in ("auto", "none", "required"):
            raise RequestError(
                f"{field}: must be auto, none, required or a tool (it is {quoted(choice)})",
                field=field,
                value=choice,
            )
        if choice == "required" and not names:
            raise RequestError(
                f"{field}: a call is required, but there are no tools", field=field, value=choice
            )
        return ToolChoice("required" if choice == "required" else "none" if choice == "none" else "auto")
    name = _pinned(choice)
    if name not in names:
        raise RequestError(f"{field}: no tool is called {quoted(name)}", field=field, value=name)
    return ToolChoice("tool", name)


def _pinned(choice: ChoiceBody | Named) -> str:
    named = choice if isinstance(choice, Named) else choice.function or choice.custom
    return named.name if named is not None else ""


def _format(body: RequestBody) -> ResponseFormat | None:
    wanted = body.response_format
    if wanted is None:
        return None
    if isinstance(wanted, SchemaFormat):
        schema = wanted.json_schema
        return ResponseFormat("json_schema", schema.name, schema.schema, schema.strict)
    return ResponseFormat("json_object" if isinstance(wanted, ObjectFormat) else "text")


def _vendor(data: dict[str, Any], more: dict[str, Any], warnings: list[str]) -> Opaque | None:
    extra = {name: value for name, value in data.items() if name not in KNOWN and value is not None}
    extra |= more
    telling = [name for name in PASSED_ON if name in extra and extra[name] != _HARMLESS.get(name)]
    warn_each(warnings, (only_here(name) for name in telling))
    return Opaque(WIRE_NAME, extra) if extra else None
