"""The vendor's request body -> Request, with errors that name the field."""

from __future__ import annotations

from headrace.core.message import Message
from headrace.core.request import RANGES, GenerationSettings, Request, ResponseFormat, Tool, ToolChoice
from headrace.errors import RequestError
from headrace.wire.base import ParsedRequest
from headrace.wire.cohere.body import KNOWN_FIELDS, KNOWN_TOOL, RequestBody
from headrace.wire.cohere.build import MAX_STOPS
from headrace.wire.cohere.parse_message import message_from
from headrace.wire.cohere.schema import Fields, opaque
from headrace.wire.kept import left_over, only_here
from headrace.wire.reading import in_range, read_body

# Fields with no place in `Request`: they reach a provider that speaks this protocol, no other.
PASSED_ON = ("citation_options", "documents", "priority", "safety_mode")


def parse_request(body: bytes) -> ParsedRequest:
    """Read a client's body. Raises RequestError that names the field (or, for broken JSON, the place).

    Fields that we do not know are kept in `Request.vendor` for a target that speaks this protocol.
    """
    parsed, data = read_body(body, RequestBody)
    if not parsed.model:
        raise RequestError("model: must not be empty", field="model", value=parsed.model)
    if not parsed.messages:
        raise RequestError("messages: must hold at least one message", field="messages", value=[])
    vendor = left_over(data, KNOWN_FIELDS)
    request = Request(
        model=parsed.model,
        messages=_messages(parsed, data),
        settings=_settings(parsed),
        tools=_tools(parsed, data),
        tool_choice=_tool_choice(parsed),
        response_format=_format(parsed),
        vendor=opaque(vendor),
    )
    telling = [name for name in PASSED_ON if vendor.get(name) is not None]
    warnings = tuple(only_here(name) for name in telling)
    return ParsedRequest(request, stream=bool(parsed.stream), include_usage=True, warnings=warnings)


def _messages(parsed: RequestBody, data: Fields) -> tuple[Message, ...]:
    pairs = zip(parsed.messages, data["messages"], strict=True)
    return tuple(message_from(body, raw, f"messages.{at}") for at, (body, raw) in enumerate(pairs))


def _settings(parsed: RequestBody) -> GenerationSettings:
    in_range("max_tokens", parsed.max_tokens, *RANGES["max_tokens"])
    in_range("temperature", parsed.temperature, *RANGES["temperature"])
    in_range("seed", parsed.seed, *RANGES["seed"])
    in_range("k", parsed.k, 0, 500)
    in_range("p", parsed.p, 0, 1)
    for name in ("frequency_penalty", "presence_penalty"):
        in_range(name, getattr(parsed, name), 0, 1)
    stops = parsed.stop_sequences or []
    if len(stops) > MAX_STOPS or not all(stops):
        said = f"stop_sequences: must be up to {MAX_STOPS} texts that are not empty"
        raise RequestError(said, field="stop_sequences", value=stops)
    thinking = parsed.thinking
    return GenerationSettings(
        max_tokens=parsed.max_tokens,
        temperature=parsed.temperature,
        top_p=parsed.p,
        top_k=parsed.k,
        frequency_penalty=parsed.frequency_penalty,
        presence_penalty=parsed.presence_penalty,
        seed=parsed.seed,
        stop=tuple(stops),
        logprobs=bool(parsed.logprobs),
        reasoning_effort="none" if thinking is not None and thinking.type == "disabled" else None,
    )


def _tools(parsed: RequestBody, data: Fields) -> tuple[Tool, ...]:
    tools: list[Tool] = []
    for tool, raw in zip(parsed.tools or (), data.get("tools") or (), strict=True):
        told = tool.function
        vendor = opaque(left_over(raw, KNOWN_TOOL))
        tools.append(Tool(told.name, told.description or "", told.parameters, parsed.strict_tools, vendor))
    return tuple(tools)


def _tool_choice(parsed: RequestBody) -> ToolChoice | None:
    if parsed.tool_choice is None:
        return None
    return ToolChoice("required" if parsed.tool_choice == "REQUIRED" else "none")


def _format(parsed: RequestBody) -> ResponseFormat | None:
    wanted = parsed.response_format
    if wanted is None:
        return None
    if wanted.json_schema is not None:
        return ResponseFormat("json_schema", "", wanted.json_schema)
    return ResponseFormat(wanted.type)
