"""The vendor's request body -> Request, with errors that name the field."""

from __future__ import annotations

from typing import Any

import msgspec

from headrace.core.message import Message
from headrace.core.opaque import Opaque
from headrace.core.request import GenerationSettings, Request, ResponseFormat, Tool, ToolChoice
from headrace.errors import RequestError
from headrace.wire.anthropic.body import KNOWN, CountBody, RequestBody, ToolBody
from headrace.wire.anthropic.parse_message import messages_from, text_parts
from headrace.wire.anthropic.schema import WIRE_NAME
from headrace.wire.anthropic.thinking import budget_of, effort_of
from headrace.wire.base import ParsedRequest
from headrace.wire.kept import only_here, warn_each
from headrace.wire.reading import check_ranges, in_range, quoted, read_body

Fields = dict[str, Any]

# Fields with no place in `Request`: they reach a provider that speaks this protocol, no other.
PASSED_ON = (
    "cache_control", "container", "context_management", "diagnostics", "fallbacks", "inference_geo",
    "mcp_servers", "service_tier", "speed", "user_profile_id",
)  # fmt: skip
_HARMLESS: Fields = {"service_tier": "auto", "speed": "standard"}
_MODELLED = frozenset({"type", "budget_tokens", "display"})  # of `thinking`
_OWN_TOOL = frozenset({None, "custom"})


def parse_request(body: bytes) -> ParsedRequest:
    """Read a client's body. Raises RequestError that names the field (or, for broken JSON, the place).

    Fields that we do not know are kept in `Request.vendor` for a target that speaks this protocol, and so are
    tools that the vendor itself runs.
    """
    parsed, data = read_body(body, RequestBody)
    check_ranges({name: getattr(parsed, name) for name in ("max_tokens", "top_p", "top_k")})
    in_range("temperature", parsed.temperature, 0, 1)
    settings = GenerationSettings(
        max_tokens=parsed.max_tokens,
        temperature=parsed.temperature,
        top_p=parsed.top_p,
        top_k=parsed.top_k,
        stop=_stops(parsed.stop_sequences),
        reasoning_effort=_effort(parsed),
        reasoning_budget_tokens=budget_of(parsed.thinking),
    )
    user = parsed.metadata.user_id if parsed.metadata is not None else None
    return _request(parsed, data, settings, user or "", stream=bool(parsed.stream))


def parse_count(body: bytes) -> ParsedRequest:
    """Read the body of a request to count a prompt's tokens. Raises RequestError like `parse_request`."""
    parsed, data = read_body(body, CountBody)
    settings = GenerationSettings(
        reasoning_effort=_effort(parsed), reasoning_budget_tokens=budget_of(parsed.thinking)
    )
    return _request(parsed, data, settings, "", stream=False)


def count_body(input_tokens: int) -> bytes:
    """The answer to a request to count: the tokens of the whole prompt."""
    return msgspec.json.encode({"input_tokens": input_tokens})


def _request(
    parsed: CountBody, data: Fields, settings: GenerationSettings, user: str, *, stream: bool
) -> ParsedRequest:
    if not parsed.model:
        raise RequestError("model: must not be empty", field="model", value=parsed.model)
    if not parsed.messages:
        raise RequestError("messages: must hold at least one message", field="messages", value=[])
    choice = parsed.tool_choice
    alone = choice.disable_parallel_tool_use if choice is not None else None
    warnings: list[str] = []
    request = Request(
        model=parsed.model,
        messages=_messages(parsed, data),
        settings=settings,
        tools=_tools(parsed, data),
        tool_choice=_tool_choice(parsed),
        parallel_tool_calls=None if alone is None else not alone,
        response_format=_format(parsed),
        user=user,
        vendor=_vendor(parsed, data, warnings),
    )
    return ParsedRequest(
        request, stream=stream, include_usage=True, warnings=tuple(warnings), told=_told(request)
    )


