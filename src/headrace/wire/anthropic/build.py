"""Request -> the vendor's body. What a provider row may say of it: quirks.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from headrace.core.opaque import Opaque
from headrace.core.request import GenerationSettings, Request, ResponseFormat, Tool, ToolChoice
from headrace.wire.anthropic.block_bodies import Fields, own
from headrace.wire.anthropic.build_message import conversation
from headrace.wire.anthropic.quirks import SAMPLING
from headrace.wire.anthropic.schema import WIRE_NAME
from headrace.wire.anthropic.thinking import think
from headrace.wire.as_chat import as_chat
from headrace.wire.base import WireRequest
from headrace.wire.kept import left_out, warn, warn_each
from headrace.wire.quirk import REFUSED, drop_refused

PATH = "/messages"
MAX_TOKENS = 16384

_NOWHERE = ("min_p", "frequency_penalty", "presence_penalty", "seed", "logit_bias")
_NO_FIELD = "{} was left out: this protocol has no field for it"
_MODES = {"auto": "auto", "none": "none", "required": "any", "tool": "tool"}


def build(request: Request, quirks: Mapping[str, Any]) -> WireRequest:
    """The body that asks a provider for a streamed answer to `request`; what it cannot take is a warning."""
    warnings: list[str] = []
    request = as_chat(request, warnings)
    system, messages = conversation(request.messages, warnings)
    body: Fields = {"model": request.model, "messages": messages, "stream": True}
    if system:
        body["system"] = system
    _settings(request.settings, quirks, body, warnings)
    think(request, quirks, body, warnings)
    if request.tools:
        body["tools"] = [one for tool in request.tools if (one := _tool(tool, warnings)) is not None]
    choice = _tool_choice(request)
    if choice is not None:
        body["tool_choice"] = choice
    if request.response_format is not None:
        _format(request.response_format, quirks, body, warnings)
    if request.user:
        body["metadata"] = {"user_id": request.user}
    _vendor(request.vendor, body, warnings)
    drop_refused(body, quirks.get("drop", ()), warnings)
    return WireRequest(PATH, msgspec.json.encode(body), tuple(warnings))


def _settings(
    settings: GenerationSettings, quirks: Mapping[str, Any], body: Fields, warnings: list[str]
) -> None:
    if settings.max_tokens is None:
        body["max_tokens"] = quirks.get("max_tokens", MAX_TOKENS)
        warn(warnings, f"max_tokens was set to {body['max_tokens']}: this protocol requires a number")
    else:
        body["max_tokens"] = settings.max_tokens
    _sampling(settings, quirks.get("sampling", ()), body, warnings)
    if settings.stop:
        body["stop_sequences"] = list(settings.stop)
    for name in _NOWHERE:
        if getattr(settings, name) is not None:
            warn(warnings, _NO_FIELD.format(name))
    if settings.logprobs:
        warn(warnings, _NO_FIELD.format("logprobs"))
    if settings.n != 1:
        warn(warnings, "n was left out: this protocol gives one answer a request")


def _sampling(settings: GenerationSettings, taken: Any, body: Fields, warnings: list[str]) -> None:
    for name in SAMPLING:
        value = getattr(settings, name)
        if value is None:
            continue
        if name not in taken:
            warn(warnings, REFUSED.format(name))
            continue
        body[name] = value
        if name == "temperature" and value > 1:
            body[name] = 1.0
            warn(warnings, f"temperature was lowered from {value:g} to 1: this protocol takes 0 to 1")


def _tool(tool: Tool, warnings: list[str]) -> Fields | None:
    if tool.vendor is not None and tool.vendor.wire != WIRE_NAME and not tool.parameters:
        warn(warnings, left_out(f"tool {tool.name}", tool.vendor.wire))
        return None
    body: Fields = {"name": tool.name}
    if tool.description:
        body["description"] = tool.description
    body["input_schema"] = {"type": "object", **(tool.parameters or {"properties": {}})}
    if tool.strict is not None:
        body["strict"] = tool.strict
    return {**body, **own(tool.vendor)}


def _tool_choice(request: Request) -> Fields | None:
    choice, alone = request.tool_choice, request.parallel_tool_calls is False
    if choice is None:
        if not alone or not request.tools:
            return None
        choice = ToolChoice("auto")
    body: Fields = {"type": _MODES[choice.mode]}
    if choice.mode == "tool":
        body["name"] = choice.name
    if alone and choice.mode != "none":
        body["disable_parallel_tool_use"] = True
    return body


def _format(wanted: ResponseFormat, quirks: Mapping[str, Any], body: Fields, warnings: list[str]) -> None:
    if wanted.kind == "text":
        return
    if wanted.kind == "json_object" or wanted.schema is None:
        warn(warnings, "response_format was left out: this protocol takes a JSON schema only")
    elif not quirks.get("structured_output", True):
        warn(warnings, REFUSED.format("response_format"))
    else:
        config = body.setdefault("output_config", {})
        config["format"] = {"type": "json_schema", "schema": wanted.schema}


def _vendor(vendor: Opaque | None, body: Fields, warnings: list[str]) -> None:
    """The caller's fields that we do not model: sent where they speak this protocol."""
    if vendor is None or not isinstance(vendor.data, dict):
        return
    if vendor.wire != WIRE_NAME:
        warn_each(warnings, (left_out(name, vendor.wire) for name in vendor.data))
        return
    for name, value in vendor.data.items():
        if name == "tools":
            body["tools"] = [*body.get("tools", ()), *value]
        elif isinstance(value, dict) and isinstance(body.get(name), dict):
            body[name] = {**value, **body[name]}
        else:
            body.setdefault(name, value)
