"""Request -> the vendor's body. What a provider row may say of it: quirks.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from headrace.core.request import GenerationSettings, Request, ResponseFormat, Tool, ToolChoice
from headrace.wire.as_chat import as_chat
from headrace.wire.base import WireRequest
from headrace.wire.effort import warn_of_word
from headrace.wire.kept import add_own
from headrace.wire.openai_chat.build_message import message_bodies
from headrace.wire.openai_chat.schema import WIRE_NAME
from headrace.wire.openai_chat.sound import sound_fields, streamed_format
from headrace.wire.quirk import REFUSED, drop_refused
from headrace.wire.sound import ASKED_FORMAT

Fields = dict[str, Any]
PATH = "/chat/completions"
_EXTRA_SETTINGS = ("top_k", "min_p")
_PLAIN_SETTINGS = (
    "temperature",
    "top_p",
    "frequency_penalty",
    "presence_penalty",
    "seed",
    "logit_bias",
    *_EXTRA_SETTINGS,
)


def build(request: Request, quirks: Mapping[str, Any]) -> WireRequest:
    """The body that asks a provider for a streamed answer to `request`; what it cannot take is a warning."""
    warnings: list[str] = []
    if request.task == "speech":
        request = streamed_format(request, warnings)
    request = as_chat(request, warnings, hears=True, speaks=True)
    body: Fields = {"model": request.model, "messages": message_bodies(request.messages, quirks, warnings)}
    body["stream"] = True
    if not quirks.get("no_stream_options"):
        body["stream_options"] = {"include_usage": True}
    _settings(request.settings, quirks, body, warnings)
    if request.tools:
        body["tools"] = [_tool(tool) for tool in request.tools]
    if request.tool_choice is not None:
        body["tool_choice"] = _tool_choice(request.tool_choice, request.tools)
    if request.parallel_tool_calls is not None:
        body["parallel_tool_calls"] = request.parallel_tool_calls
    if request.response_format is not None:
        body["response_format"] = _format(request.response_format)
    if request.user:
        body["user"] = request.user
    body |= sound_fields(request, warnings)
    add_own(body, request.vendor, WIRE_NAME, warnings)
    drop_refused(body, quirks.get("drop", ()), warnings)
    asked = {ASKED_FORMAT: request.speech.format} if request.speech is not None else {}
    return WireRequest(PATH, msgspec.json.encode(body), tuple(warnings), asked=asked)


def untaken_settings(quirks: Mapping[str, Any]) -> set[str]:
    """Fields for settings that the provider does not take."""
    untaken = {*_EXTRA_SETTINGS} - {*quirks.get("extra", ())}
    if not quirks.get("reasoning_effort", True):
        untaken.add("reasoning_effort")
    return untaken


def _settings(
    settings: GenerationSettings, quirks: Mapping[str, Any], body: Fields, warnings: list[str]
) -> None:
    untaken = untaken_settings(quirks)
    for name in _PLAIN_SETTINGS:
        value = getattr(settings, name)
        if value is None:
            continue
        if name in untaken:
            warnings.append(REFUSED.format(name))
        else:
            body[name] = value
    _effort(settings, untaken, body, warnings)
    if settings.max_tokens is not None:
        body[quirks.get("max_tokens_field", "max_tokens")] = settings.max_tokens
    if settings.stop:
        body["stop"] = list(settings.stop)
    if settings.logprobs:
        body["logprobs"] = True
        if settings.top_logprobs is not None:
            body["top_logprobs"] = settings.top_logprobs
    if settings.n != 1:
        body["n"] = settings.n


def _effort(settings: GenerationSettings, untaken: set[str], body: Fields, warnings: list[str]) -> None:
    if settings.effort is None:
        return
    if "reasoning_effort" in untaken:
        warnings.append(REFUSED.format("reasoning_effort"))
        return
    body["reasoning_effort"] = settings.effort
    warn_of_word(settings, warnings)


def _tool(tool: Tool) -> Any:
    if tool.vendor is not None and tool.vendor.wire == WIRE_NAME:
        return tool.vendor.data
    function: Fields = {"name": tool.name}
    if tool.description:
        function["description"] = tool.description
    if tool.parameters:
        function["parameters"] = tool.parameters
    if tool.strict is not None:
        function["strict"] = tool.strict
    return {"type": "function", "function": function}


def _tool_choice(choice: ToolChoice, tools: tuple[Tool, ...]) -> Any:
    if choice.mode != "tool":
        return choice.mode
    for tool in tools:
        if tool.name == choice.name and tool.vendor is not None and tool.vendor.wire == WIRE_NAME:
            return {"type": "custom", "custom": {"name": choice.name}}
    return {"type": "function", "function": {"name": choice.name}}


def _format(wanted: ResponseFormat) -> Fields:
    if wanted.kind != "json_schema":
        return {"type": wanted.kind}
    schema: Fields = {"name": wanted.name or "answer", "schema": wanted.schema or {}}
    if wanted.strict is not None:
        schema["strict"] = wanted.strict
    return {"type": "json_schema", "json_schema": schema}
