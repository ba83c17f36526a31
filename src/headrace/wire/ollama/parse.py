"""The vendor's request bodies -> Request, with errors that name the field."""

from __future__ import annotations

from typing import Any

from headrace.core.message import ImagePart, Message, Part, TextPart
from headrace.core.opaque import Opaque
from headrace.core.request import GenerationSettings, Request, ResponseFormat, Tool
from headrace.errors import RequestError
from headrace.wire.base import ParsedRequest
from headrace.wire.kept import only_here, warn_each
from headrace.wire.ollama.parse_message import image_part, messages_from
from headrace.wire.ollama.schema import (
    WIRE_NAME,
    AskedBase,
    ChatBody,
    GenerateBody,
    Options,
    ToolBody,
)
from headrace.wire.reading import check_ranges, quoted, read_body

Fields = dict[str, Any]
_OPTIONS = frozenset(Options.__struct_fields__)
_RANGED = ("temperature", "top_p", "top_k", "min_p", "frequency_penalty", "presence_penalty")
# Asking for what is so anyway. keep_alive says how long to hold a model in memory: nothing of the answer.
_HARMLESS: Fields = {
    "raw": False,
    "template": "",
    "suffix": "",
    "truncate": True,
    "shift": True,
    "context": [],
}
_QUIET = frozenset({"keep_alive"})
# True is "medium" to a model with levels.
_EFFORT: dict[bool | str, str] = {
    True: "medium",
    False: "none",
    "low": "low",
    "medium": "medium",
    "high": "high",
    "max": "xhigh",
}


def parse_chat(body: bytes) -> ParsedRequest:
    """Read a body of /api/chat, which is streamed unless it says otherwise. Raises RequestError."""
    parsed, data = read_body(body, ChatBody)
    if not parsed.messages:
        raise RequestError("messages: must hold at least one message", field="messages", value=[])
    messages = messages_from(parsed.messages, data["messages"])
    tools = tuple(_tool(tool) for tool in parsed.tools or ())
    return _parsed(parsed, data, messages, tools, ChatBody)


def parse_generate(body: bytes) -> ParsedRequest:
    """Read a body of /api/generate: `system` and `prompt` become two messages. Raises RequestError."""
    parsed, data = read_body(body, GenerateBody)
    images = tuple(image_part(image, f"images.{at}") for at, image in enumerate(parsed.images or ()))
    if not parsed.prompt and not images:
        raise RequestError("prompt: is missing", field="prompt", value=parsed.prompt)
    messages: list[Message] = []
    if parsed.system:
        messages.append(Message("system", (TextPart(parsed.system),)))
    messages.append(Message("user", _turn(parsed.prompt, images)))
    return _parsed(parsed, data, tuple(messages), (), GenerateBody)


def _turn(prompt: str | None, images: tuple[ImagePart, ...]) -> tuple[Part, ...]:
    return (TextPart(prompt), *images) if prompt else images


def _parsed(
    body: AskedBase,
    data: Fields,
    messages: tuple[Message, ...],
    tools: tuple[Tool, ...],
    kind: type[AskedBase],
) -> ParsedRequest:
    if not body.model:
        raise RequestError("model: must not be empty", field="model", value=body.model)
    warnings: list[str] = []
    request = Request(
        model=body.model,
        messages=messages,
        settings=_settings(body),
        tools=tools,
        response_format=_format(body.format),
        vendor=_vendor(data, frozenset(kind.__struct_fields__), warnings),
    )
    told = frozenset(request.vendor.data) if request.vendor is not None else frozenset()
    return ParsedRequest(request, body.stream is not False, True, tuple(warnings), told=told)


def _tool(tool: ToolBody) -> Tool:
    function = tool.function
    return Tool(function.name, function.description or "", function.parameters or {})


def _settings(body: AskedBase) -> GenerationSettings:
    options = body.options or Options()
    check_ranges({name: getattr(options, name) for name in _RANGED}, "options.")
    check_ranges({"top_logprobs": body.top_logprobs})
    limit = options.num_predict
    return GenerationSettings(
        max_tokens=limit if limit is not None and limit > 0 else None,
        temperature=options.temperature,
        top_p=options.top_p,
        top_k=options.top_k,
        min_p=options.min_p,
        frequency_penalty=options.frequency_penalty,
        presence_penalty=options.presence_penalty,
        seed=options.seed,
        stop=(options.stop,) if isinstance(options.stop, str) else tuple(options.stop or ()),
        logprobs=bool(body.logprobs),
        top_logprobs=body.top_logprobs if body.logprobs else None,
        reasoning_effort=None if body.think is None else _EFFORT[body.think],
    )


def _format(wanted: str | Fields | None) -> ResponseFormat | None:
    if isinstance(wanted, dict):
        return ResponseFormat("json_schema", schema=wanted)
    if wanted == "json":
        return ResponseFormat("json_object")
    if wanted:
        said = f'format: must be "json" or a JSON schema (it is {quoted(wanted)})'
        raise RequestError(said, field="format", value=wanted)
    return None


def _vendor(data: Fields, known: frozenset[str], warnings: list[str]) -> Opaque | None:
    extra = {
        name: value
        for name, value in data.items()
        if name not in known and value is not None and value != _HARMLESS.get(name)
    }
    warn_each(warnings, (only_here(name) for name in extra if name not in _QUIET))
    options = data.get("options") or {}
    unknown = {name: value for name, value in options.items() if name not in _OPTIONS and value is not None}
    warn_each(warnings, (only_here(f"options.{name}") for name in unknown))
    if unknown:
        extra["options"] = unknown
    return Opaque(WIRE_NAME, extra) if extra else None
