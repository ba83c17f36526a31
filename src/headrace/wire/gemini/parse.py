"""The vendor's request body -> Request, with errors that name the field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from headrace.core.message import Message
from headrace.core.opaque import Opaque
from headrace.core.request import RANGES, GenerationSettings, Request, ResponseFormat, Tool, ToolChoice
from headrace.errors import RequestError
from headrace.wire.base import ParsedRequest
from headrace.wire.gemini.body import (
    ConfigBody,
    FunctionBody,
    RequestBody,
    ToolBody,
    spelled,
)
from headrace.wire.gemini.dialect import json_schema
from headrace.wire.gemini.parse_content import message_from, named, opaque_kind, parts_from
from headrace.wire.gemini.schema import Fields, kept
from headrace.wire.gemini.speech import modalities_from, says_more, speech_from
from headrace.wire.gemini.thinking import budget_from, effort_from
from headrace.wire.kept import only_here, warn_each
from headrace.wire.reading import in_range, quoted, read_fields, read_object

STREAMED = "streamGenerateContent"
_MODES = {"AUTO": "auto", "NONE": "none", "ANY": "required", "VALIDATED": "auto", "MODE_UNSPECIFIED": "auto"}
_HARMLESS: Fields = {"safetySettings": [], "labels": {}, "store": False}
_RANGED = {
    "temperature": "temperature",
    "topP": "top_p",
    "topK": "top_k",
    "candidateCount": "n",
    "maxOutputTokens": "max_tokens",
    "presencePenalty": "presence_penalty",
    "frequencyPenalty": "frequency_penalty",
    "logprobs": "top_logprobs",
}
_OURS = {field.encode_name: field.name for field in msgspec.structs.fields(ConfigBody)}


def parse_request(body: bytes, path: Mapping[str, str]) -> ParsedRequest:
    """Read a client's body. Raises RequestError that names the field (or, for broken JSON, the place).

    path: "model" as the path says it, with or without `models/`; "method", generateContent or
    streamGenerateContent (where it is missing). Fields that we do not know are kept in `Request.vendor`.
    """
    data: Fields = spelled(read_object(body), RequestBody)
    parsed = read_fields(data, RequestBody)
    model = (path.get("model") or parsed.model or "").removeprefix("models/")
    if not model:
        raise RequestError("model: is missing", field="model")
    if not parsed.contents:
        raise RequestError("contents: must hold at least one turn", field="contents", value=[])
    config = parsed.generation_config or ConfigBody()
    _check(config)
    warnings: list[str] = []
    tools = _tools(parsed.tools or [], data)
    request = Request(
        model=model,
        messages=_messages(parsed, data),
        settings=_settings(config),
        tools=tools,
        tool_choice=_tool_choice(parsed, tools),
        response_format=_format(config),
        vendor=_vendor(data, warnings),
        modalities=modalities_from(config),
        speech=speech_from(config),
    )
    stream = path.get("method", STREAMED) == STREAMED
    told = frozenset(request.vendor.data) if request.vendor is not None else frozenset()
    return ParsedRequest(request, stream=stream, include_usage=True, warnings=tuple(warnings), told=told)


def _check(config: ConfigBody) -> None:
    for name, ours in _RANGED.items():
        in_range(f"generationConfig.{name}", getattr(config, _OURS[name]), *RANGES[ours])
    if config.stop_sequences and "" in config.stop_sequences:
        field = "generationConfig.stopSequences"
        raise RequestError(f"{field}: a text that ends the answer must not be empty", field=field)


def _messages(body: RequestBody, data: Fields) -> tuple[Message, ...]:
    messages: list[Message] = []
    if body.system_instruction is not None:
        said = body.system_instruction
        raw = data["systemInstruction"]
        messages.append(Message("system", parts_from(said, raw, "systemInstruction")))
    for place, content in enumerate(body.contents):
        messages.append(message_from(content, data["contents"][place], f"contents.{place}"))
    return tuple(named(messages))


def _settings(config: ConfigBody) -> GenerationSettings:
    thinking = config.thinking_config
    return GenerationSettings(
        max_tokens=config.max_output_tokens,
        temperature=config.temperature,
        top_p=config.top_p,
        top_k=int(config.top_k) if config.top_k is not None else None,
        frequency_penalty=config.frequency_penalty,
        presence_penalty=config.presence_penalty,
        seed=config.seed,
        stop=tuple(config.stop_sequences or ()),
        logprobs=bool(config.response_logprobs),
        top_logprobs=config.logprobs,
        n=config.candidate_count or 1,
        reasoning_effort=effort_from(thinking.thinking_level) if thinking else None,
        reasoning_budget_tokens=budget_from(thinking.thinking_budget) if thinking else None,
    )


def _format(config: ConfigBody) -> ResponseFormat | None:
    kind = config.response_mime_type
    schema = config.response_json_schema
    if schema is None and config.response_schema is not None:
        schema = json_schema(config.response_schema)
    if kind in (None, "text/plain") and schema is None:
        return None
    if kind not in ("application/json", None):  # "text/x.enum" and others are kept for the vendor
        return None
    return ResponseFormat("json_schema" if schema is not None else "json_object", schema=schema)


def _tools(tools: list[ToolBody], data: Fields) -> tuple[Tool, ...]:
    found: list[Tool] = []
    for place, tool in enumerate(tools):
        for at, function in enumerate(tool.function_declarations or ()):
            found.append(_tool(function, data["tools"][place]["functionDeclarations"][at]))
    return tuple(found)


def _tool(function: FunctionBody, raw: Fields) -> Tool:
    schema = function.parameters_json_schema
    own = {
        name: value
        for name, value in raw.items()
        if name not in ("name", "description", "parametersJsonSchema")
    }
    if schema is None:
        schema = json_schema(function.parameters or {})
    return Tool(function.name, function.description or "", schema, vendor=kept(own))


def _tool_choice(body: RequestBody, tools: tuple[Tool, ...]) -> ToolChoice | None:
    config = body.tool_config.function_calling_config if body.tool_config is not None else None
    if config is None or config.mode is None:
        return None
    field = "toolConfig.functionCallingConfig"
    mode = _MODES.get(config.mode.upper())
    if mode is None:
        said = f"{field}.mode: must be AUTO, ANY, NONE or VALIDATED (it is {quoted(config.mode)})"
        raise RequestError(said, field=f"{field}.mode", value=config.mode)
    names = [tool.name for tool in tools]
    for name in config.allowed_function_names or ():
        if name not in names:
            said = f"{field}.allowedFunctionNames: no function is called {quoted(name)}"
            raise RequestError(said, field=f"{field}.allowedFunctionNames", value=name)
    if mode == "required":
        allowed = config.allowed_function_names or []
        return ToolChoice("tool", allowed[0]) if len(allowed) == 1 else ToolChoice("required")
    return ToolChoice("none" if mode == "none" else "auto")


def _vendor(data: Fields, warnings: list[str]) -> Opaque | None:
    """What has no place in `Request`; a warning for each field that matters."""
    known = ("contents", "systemInstruction", "tools", "toolConfig", "generationConfig", "model")
    extra: dict[str, Any] = {
        name: value for name, value in data.items() if name not in known and value is not None
    }
    _say(extra, warnings)
    tools = [own for tool in data.get("tools") or () if (own := _server_tool(tool))]
    config = _more_config(data.get("generationConfig") or {}, warnings)
    calling = data.get("toolConfig") or {}
    kinds = {
        name
        for content in data["contents"]
        for part in content.get("parts") or ()
        for name in opaque_kind(part)
    }
    warn_each(warnings, (only_here(f"a part of kind {name}") for name in sorted(kinds)))
    if tools:
        extra["tools"] = tools
        names = sorted({name for tool in tools for name in tool})
        warn_each(warnings, (only_here(f"the tool {name}") for name in names))
    if config:
        extra["generationConfig"] = config
    if calling:
        extra["toolConfig"] = calling
        _say({name: value for name, value in calling.items() if name != "functionCallingConfig"}, warnings)
    return kept(extra)


def _server_tool(tool: Fields) -> Fields:
    return {name: value for name, value in tool.items() if name != "functionDeclarations"}


def _more_config(config: Fields, warnings: list[str]) -> Fields:
    """The settings with no place of their own, and those whose own words say more than ours."""
    names = {field.encode_name for field in msgspec.structs.fields(ConfigBody)}
    unknown = {name: value for name, value in config.items() if name not in names}
    _say(unknown, warnings)
    if config.get("responseMimeType") not in (None, "text/plain", "application/json"):
        unknown["responseMimeType"] = config["responseMimeType"]
        _say({"responseMimeType": config["responseMimeType"]}, warnings)
    if says_more(config.get("speechConfig") or {}):
        _say({"speechConfig": config["speechConfig"]}, warnings)
    for name in ("thinkingConfig", "responseSchema", "responseModalities", "speechConfig"):
        if config.get(name) is not None:
            unknown[name] = config[name]
    return unknown


def _say(fields: Fields, warnings: list[str]) -> None:
    telling = [name for name, value in fields.items() if value != _HARMLESS.get(name)]
    warn_each(warnings, (only_here(name) for name in telling))
