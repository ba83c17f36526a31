"""The body of `ConverseStream` -> Request, with errors that name the field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from headrace.core.message import Message
from headrace.core.request import RANGES, GenerationSettings, Request, ResponseFormat, Tool, ToolChoice
from headrace.errors import RequestError
from headrace.wire.base import ParsedRequest
from headrace.wire.bedrock.body import (
    KNOWN_FIELDS,
    KNOWN_SPEC,
    ChoiceBody,
    InferenceBody,
    OutputBody,
    RequestBody,
    SpecBody,
)
from headrace.wire.bedrock.parse_message import messages_from, part
from headrace.wire.bedrock.schema import Fields, opaque
from headrace.wire.kept import left_over, only_here, warn_each
from headrace.wire.plain import shallow
from headrace.wire.reading import UNREADABLE, in_range, quoted, read_body, read_fields

# Fields with no place in `Request`: they reach a provider that speaks this protocol, no other.
PASSED_ON = (
    "additionalModelRequestFields", "additionalModelResponseFieldPaths", "guardrailConfig",
    "performanceConfig", "projectIdentifier", "promptVariables", "requestMetadata", "serviceTier",
)  # fmt: skip


def parse_request(body: bytes, path: Mapping[str, str]) -> ParsedRequest:
    """Read a client's body; path: what the request's path says, {"model": ...}.

    Raises RequestError that names the field (or, for broken JSON, the place). Fields that we do not know are
    kept in `Request.vendor` for a target that speaks this protocol, and so are tools that the vendor runs.
    """
    model = path.get("model", "")
    if not model:
        raise RequestError("model: must not be empty", field="model", value=model)
    parsed, data = read_body(body, RequestBody)
    if not parsed.messages:
        raise RequestError("messages: must hold at least one message", field="messages", value=[])
    tools, theirs = _tools(parsed)
    choice = parsed.tool_config.tool_choice if parsed.tool_config is not None else None
    vendor = {**left_over(data, KNOWN_FIELDS), **({"tools": theirs} if theirs else {})}
    request = Request(
        model=model,
        messages=_messages(parsed),
        settings=_settings(parsed.inference_config, parsed.output_config),
        tools=tools,
        tool_choice=_tool_choice(choice, tools),
        response_format=_format(parsed.output_config),
        vendor=opaque(vendor),
    )
    return ParsedRequest(request, stream=True, include_usage=True, warnings=_warnings(vendor, theirs))


def _messages(parsed: RequestBody) -> tuple[Message, ...]:
    messages: list[Message] = []
    if parsed.system:
        parts = [part(block, f"system.{place}") for place, block in enumerate(parsed.system)]
        messages.append(Message("system", tuple(parts)))
    for place, body in enumerate(parsed.messages):
        messages += messages_from(body, f"messages.{place}")
    return tuple(messages)


def _settings(inference: InferenceBody | None, output: OutputBody | None) -> GenerationSettings:
    told = inference or InferenceBody()
    in_range("inferenceConfig.maxTokens", told.max_tokens, *RANGES["max_tokens"])
    in_range("inferenceConfig.temperature", told.temperature, 0, 1)
    in_range("inferenceConfig.topP", told.top_p, *RANGES["top_p"])
    return GenerationSettings(
        max_tokens=told.max_tokens,
        temperature=told.temperature,
        top_p=told.top_p,
        stop=tuple(told.stop_sequences or ()),
        reasoning_effort=output.effort if output is not None else None,
    )


def _tools(parsed: RequestBody) -> tuple[tuple[Tool, ...], list[Fields]]:
    """(the caller's own tools, those that the vendor runs and marks for its cache)."""
    tools: list[Tool] = []
    theirs: list[Fields] = []
    for place, body in enumerate(parsed.tool_config.tools if parsed.tool_config is not None else ()):
        if "toolSpec" not in body:
            theirs.append(body)
            continue
        spec = read_fields(body["toolSpec"], SpecBody, f"toolConfig.tools.{place}.toolSpec")
        vendor = opaque(left_over(body, KNOWN_SPEC))
        tools.append(Tool(spec.name, spec.description or "", spec.input_schema.json, spec.strict, vendor))
    return tuple(tools), theirs


def _tool_choice(choice: ChoiceBody | None, tools: tuple[Tool, ...]) -> ToolChoice | None:
    if choice is None:
        return None
    if choice.tool is not None:
        name = choice.tool.name
        if name not in [tool.name for tool in tools]:
            at = "toolConfig.toolChoice.tool.name"
            raise RequestError(f"{at}: no tool is called {quoted(name)}", field=at, value=name)
        return ToolChoice("tool", name)
    return ToolChoice("auto" if choice.any is None else "required")


def _format(output: OutputBody | None) -> ResponseFormat | None:
    if output is None or output.text_format is None:
        return None
    wanted = output.text_format.structure.json_schema
    at = "outputConfig.textFormat.structure.jsonSchema"
    if wanted is None:
        raise RequestError(f"{at}: is missing", field=at)
    try:
        schema = shallow(msgspec.json.decode(wanted.schema, type=Fields), len(wanted.schema))
    except UNREADABLE as error:
        said = f"{at}.schema: must be the text of a JSON object ({error})"
        raise RequestError(said, field=f"{at}.schema", value=wanted.schema) from None
    return ResponseFormat("json_schema", wanted.name or "", schema)


def _warnings(vendor: Fields, theirs: list[Fields]) -> tuple[str, ...]:
    telling = [name for name in PASSED_ON if vendor.get(name) is not None]
    telling += [f"tool {one['systemTool']['name']}" for one in theirs if _named(one.get("systemTool"))]
    warnings: list[str] = []
    warn_each(warnings, map(only_here, telling))
    return tuple(warnings)


def _named(tool: Any) -> bool:
    return isinstance(tool, dict) and "name" in tool