def _told(request: Request) -> frozenset[str]:
    """Fields kept for this protocol alone of which the client knows, or whose meaning is in the request."""
    extra = request.vendor.data if request.vendor is not None else {}
    told = {"tools", *PASSED_ON}
    if request.settings.reasoning_effort is not None and extra.get("thinking", {}).keys() <= _MODELLED:
        told.add("thinking")
    if extra.get("output_config", {}).keys() <= {"effort"}:
        told.add("output_config")
    return frozenset(told.intersection(extra))


def _stops(stops: list[str] | None) -> tuple[str, ...]:
    if stops and not all(one.strip() for one in stops):
        said = "stop_sequences: a text that ends the answer must not be blank"
        raise RequestError(said, field="stop_sequences", value=stops)
    return tuple(stops or ())


def _effort(parsed: CountBody) -> str | None:
    config = parsed.output_config
    return effort_of(parsed.thinking, config.effort if config is not None else None)


def _messages(parsed: CountBody, data: Fields) -> tuple[Message, ...]:
    messages: list[Message] = []
    if parsed.system is not None:
        parts = text_parts(parsed.system, data["system"])
        messages += [Message("system", parts)] if parts else []
    for place, body in enumerate(parsed.messages):
        messages += messages_from(body, f"messages.{place}")
    return tuple(messages)


def _tools(parsed: CountBody, data: Fields) -> tuple[Tool, ...]:
    tools: list[Tool] = []
    for place, tool in enumerate(parsed.tools or ()):
        if tool.type not in _OWN_TOOL:
            continue  # the vendor's: see `_vendor`
        field = f"tools.{place}"
        if not tool.name:
            raise RequestError(f"{field}.name: is missing", field=f"{field}.name")
        if tool.input_schema is None:
            raise RequestError(f"{field}.input_schema: is missing", field=f"{field}.input_schema")
        raw = data["tools"][place]
        extra = {name: value for name, value in raw.items() if name not in ToolBody.__struct_fields__}
        vendor = Opaque(WIRE_NAME, extra) if extra else None
        tools.append(Tool(tool.name, tool.description or "", tool.input_schema, tool.strict, vendor))
    return tuple(tools)


def _tool_choice(parsed: CountBody) -> ToolChoice | None:
    choice = parsed.tool_choice
    if choice is None:
        return None
    if choice.type == "any":
        return ToolChoice("required")
    if choice.type != "tool":
        return ToolChoice(choice.type)
    if choice.name not in [tool.name for tool in parsed.tools or ()]:
        said = f"tool_choice.name: no tool is called {quoted(choice.name)}"
        raise RequestError(said, field="tool_choice.name", value=choice.name)
    return ToolChoice("tool", choice.name)


def _format(parsed: CountBody) -> ResponseFormat | None:
    config = parsed.output_config
    wanted = config.format if config is not None and config.format is not None else parsed.output_format
    return ResponseFormat("json_schema", "", wanted.schema) if wanted is not None else None


def _vendor(parsed: CountBody, data: Fields, warnings: list[str]) -> Opaque | None:
    extra = {name: value for name, value in data.items() if name not in KNOWN and value is not None}
    telling = [name for name in PASSED_ON if name in extra and extra[name] != _HARMLESS.get(name)]
    theirs = [
        raw for tool, raw in zip(parsed.tools or (), data.get("tools") or (), strict=True)
        if tool.type not in _OWN_TOOL
    ]  # fmt: skip
    if theirs:
        extra["tools"] = theirs
        telling += [f"tool {raw.get('name') or raw['type']}" for raw in theirs]
    warn_each(warnings, (only_here(name) for name in telling))
    if parsed.thinking is not None:
        extra["thinking"] = parsed.thinking
    config = {name: value for name, value in (data.get("output_config") or {}).items() if name != "format"}
    if config:
        extra["output_config"] = config
    metadata = data.get("metadata")  # a question about tokens has none, and what it says there is not judged
    if not isinstance(metadata, dict):
        metadata = {}
    about = {name: value for name, value in metadata.items() if name != "user_id"}
    if about:
        extra["metadata"] = about
    return Opaque(WIRE_NAME, extra) if extra else None
