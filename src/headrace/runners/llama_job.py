"""Request -> the job of the llama.cpp engine. Pure: no engine, no process, no I/O."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias, assert_never

import msgspec

from headrace.core.message import (
    AudioPart,
    FilePart,
    ImagePart,
    Message,
    OpaquePart,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from headrace.core.request import GenerationSettings, Request
from headrace.errors import RequestError
from headrace.runners.base import Plan
from headrace.runners.llama_tools import ToolPlan, tool_plan
from headrace.runners.schema_bounds import SchemaCheck
from headrace.wire.as_chat import as_chat
from headrace.wire.kept import own_fields

Form: TypeAlias = Literal["text", "one-tool", "any-tool"]

_MAX_TOKEN_ID = 2**31 - 1  # the engine keeps it in 32 bits with a sign
_SCHEMA_FIELD = "response_format.json_schema.schema"
_SAMPLING = ("temperature", "top_p", "top_k", "min_p", "frequency_penalty", "presence_penalty")


class Job(msgspec.Struct, frozen=True, omit_defaults=True):
    """One reply, as the engine in the worker takes it.

    messages: for the model's chat template. body: the engine's own fields. schema: what the answer must
    match; schema_field: the request's field it came from. form: whether the text is an answer or a tool call.
    top: how many likeliest tokens the caller wants beside each one. count: only the prompt's tokens are asked
    for, no answer.
    """

    model: str
    messages: list[dict[str, str]]
    body: dict[str, Any]
    schema: Any = None
    schema_field: str = ""
    form: Form = "text"
    tool: str = ""
    top: int = 0
    count: bool = False


def plan(
    request: Request,
    defaults: GenerationSettings | None = None,
    system: str | None = None,
    *,
    count: bool = False,
) -> Plan:
    """The engine's job for `request`. Raises RequestError naming what it cannot do.

    defaults: the model's own choice for settings that the caller left open. system: what stands for a system
    message where the request has none; None leaves that to the model's template. count: see `Job`.
    """
    settings = request.settings
    if settings.n != 1:
        raise RequestError("a local model gives one candidate at a time", field="n", value=settings.n)
    warnings: list[str] = []
    request = as_chat(request, warnings)
    tools = tool_plan(request)
    warnings += tools.warnings
    if settings.effort is not None:
        warnings.append("the local model has no reasoning to steer: reasoning_effort has no effect")
    own_fields(request.vendor, "", warnings)  # fields that only a provider could know
    schema, schema_field = _schema(request, tools)
    job = Job(
        model=request.model,
        messages=_messages(request.messages, tools.instruction, system),
        body=_body(settings, defaults or GenerationSettings()),
        schema=schema,
        schema_field=schema_field,
        form=tools.form,
        tool=tools.name,
        top=settings.top_logprobs or 0,
        count=count,
    )
    return Plan(msgspec.to_builtins(job), tuple(warnings))


def _body(settings: GenerationSettings, defaults: GenerationSettings) -> dict[str, Any]:
    body: dict[str, Any] = {
        "stream": True,
        # The engine reports the likeliest tokens and, with them, the sampled one's id and log probability.
        "n_probs": max(1, settings.top_logprobs or 0),
        "return_tokens": True,
        # A cancel is seen when something is written: prompt progress makes that so during prefill too.
        "return_progress": True,
        "n_predict": -1 if settings.max_tokens is None else settings.max_tokens,
    }
    for name in _SAMPLING:
        value = getattr(settings, name)
        value = getattr(defaults, name) if value is None else value
        if value is not None:
            body[name] = value
    if settings.seed is not None:
        body["seed"] = settings.seed % (2**32 - 1)  # the engine takes 32 bits; the largest means "random"
    if settings.stop:
        body["stop"] = [stop for stop in settings.stop if stop]
    if settings.logit_bias:
        body["logit_bias"] = [[_token_id(key), bias] for key, bias in settings.logit_bias.items()]
    return body


def _token_id(key: str) -> int:
    # The length first: thousands of digits are not even a number to Python.
    if not key.isascii() or not key.isdigit() or len(key) > 10 or int(key) > _MAX_TOKEN_ID:
        shown = key if len(key) <= 32 else f"{key[:32]}…"
        text = f"a key of logit_bias is a token's number, 0 to {_MAX_TOKEN_ID}"
        raise RequestError(text, field=f"logit_bias.{shown}", value=shown)
    return int(key)


def _schema(request: Request, tools: ToolPlan) -> tuple[Any, str]:
    if tools.schema is not None:
        return tools.schema, "tools"
    wanted = request.response_format
    if wanted is None or wanted.kind == "text":
        return None, ""
    if wanted.kind == "json_object":
        return {"type": "object"}, "response_format"
    schema = wanted.schema if wanted.schema is not None else {}
    SchemaCheck().check(schema, _SCHEMA_FIELD)
    return schema, _SCHEMA_FIELD


def _messages(messages: tuple[Message, ...], instruction: str, system: str | None) -> list[dict[str, str]]:
    told = [_told(message, place) for place, message in enumerate(messages)]
    if told and told[0]["role"] == "system":
        if instruction:
            told[0] = {"role": "system", "content": f"{told[0]['content']}\n\n{instruction}"}
    elif instruction or system is not None:
        told.insert(0, {"role": "system", "content": instruction or system or ""})
    return told


def _told(message: Message, place: int) -> dict[str, str]:
    texts: list[str] = []
    for at, part in enumerate(message.parts):
        match part:
            case TextPart() | RefusalPart():
                texts.append(part.text)
            case ReasoningPart() | OpaquePart():
                continue  # thoughts of an earlier turn are not told again, nor a vendor's own parts
            case ToolCallPart():
                texts.append(f'{{"name": "{part.name}", "arguments": {part.arguments or "{}"}}}')
            case ToolResultPart():
                texts.append(f"Result of the function call: {part.text}")
            case ImagePart() | AudioPart() | FilePart():
                kind = type(part).__name__.removesuffix("Part").lower()
                field = f"messages.{place}.content.{at}"
                raise RequestError(f"the local model reads text only, no {kind}", field=field, value=kind)
            case _:
                assert_never(part)
    role = {"developer": "system", "tool": "user"}.get(message.role, message.role)
    return {"role": role, "content": "".join(texts)}
