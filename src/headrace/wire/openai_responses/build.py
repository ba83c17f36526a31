"""Request -> the vendor's body. What a provider row may say of it: quirks.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from headrace.core.message import Message, TextPart
from headrace.core.request import GenerationSettings, Request, ResponseFormat, Tool, ToolChoice
from headrace.wire.as_chat import as_chat
from headrace.wire.base import WireRequest
from headrace.wire.effort import warn_of_word
from headrace.wire.kept import add_own
from headrace.wire.openai_responses.build_input import input_items, item_of
from headrace.wire.openai_responses.quirks import EXTRA
from headrace.wire.openai_responses.schema import WIRE_NAME
from headrace.wire.openai_responses.template import own
from headrace.wire.quirk import drop_refused

Fields = dict[str, Any]
PATH = "/responses"
_LEFT_OUT = "{} was left out: this protocol does not take it"
_ENCRYPTED = "reasoning.encrypted_content"
_LOGPROBS = "message.output_text.logprobs"


def build(request: Request, quirks: Mapping[str, Any]) -> WireRequest:
    """The body that asks a provider for a streamed answer to `request`; what it cannot take is a warning."""
    warnings: list[str] = []
    request = as_chat(request, warnings, hears=bool(quirks.get("audio_input")))
    body: Fields = {"model": request.model}
    messages = list(request.messages)
    if messages and _is_instructions(messages[0]) and not quirks.get("no_instructions"):
        body["instructions"] = messages.pop(0).text
    body["input"] = input_items(messages, quirks, warnings)
    body["stream"] = True
    body.update(request_fields(request))
    _settings(request.settings, quirks, body, warnings)
    if not quirks.get("no_store") and "store" not in own(request.vendor):
        body["store"] = quirks.get("store", False)
    _include(request, quirks, body)
    add_own(body, request.vendor, WIRE_NAME, warnings)
    drop_refused(body, refused_fields(quirks), warnings)
    return WireRequest(PATH, msgspec.json.encode(body), tuple(warnings))


def request_fields(request: Request) -> Fields:
    """Fields that the request has and that a response repeats."""
    settings = request.settings
    fields: Fields = {
        "temperature": settings.temperature,
        "top_p": settings.top_p,
        "max_output_tokens": settings.max_tokens,
        "top_logprobs": settings.top_logprobs,
        "parallel_tool_calls": request.parallel_tool_calls,
        "user": request.user or None,
    }
    fields = {name: value for name, value in fields.items() if value is not None}
    kept = own(request.vendor)
    reasoning = kept.get("reasoning", {})
    if settings.effort is not None:
        reasoning = {**reasoning, "effort": settings.effort}
    text = kept.get("text", {})
    if request.response_format is not None:
        text = {**text, "format": _format(request.response_format, text.get("format", {}))}
    tools = [*(_tool(tool) for tool in request.tools), *kept.get("tools", ())]
    fields.update(
        {name: one for name, one in (("reasoning", reasoning), ("text", text), ("tools", tools)) if one}
    )
    if request.tool_choice is not None:
        fields["tool_choice"] = _tool_choice(request.tool_choice, request.tools)
    return fields


def custom_tools(request: Request) -> frozenset[str]:
    """Names of the tools that take free text."""
    return frozenset(tool.name for tool in request.tools if own(tool.vendor).get("type") == "custom")


def _is_instructions(message: Message) -> bool:
    if message.role not in ("system", "developer") or not message.parts:
        return False
    if message.vendor is not None and message.vendor.wire == WIRE_NAME:
        return bool(own(message.vendor).get("instructions"))
    return all(isinstance(part, TextPart) for part in message.parts)


def _settings(
    settings: GenerationSettings, quirks: Mapping[str, Any], body: Fields, warnings: list[str]
) -> None:
    for name in EXTRA:
        value = getattr(settings, name)
        if value is None or value == ():
            continue
        if name in quirks.get("extra", ()):
            body[name] = value
        else:
            warnings.append(_LEFT_OUT.format(name))
    warn_of_word(settings, warnings)
    if settings.n != 1:
        warnings.append("n was left out: this protocol gives one answer")


def _include(request: Request, quirks: Mapping[str, Any], body: Fields) -> None:
    """Ask for what the next turn needs, where nothing is stored, and for log probabilities."""
    include = list(own(request.vendor).get("include", ()))
    thinks = "reasoning" in body or _has_encrypted(request.messages)
    include += encrypted(include, quirks, wanted=body.get("store") is False and thinks)
    if request.settings.logprobs and _LOGPROBS not in include:
        include.append(_LOGPROBS)
    if include:
        body["include"] = include


def encrypted(include: Sequence[str], quirks: Mapping[str, Any], *, wanted: bool) -> list[str]:
    """What asks for encrypted reasoning, unless `include` does already. wanted: where no quirk says."""
    return [_ENCRYPTED] if quirks.get("encrypted_reasoning", wanted) and _ENCRYPTED not in include else []


def refused_fields(quirks: Mapping[str, Any]) -> tuple[str, ...]:
    """Body fields that the provider refuses."""
    return (*quirks.get("drop", ()), *(("store",) if quirks.get("no_store") else ()))


def _has_encrypted(messages: tuple[Message, ...]) -> bool:
    return any(
        item_of(part.vendor).get("encrypted_content") for message in messages for part in message.parts
    )


def _tool(tool: Tool) -> Any:
    kept = own(tool.vendor)
    if kept:
        return kept
    function: Fields = {"type": "function", "name": tool.name}
    if tool.description:
        function["description"] = tool.description
    function["parameters"] = tool.parameters or {"type": "object", "properties": {}}
    function["strict"] = bool(tool.strict)  # left out, it would mean true here and false elsewhere
    return function


def _tool_choice(choice: ToolChoice, tools: tuple[Tool, ...]) -> Any:
    if choice.mode != "tool":
        return choice.mode
    for tool in tools:
        if tool.name == choice.name and own(tool.vendor).get("type") == "custom":
            return {"type": "custom", "name": choice.name}
    return {"type": "function", "name": choice.name}


def _format(wanted: ResponseFormat, kept: Fields) -> Fields:
    if wanted.kind != "json_schema":
        return {"type": wanted.kind}
    schema: Fields = {"type": "json_schema", "name": wanted.name or "answer", "schema": wanted.schema or {}}
    if wanted.strict is not None:
        schema["strict"] = wanted.strict
    return {**kept, **schema}
