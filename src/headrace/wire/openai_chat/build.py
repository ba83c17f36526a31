"""Request -> the vendor's body, and a client's own body readdressed.

A provider row's quirks, all optional:

max_tokens_field   "max_tokens" (default) or "max_completion_tokens".
no_stream_options  true where the provider refuses `stream_options`: usage then comes as it likes.
no_developer_role  true where "developer" must be sent as "system".
reasoning_effort   false where the provider refuses the field.
reasoning_field    the message field for reasoning of earlier turns, such as "reasoning_content".
extra              names of settings beyond the standard that it takes, of "top_k", "min_p".
drop               names of body fields that it refuses.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from headrace.core.request import GenerationSettings, Request, ResponseFormat, Tool, ToolChoice
from headrace.wire.base import WireRequest
from headrace.wire.carried import holds_carried
from headrace.wire.kept import add_own
from headrace.wire.openai_chat.build_message import message_bodies
from headrace.wire.openai_chat.schema import WIRE_NAME
from headrace.wire.relay import raw_fields

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
    "reasoning_effort",
    *_EXTRA_SETTINGS,
)
_LEFT_OUT = "{} was left out: this provider does not take it"


def build(request: Request, quirks: Mapping[str, Any]) -> WireRequest:
    """The body that asks a provider for a streamed answer to `request`; what it cannot take is a warning."""
    warnings: list[str] = []
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
    add_own(body, request.vendor, WIRE_NAME, warnings)
    refused = [name for name in quirks.get("drop", ()) if body.pop(name, None) is not None]
    warnings += [_LEFT_OUT.format(name) for name in refused]
    return WireRequest(PATH, msgspec.json.encode(body), tuple(warnings))


def rebody(body: bytes, model: str, quirks: Mapping[str, Any]) -> bytes | None:
    """A client's body for another model: streamed and with usage; every other field as its very bytes.

    None where more than a rename is due: what the provider would refuse is left out by `build`, with a
    warning, and so is what we put there for another.
    """
    fields = raw_fields(body)
    given = fields.pop("stream_options", None)
    options = raw_fields(given) if given is not None and bytes(given) != b"null" else {}
    fields["model"] = model
    fields["stream"] = True
    if not quirks.get("no_stream_options"):
        fields["stream_options"] = {**options, "include_usage": True}
    limit = quirks.get("max_tokens_field")
    other = {"max_completion_tokens": "max_tokens", "max_tokens": "max_completion_tokens"}.get(str(limit))
    if limit and other in fields:
        value = fields.pop(other)
        fields.setdefault(limit, value)
    only_built = _refused(fields, body, quirks) or holds_carried(body)
    return None if only_built else msgspec.json.encode(fields)


def _refused(fields: Fields, body: bytes, quirks: Mapping[str, Any]) -> bool:
    """Whether a client's body holds what the provider refuses."""
    untaken = {*quirks.get("drop", ())}
    if not quirks.get("reasoning_effort", True):
        untaken.add("reasoning_effort")
    return not untaken.isdisjoint(fields) or (
        bool(quirks.get("no_developer_role")) and b'"developer"' in body
    )


def _settings(
    settings: GenerationSettings, quirks: Mapping[str, Any], body: Fields, warnings: list[str]
) -> None:
    untaken = {name for name in _EXTRA_SETTINGS if name not in quirks.get("extra", ())}
    if not quirks.get("reasoning_effort", True):
        untaken.add("reasoning_effort")
    for name in _PLAIN_SETTINGS:
        value = getattr(settings, name)
        if value is None:
            continue
        if name in untaken:
            warnings.append(_LEFT_OUT.format(name))
        else:
            body[name] = value
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
