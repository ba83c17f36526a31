"""Request -> the vendor's path and body. What a provider row may say of it: quirks.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import msgspec

from headrace.core.request import GenerationSettings, Request, ResponseFormat, Tool, ToolChoice
from headrace.wire.as_chat import as_chat
from headrace.wire.base import WireRequest
from headrace.wire.gemini.build_content import contents_of
from headrace.wire.gemini.schema import WIRE_NAME, Fields, own
from headrace.wire.gemini.speech import speech_fields
from headrace.wire.gemini.thinking import thinking_config
from headrace.wire.kept import add_own

_SETTINGS = {
    "temperature": "temperature",
    "top_p": "topP",
    "top_k": "topK",
    "max_tokens": "maxOutputTokens",
    "presence_penalty": "presencePenalty",
    "frequency_penalty": "frequencyPenalty",
    "seed": "seed",
}
_MODES = {"auto": "AUTO", "none": "NONE", "required": "ANY", "tool": "ANY"}
_LEFT_OUT = "{} was left out: this protocol has no field for it"


def path_of(model: str, method: str) -> str:
    """The path of a call under the base URL; a model may be named with its collection (`tunedModels/x`)."""
    kind, slash, name = model.partition("/")
    if not slash or kind not in ("models", "tunedModels"):
        kind, name = "models", model
    return f"/{kind}/{quote(name, safe='')}:{method}"


def build(request: Request, quirks: Mapping[str, Any]) -> WireRequest:
    """What asks the vendor for a streamed answer to `request`; what it cannot take is a warning."""
    warnings: list[str] = []
    request = as_chat(request, warnings, hears=True, speaks=True)
    body: Fields = contents_of(request.messages, quirks, warnings)
    _tools(request, quirks, body, warnings)
    config = _config(request.settings, warnings)
    given = own(request.vendor).get("generationConfig") or {}
    if "thinkingConfig" not in given:
        thinking = thinking_config(request.settings, request.model, quirks, warnings)
        if thinking is not None:
            config["thinkingConfig"] = thinking
    if request.response_format is not None:
        config |= _format(request.response_format, quirks)
    config |= speech_fields(request, given, warnings)
    if "responseSchema" in given:  # the same in the vendor's own dialect: one of them may be sent
        config.pop("responseJsonSchema", None)
    config = {**given, **config}
    if config:
        body["generationConfig"] = config
    if request.user:
        warnings.append(_LEFT_OUT.format("user"))
    add_own(body, request.vendor, WIRE_NAME, warnings)
    path = path_of(request.model, "streamGenerateContent") + "?alt=sse"
    return WireRequest(path, msgspec.json.encode(body), tuple(warnings))


def _config(settings: GenerationSettings, warnings: list[str]) -> Fields:
    config: Fields = {}
    for name, field in _SETTINGS.items():
        value = getattr(settings, name)
        if value is not None:
            config[field] = value
    if settings.stop:
        config["stopSequences"] = list(settings.stop)
    if settings.logprobs:
        config["responseLogprobs"] = True
        if settings.top_logprobs is not None:
            config["logprobs"] = settings.top_logprobs
    if settings.n != 1:
        config["candidateCount"] = settings.n
    untaken = [name for name in ("min_p", "logit_bias") if getattr(settings, name) is not None]
    warnings += [_LEFT_OUT.format(name) for name in untaken]
    return config


def _format(wanted: ResponseFormat, quirks: Mapping[str, Any]) -> Fields:
    if wanted.kind == "text":
        return {}
    config: Fields = {"responseMimeType": "application/json"}
    if wanted.schema is not None:
        openapi = quirks.get("schema_fields") == "openapi"
        config["responseSchema" if openapi else "responseJsonSchema"] = wanted.schema
    return config


def _tools(request: Request, quirks: Mapping[str, Any], body: Fields, warnings: list[str]) -> None:
    functions = [_function(tool, quirks) for tool in request.tools]
    kept = own(request.vendor)
    tools: list[Any] = [{"functionDeclarations": functions}] if functions else []
    tools += kept.get("tools") or []
    if tools:
        body["tools"] = tools
    config: Fields = dict(kept.get("toolConfig") or {})
    if request.tool_choice is not None:
        given = config.get("functionCallingConfig") or {}
        config["functionCallingConfig"] = {**_choice(request.tool_choice), **given}
    if config:
        body["toolConfig"] = config
    if any(tool.strict for tool in request.tools):
        warnings.append(_LEFT_OUT.format("strict"))
    if request.parallel_tool_calls is False:
        warnings.append(_LEFT_OUT.format("parallel_tool_calls"))


def _function(tool: Tool, quirks: Mapping[str, Any]) -> Fields:
    function: Fields = dict(own(tool.vendor))
    function["name"] = tool.name
    if tool.description:
        function["description"] = tool.description
    if tool.parameters and "parameters" not in function:
        openapi = quirks.get("schema_fields") == "openapi"
        function["parameters" if openapi else "parametersJsonSchema"] = tool.parameters
    return function


def _choice(choice: ToolChoice) -> Fields:
    config: Fields = {"mode": _MODES[choice.mode]}
    if choice.mode == "tool":
        config["allowedFunctionNames"] = [choice.name]
    return config
