"""Request -> the vendor's body. /api/chat, or /api/generate where the caller's own fields belong there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from headrace.core.excerpt import excerpt
from headrace.core.request import GenerationSettings, Request, ResponseFormat, Tool
from headrace.wire.as_chat import as_chat
from headrace.wire.base import WireRequest
from headrace.wire.effort import warn_of_word
from headrace.wire.kept import own_fields, warn
from headrace.wire.ollama.build_message import message_bodies, prompt_fields
from headrace.wire.ollama.schema import WIRE_NAME

Fields = dict[str, Any]
CHAT_PATH = "/api/chat"
GENERATE_PATH = "/api/generate"

# Fields that only /api/generate takes: a request that carries one goes there.
GENERATE_ONLY = frozenset({"suffix", "template", "context", "raw", "width", "height", "steps"})
_OPTIONS = {
    "max_tokens": "num_predict",
    "temperature": "temperature",
    "top_p": "top_p",
    "top_k": "top_k",
    "min_p": "min_p",
    "frequency_penalty": "frequency_penalty",
    "presence_penalty": "presence_penalty",
    "seed": "seed",
}
# A model without levels takes true and refuses none of the words; "medium" is what true means to one with.
_THINK: dict[str, bool | str] = {
    "none": False,
    "minimal": "low",
    "low": "low",
    "medium": True,
    "high": "high",
    "xhigh": "max",
    "max": "max",
}
_LEFT_OUT = "{} was left out: this protocol has no field for it"


def build(request: Request, _quirks: Mapping[str, Any]) -> WireRequest:
    """The body that asks a provider for a streamed answer to `request`; what it cannot take is a warning."""
    warnings: list[str] = []
    request = as_chat(request, warnings)
    own = own_fields(request.vendor, WIRE_NAME, warnings)
    generate = not GENERATE_ONLY.isdisjoint(own)
    body: Fields = {"model": request.model, "stream": True}
    if generate:
        body.update(prompt_fields(request.messages, warnings))
    else:
        body["messages"] = message_bodies(request.messages, warnings)
    _tools(request, body, warnings, generate)
    _settings(request.settings, body, warnings)
    wanted = _format(request.response_format)
    if wanted is not None:
        body["format"] = wanted
    if request.user:
        warnings.append(_LEFT_OUT.format("user"))
    options = {**_dict(own.get("options")), **_options(request.settings)}
    if options:
        body["options"] = options
    body.update({name: value for name, value in own.items() if name not in body})
    return WireRequest(GENERATE_PATH if generate else CHAT_PATH, msgspec.json.encode(body), tuple(warnings))


def _tools(request: Request, body: Fields, warnings: list[str], generate: bool) -> None:
    choice = request.tool_choice
    if request.tools and not (choice is not None and choice.mode == "none"):
        if generate:
            warn(warnings, "tools were left out: this endpoint has no field for them")
        else:
            body["tools"] = [_tool(tool) for tool in request.tools]
    if choice is not None and choice.mode in ("required", "tool"):
        warn(warnings, "tool_choice was left out: this protocol leaves the choice to the model")
    if request.parallel_tool_calls is False:
        warn(warnings, _LEFT_OUT.format("parallel_tool_calls"))


def _tool(tool: Tool) -> Fields:
    function: Fields = {"name": tool.name}
    if tool.description:
        function["description"] = tool.description
    function["parameters"] = tool.parameters or {"type": "object", "properties": {}}
    return {"type": "function", "function": function}


def _settings(settings: GenerationSettings, body: Fields, warnings: list[str]) -> None:
    effort = settings.effort
    if effort is not None:
        warn_of_word(settings, warnings)
        body["think"] = _THINK.get(effort, True)
        if effort not in _THINK:
            warnings.append(f"reasoning_effort {excerpt(effort)!r} was sent as think: true")
    if settings.logprobs:
        body["logprobs"] = True
        if settings.top_logprobs is not None:
            body["top_logprobs"] = settings.top_logprobs
    if settings.n != 1:
        warnings.append(_LEFT_OUT.format("n"))
    if settings.logit_bias:
        warnings.append(_LEFT_OUT.format("logit_bias"))


def _options(settings: GenerationSettings) -> Fields:
    options = {
        theirs: value for ours, theirs in _OPTIONS.items() if (value := getattr(settings, ours)) is not None
    }
    if settings.stop:
        options["stop"] = list(settings.stop)
    return options


def _format(wanted: ResponseFormat | None) -> Any:
    if wanted is None or wanted.kind == "text":
        return None
    return "json" if wanted.kind == "json_object" else wanted.schema or {"type": "object"}


def _dict(value: Any) -> Fields:
    return value if isinstance(value, dict) else {}
