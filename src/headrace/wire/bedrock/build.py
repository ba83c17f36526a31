"""Request -> the body of `ConverseStream`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import msgspec

from headrace.core.excerpt import excerpt
from headrace.core.request import GenerationSettings, Request, ResponseFormat, Tool
from headrace.wire.as_chat import as_chat
from headrace.wire.base import WireRequest
from headrace.wire.bedrock.build_message import conversation
from headrace.wire.bedrock.schema import WIRE_NAME, Fields, own
from headrace.wire.kept import left_out, own_fields, put_back, warn
from headrace.wire.quirk import REFUSED, drop_refused

PATH = "/model/{}/converse-stream"
EFFORTS = ("low", "medium", "high", "xhigh", "max")

_NOWHERE = (
    "top_k", "min_p", "frequency_penalty", "presence_penalty", "seed", "logit_bias", "top_logprobs",
)  # fmt: skip
_NO_FIELD = "{} was left out: this protocol has no field for it"


def build(request: Request, quirks: Mapping[str, Any]) -> WireRequest:
    """The body that asks a provider for a streamed answer to `request`; what it cannot take is a warning.

    The path names the model. Parameters of one model alone go in `additionalModelRequestFields`, which a
    caller of this wire fills.
    """
    warnings: list[str] = []
    request = as_chat(request, warnings, hears=True)
    system, messages = conversation(request.messages, warnings)
    body: Fields = {"messages": messages}
    if system:
        body["system"] = system
    inference = _inference(request.settings, warnings)
    if inference:
        body["inferenceConfig"] = inference
    tools = _tools(request, messages, warnings)
    if tools:
        body["toolConfig"] = tools
    output = {**_effort(request, quirks, warnings), **_format(request.response_format, quirks, warnings)}
    if output:
        body["outputConfig"] = output
    if request.user:
        warn(warnings, _NO_FIELD.format("user"))
    body = _with_own(body, request, warnings)
    drop_refused(body, quirks.get("drop", ()), warnings)
    path = PATH.format(quote(request.model, safe=""))
    return WireRequest(path, msgspec.json.encode(body), tuple(warnings))


def _inference(settings: GenerationSettings, warnings: list[str]) -> Fields:
    body: Fields = {}
    if settings.max_tokens is not None:
        body["maxTokens"] = settings.max_tokens
    if settings.temperature is not None:
        body["temperature"] = min(settings.temperature, 1.0)
        if settings.temperature > 1:
            told = f"temperature was lowered from {settings.temperature:g} to 1: this protocol takes 0 to 1"
            warn(warnings, told)
    if settings.top_p is not None:
        body["topP"] = settings.top_p
    if settings.stop:
        body["stopSequences"] = list(settings.stop)
    for name in _NOWHERE:
        if getattr(settings, name) is not None:
            warn(warnings, _NO_FIELD.format(name))
    if settings.logprobs:
        warn(warnings, _NO_FIELD.format("logprobs"))
    if settings.n != 1:
        warn(warnings, "n was left out: this protocol gives one answer a request")
    return body


def _tools(request: Request, messages: list[Fields], warnings: list[str]) -> Fields:
    """The tools and how they may be called. The protocol cannot forbid them: where they are, they are left
    out, unless earlier turns called some, whose tools it wants to be told.
    """
    if request.parallel_tool_calls is False and request.tools:
        warn(warnings, _NO_FIELD.format("parallel_tool_calls"))
    choice = request.tool_choice
    mode = choice.mode if choice is not None else "auto"
    if mode == "none":
        if not _called(messages):
            return {}
        if request.tools:
            warn(warnings, "tool_choice none was left out: earlier turns called tools, so they must be told")
    tools = [one for tool in request.tools if (one := _tool(tool, warnings)) is not None]
    if not tools:
        return {}
    body: Fields = {"tools": tools}
    if mode == "required":
        body["toolChoice"] = {"any": {}}
    elif choice is not None and mode == "tool":
        body["toolChoice"] = {"tool": {"name": choice.name}}
    elif choice is not None and mode == "auto":
        body["toolChoice"] = {"auto": {}}
    return body


def _called(messages: list[Fields]) -> bool:
    return any(block.keys() & {"toolUse", "toolResult"} for turn in messages for block in turn["content"])


def _tool(tool: Tool, warnings: list[str]) -> Fields | None:
    if tool.vendor is not None and tool.vendor.wire != WIRE_NAME and not tool.parameters:
        warn(warnings, left_out(f"tool {tool.name}", tool.vendor.wire))
        return None
    spec: Fields = {"name": tool.name}
    if tool.description:
        spec["description"] = tool.description
    spec["inputSchema"] = {"json": {"type": "object", **(tool.parameters or {"properties": {}})}}
    if tool.strict is not None:
        spec["strict"] = tool.strict
    return put_back({"toolSpec": spec}, own(tool.vendor))


def _effort(request: Request, quirks: Mapping[str, Any], warnings: list[str]) -> Fields:
    effort = request.settings.reasoning_effort
    if effort is None:
        return {}
    if not quirks.get("effort", True):
        warn(warnings, REFUSED.format("reasoning_effort"))
    elif effort in EFFORTS:
        return {"effort": effort}
    elif effort == "minimal":
        warn(warnings, "reasoning_effort minimal was raised to low, the least this protocol has")
        return {"effort": "low"}
    else:
        warn(warnings, f"reasoning_effort was left out: this protocol does not know {excerpt(effort)!r}")
    return {}


def _format(wanted: ResponseFormat | None, quirks: Mapping[str, Any], warnings: list[str]) -> Fields:
    if wanted is None or wanted.kind == "text":
        return {}
    if wanted.kind == "json_object" or wanted.schema is None:
        warn(warnings, "response_format was left out: this protocol takes a JSON schema only")
        return {}
    if not quirks.get("structured_output", True):
        warn(warnings, REFUSED.format("response_format"))
        return {}
    schema: Fields = {"schema": msgspec.json.encode(wanted.schema).decode()}
    if wanted.name:
        schema["name"] = wanted.name
    return {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": schema}}}


def _with_own(body: Fields, request: Request, warnings: list[str]) -> Fields:
    """With the caller's fields that we do not model, where they speak this protocol."""
    kept = dict(own_fields(request.vendor, WIRE_NAME, warnings))
    tools = kept.pop("tools", ())  # that are no function of the caller's, behind those that are
    body = put_back(body, kept)
    if tools:
        config = body.setdefault("toolConfig", {})
        config["tools"] = [*config.get("tools", ()), *tools]
    return body
