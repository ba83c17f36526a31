"""What people write -> a Request: a prompt or messages, settings by keyword, a preset."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias, get_args

import msgspec

from headrace.core.message import Message, Part, Role, message
from headrace.core.request import (
    PRESETS,
    GenerationSettings,
    PresetName,
    Request,
    ResponseFormat,
    Tool,
    ToolChoice,
)
from headrace.errors import RequestError

MessageLike: TypeAlias = Message | Mapping[str, Any]
ToolLike: TypeAlias = Tool | Mapping[str, Any]
_ROLES: tuple[str, ...] = get_args(Role)


def build_request(
    model: str,
    prompt: str | None = None,
    *,
    messages: Sequence[MessageLike] | None = None,
    system: str | None = None,
    tools: Iterable[ToolLike] = (),
    tool_choice: ToolChoice | str | None = None,
    response_format: ResponseFormat | Mapping[str, Any] | None = None,
    preset: PresetName | None = None,
    **settings: Any,
) -> Request:
    """One request. Give `prompt` or `messages`, not both; `system` goes before either.

    response_format: a ResponseFormat, or a JSON schema as a mapping. settings: GenerationSettings' fields,
    over the preset's, clamped to their ranges.
    Raises: RequestError naming the argument at fault; TypeError for a setting that does not exist.
    """
    turns = _turns(prompt, messages)
    if system is not None:
        turns = (message("system", system), *turns)
    return Request(
        model=model,
        messages=turns,
        settings=_settings(preset, settings),
        tools=tuple(_tool(tool, index) for index, tool in enumerate(tools)),
        tool_choice=_choice(tool_choice),
        response_format=_format(response_format),
    )


def _turns(prompt: str | None, messages: Sequence[MessageLike] | None) -> tuple[Message, ...]:
    if (prompt is None) == (messages is None):
        raise RequestError("give either a prompt or messages", field="prompt", value=prompt)
    if prompt is not None:
        return (message("user", prompt),)
    assert messages is not None
    if not messages:
        raise RequestError("messages must hold at least one message", field="messages", value=[])
    return tuple(_message(one, index) for index, one in enumerate(messages))


def _message(given: MessageLike, index: int) -> Message:
    if isinstance(given, Message):
        return given
    where = f"messages.{index}"
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
    try:
        parts = msgspec.convert(content, tuple[Part, ...], from_attributes=True)
    except msgspec.ValidationError as error:
        field = f"{where}.content"
        raise RequestError(f"{field} must be text or message parts: {error}", field=field) from None
    return message(role, parts, name=given.get("name", ""))


def _settings(preset: PresetName | None, settings: dict[str, Any]) -> GenerationSettings:
    given = {name: value for name, value in settings.items() if value is not None}
    if preset is None:
        return GenerationSettings.make(**given)
    if preset not in PRESETS:
        raise RequestError(
            f"preset is {preset!r}: choose one of {', '.join(PRESETS)}", field="preset", value=preset
        )
    base = msgspec.structs.asdict(PRESETS[preset])
    return GenerationSettings.make(**{**base, **given})


def _tool(given: ToolLike, index: int) -> Tool:
    if isinstance(given, Tool):
        return given
    plain = given.get("function", given)  # the shape that OpenAI's users write
    unknown = set(plain) - set(Tool.__struct_fields__) - {"type"}
    if unknown:
        field = f"tools.{index}.{min(unknown)}"
        raise RequestError(f"{field} is not known", field=field)
    try:
        return msgspec.convert(plain, Tool)
    except msgspec.ValidationError as error:
        raise RequestError(f"tools.{index} is not a tool: {error}", field=f"tools.{index}") from None


def _choice(given: ToolChoice | str | None) -> ToolChoice | None:
    if given is None or isinstance(given, ToolChoice):
        return given
    if given in ("auto", "none", "required"):
        return ToolChoice(given)  # type: ignore[arg-type]
    return ToolChoice("tool", given)


def _format(given: ResponseFormat | Mapping[str, Any] | None) -> ResponseFormat | None:
    if given is None or isinstance(given, ResponseFormat):
        return given
    return ResponseFormat("json_schema", name=str(given.get("title", "answer")), schema=dict(given))


__all__ = ["MessageLike", "ToolLike", "build_request"]
