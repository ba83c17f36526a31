"""What people write -> a Request: a prompt or messages, settings by keyword, a preset."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias, TypedDict, Unpack, get_args

import msgspec

from headrace.core.message import Message, Role, message
from headrace.core.request import PRESETS, RANGES, GenerationSettings, PresetName, Request
from headrace.dispatch.given import (
    ChoiceLike,
    FormatLike,
    ToolLike,
    choice_of,
    format_of,
    parts_of,
    tool_of,
)
from headrace.errors import RequestError

MessageLike: TypeAlias = Message | Mapping[str, Any]
_ROLES: tuple[str, ...] = get_args(Role)


class AskWithoutTools(TypedDict, total=False):
    """The keywords of a call. Give `prompt` or `messages`, not both; `system` goes before either.

    tool_choice: a ToolChoice, auto, none, required or a tool's name. response_format: a ResponseFormat, or a
    JSON schema as a mapping. Both may have the shape that OpenAI's users write. The settings are
    GenerationSettings' fields; they win over the preset's, None leaves the choice open, and a number outside
    its range is moved to the nearer end, which is a warning.
    """

    messages: Sequence[MessageLike]
    system: str | None
    tool_choice: ChoiceLike | None
    response_format: FormatLike | None
    preset: PresetName | None
    max_tokens: int | None
    temperature: float | None
    top_p: float | None
    top_k: int | None
    min_p: float | None
    frequency_penalty: float | None
    presence_penalty: float | None
    seed: int | None
    stop: str | Sequence[str] | None
    logprobs: bool
    top_logprobs: int | None
    n: int
    reasoning_effort: str | None
    reasoning_budget_tokens: int | None
    logit_bias: Mapping[str, float] | None


class Ask(AskWithoutTools, total=False):
    """The same, and tools that the model may call: `Tool`s, or mappings as OpenAI's users write them."""

    tools: Iterable[ToolLike]


_SETTINGS = GenerationSettings.__struct_fields__
_KNOWN = tuple(Ask.__annotations__)
_IN_FILE = "a provider's key and address are [providers.NAME] in headrace.toml"
_CLOCKS = "time limits are [clocks] in headrace.toml, or the stream's .timeout(...)"
_ELSEWHERE = {  # what other toolkits have as keywords of the call
    "api_key": _IN_FILE,
    "api_base": _IN_FILE,
    "base_url": _IN_FILE,
    "extra_headers": "a provider's headers are [providers.NAME] in headrace.toml",
    "timeout": _CLOCKS,
    "stream": "stream_text and stream_chunks stream, generate_text waits for the whole",
}


class Asked(NamedTuple):
    """A request, and what was changed of it on the way, one sentence each."""

    request: Request
    warnings: tuple[str, ...]


def read_ask(model: str, prompt: str | None = None, /, **ask: Unpack[Ask]) -> Asked:
    """One request. Raises: RequestError naming the argument at fault."""
    if not isinstance(model, str):
        raise RequestError(f"model must be the id of a model, not {model!r:.80}", field="model", value=model)
    for name in ask:
        if name not in _KNOWN:
            raise RequestError(f"nothing is called {name!r} here{_meant(name)}", field=name)
    turns = _turns(prompt, ask.get("messages"))
    instructions = ask.get("system")
    if instructions is not None:
        if not isinstance(instructions, str):
            raise RequestError("system must be text", field="system", value=instructions)
        turns = (message("system", instructions), *turns)
    given = {name: value for name, value in ask.items() if name in _SETTINGS and value is not None}
    settings = _settings(ask.get("preset"), given)
    request = Request(
        model=model,
        messages=turns,
        settings=settings.clamped(),
        tools=tuple(tool_of(tool, f"tools.{index}") for index, tool in enumerate(ask.get("tools") or ())),
        tool_choice=choice_of(ask.get("tool_choice")),
        response_format=format_of(ask.get("response_format")),
    )
    return Asked(request, _moved(settings))


def _meant(name: str) -> str:
    if name in _ELSEWHERE:
        return f": {_ELSEWHERE[name]}"
    near = difflib.get_close_matches(name, _KNOWN, n=1)
    return f": did you mean {near[0]}?" if near else ""


def build_request(model: str, prompt: str | None = None, /, **ask: Unpack[Ask]) -> Request:
    """`read_ask` without its warnings."""
    return read_ask(model, prompt, **ask).request


def _turns(prompt: str | None, messages: Sequence[MessageLike] | None) -> tuple[Message, ...]:
    if (prompt is None) == (messages is None):
        raise RequestError("give either a prompt or messages", field="prompt", value=prompt)
    if messages is None:
        if not isinstance(prompt, str):
            raise RequestError("the prompt must be text", field="prompt", value=prompt)
        return (message("user", prompt),)
    if not messages or isinstance(messages, (str, Mapping)):
        raise RequestError("messages must be a list of at least one message", field="messages")
    return tuple(_message(one, index) for index, one in enumerate(messages))


def _message(given: MessageLike, index: int) -> Message:
    where = f"messages.{index}"
    if isinstance(given, Message):
        return given
    if not isinstance(given, Mapping):
        raise RequestError(f"{where} is neither a Message nor a mapping", field=where, value=given)
    role, content = given.get("role"), given.get("content", "")
    if role not in _ROLES:
        raise RequestError(
            f"{where}.role is {role!r}: choose one of {', '.join(_ROLES)}", field=f"{where}.role", value=role
        )
    unknown = set(given) - {"role", "content", "name"}
    if unknown:
        field = f"{where}.{min(unknown)}"
        raise RequestError(f"{field} is not known: use a headrace.Message for more than text", field=field)
    if isinstance(content, str):
        return message(role, content, name=given.get("name", ""))
    return message(role, parts_of(content, f"{where}.content"), name=given.get("name", ""))


def _settings(preset: PresetName | None, given: dict[str, Any]) -> GenerationSettings:
    if isinstance(given.get("stop"), str):
        given["stop"] = (given["stop"],)
    if preset is not None:
        if preset not in PRESETS:
            raise RequestError(
                f"preset is {preset!r}: choose one of {', '.join(PRESETS)}", field="preset", value=preset
            )
        given = {**msgspec.structs.asdict(PRESETS[preset]), **given}
    for name, value in given.items():
        try:
            # One by one, so that the message can name the field and what it holds.
            msgspec.convert({name: value}, GenerationSettings)
        except msgspec.ValidationError as error:
            why = str(error).partition(" - at ")[0].replace("`", "").replace(" | null", "")
            raise RequestError(f"{name} is {value!r:.80}: {why}", field=name, value=value) from None
    return msgspec.convert(given, GenerationSettings)


def _moved(settings: GenerationSettings) -> tuple[str, ...]:
    return tuple(
        f"{name} was moved from {getattr(settings, name)} to {value}, the end of its range"
        f" {RANGES[name][0]} to {RANGES[name][1]}"
        for name, value in settings.outside().items()
    )


__all__ = ["Ask", "AskWithoutTools", "Asked", "MessageLike", "ToolLike", "build_request", "read_ask"]
