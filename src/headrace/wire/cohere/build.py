"""Request -> the vendor's body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from headrace.core.excerpt import excerpt
from headrace.core.request import GenerationSettings, Request, ResponseFormat, Tool
from headrace.wire.as_chat import as_chat
from headrace.wire.base import WireRequest
from headrace.wire.cohere.build_message import conversation
from headrace.wire.cohere.schema import WIRE_NAME, Fields, own
from headrace.wire.kept import left_out, own_fields, put_back, warn
from headrace.wire.quirk import drop_refused

PATH = "/v2/chat"
MAX_STOPS = 5

_NOWHERE = ("min_p", "logit_bias", "top_logprobs")
_NO_FIELD = "{} was left out: this protocol has no field for it"
# Ours -> (the vendor's name, the range it takes).
_SAMPLING: dict[str, tuple[str, float, float]] = {
    "top_p": ("p", 0.01, 0.99),
    "top_k": ("k", 0, 500),
    "frequency_penalty": ("frequency_penalty", 0.0, 1.0),
    "presence_penalty": ("presence_penalty", 0.0, 1.0),
}


def build(request: Request, quirks: Mapping[str, Any]) -> WireRequest:
    """The body that asks a provider for a streamed answer to `request`; what it cannot take is a warning."""
    warnings: list[str] = []
    request = as_chat(request, warnings)
    messages, documents = conversation(request.messages, warnings)
    body: Fields = {"model": request.model, "messages": messages, "stream": True}
    _settings(request.settings, body, warnings)
    _think(request, body, warnings)
    _tools(request, body, warnings)
    _format(request.response_format, body)
    if request.user:
        warn(warnings, _NO_FIELD.format("user"))
    kept = own_fields(request.vendor, WIRE_NAME, warnings)
    if documents:
        told = kept.get("documents")
        body["documents"] = [*(told if isinstance(told, list) else ()), *documents]
    body = put_back(body, kept)
    drop_refused(body, quirks.get("drop", ()), warnings)
    return WireRequest(PATH, msgspec.json.encode(body), tuple(warnings))


def _settings(settings: GenerationSettings, body: Fields, warnings: list[str]) -> None:
    for name in ("max_tokens", "temperature", "seed"):
        if getattr(settings, name) is not None:
            body[name] = getattr(settings, name)
    _sampling(settings, body, warnings)
    if settings.stop:
        body["stop_sequences"] = list(settings.stop[:MAX_STOPS])
        if len(settings.stop) > MAX_STOPS:
            warn(warnings, f"stop was cut to its first {MAX_STOPS} texts: this protocol takes no more")
    if settings.logprobs:
        body["logprobs"] = True
    for name in _NOWHERE:
        if getattr(settings, name) is not None:
            warn(warnings, _NO_FIELD.format(name))
    if settings.n != 1:
        warn(warnings, "n was left out: this protocol gives one answer a request")


def _sampling(settings: GenerationSettings, body: Fields, warnings: list[str]) -> None:
    for name, (theirs, low, high) in _SAMPLING.items():
        value = getattr(settings, name)
        if value is None:
            continue
        told = body[theirs] = min(max(value, low), high)
        if told != value:
            taken = f"this protocol takes {low:g} to {high:g}"
            warn(warnings, f"{name} was moved from {value:g} to {told:g}: {taken}")


def _think(request: Request, body: Fields, warnings: list[str]) -> None:
    """Whether to think; how much has no word here, and a caller of this wire has his own."""
    effort = request.settings.reasoning_effort
    if effort is None or "thinking" in own(request.vendor):
        return
    body["thinking"] = {"type": "disabled" if effort == "none" else "enabled"}
    if effort != "none":
        warn(
            warnings,
            f"reasoning_effort {excerpt(effort)} was said as enabled: this protocol has no word for it",
        )


def _tools(request: Request, body: Fields, warnings: list[str]) -> None:
    """The tools and how they may be called. The protocol can ask for a call but not for one of them: where
    one is asked for, it is the only one told.
    """
    choice = request.tool_choice
    told = request.tools
    if choice is not None and choice.mode == "tool":
        told = tuple(tool for tool in told if tool.name == choice.name)
    tools = [one for tool in told if (one := _tool(tool, warnings)) is not None]
    if not tools:
        return
    body["tools"] = tools
    if choice is not None and choice.mode != "auto":
        body["tool_choice"] = "NONE" if choice.mode == "none" else "REQUIRED"
    if request.parallel_tool_calls is False:
        warn(warnings, _NO_FIELD.format("parallel_tool_calls"))
    strict = {tool.strict for tool in told}
    if True in strict:
        body["strict_tools"] = True
        if len(strict) > 1:
            warn(warnings, "every tool is strict: this protocol has one word for all of them")
    elif False in strict:
        body["strict_tools"] = False


def _tool(tool: Tool, warnings: list[str]) -> Fields | None:
    if tool.vendor is not None and tool.vendor.wire != WIRE_NAME and not tool.parameters:
        warn(warnings, left_out(f"tool {tool.name}", tool.vendor.wire))
        return None
    function: Fields = {"name": tool.name}
    if tool.description:
        function["description"] = tool.description
    function["parameters"] = {"type": "object", **(tool.parameters or {"properties": {}})}
    return put_back({"type": "function", "function": function}, own(tool.vendor))


def _format(wanted: ResponseFormat | None, body: Fields) -> None:
    if wanted is None or wanted.kind == "text":
        return
    body["response_format"] = {"type": "json_object"}
    if wanted.schema is not None:
        body["response_format"]["json_schema"] = wanted.schema
