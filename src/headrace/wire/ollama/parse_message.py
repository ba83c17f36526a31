"""The vendor's messages -> ours."""

from __future__ import annotations

from typing import Any

from headrace.core.message import (
    ImagePart,
    Message,
    Part,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from headrace.core.opaque import Opaque
from headrace.errors import RequestError
from headrace.wire.media_type import media_type_of
from headrace.wire.ollama.build_message import arguments_text
from headrace.wire.ollama.schema import WIRE_NAME, AskedMessage
from headrace.wire.reading import base64_bytes

_KNOWN = frozenset(AskedMessage.__struct_fields__)


class _Calls:
    """The calls still without a result. The vendor's older clients give neither calls nor results an id."""

    def __init__(self) -> None:
        self._open: list[tuple[str, str]] = []  # (id, tool)
        self._count = 0

    def made(self, id: str | None, name: str) -> str:
        """The id of a call: its own, or one made up."""
        made = id or f"call_{self._count}"
        self._count += 1
        self._open.append((made, name))
        return made

    def answered(self, id: str | None, name: str | None) -> str:
        """The id of the call that a result answers: by id, else by the tool's name, else the oldest."""
        for at, (made, tool) in enumerate(self._open):
            if made == id if id else (not name or tool == name):
                del self._open[at]
                return made
        return id or name or ""


def messages_from(bodies: list[AskedMessage], raw: list[dict[str, Any]]) -> tuple[Message, ...]:
    """Our messages; raw: the same as plain data, for what we do not know. Raises RequestError."""
    calls = _Calls()
    return tuple(_message(body, raw[at], f"messages.{at}", calls) for at, body in enumerate(bodies))


def image_part(data: str, field: str) -> ImagePart:
    """An image of the request. Raises RequestError that names `field`."""
    raw = base64_bytes(data, field)
    return ImagePart(data=raw, media_type=media_type_of(raw))


def _message(body: AskedMessage, raw: dict[str, Any], field: str, calls: _Calls) -> Message:
    images = tuple(image_part(one, f"{field}.images.{at}") for at, one in enumerate(body.images or ()))
    said: tuple[TextPart | ImagePart, ...] = (*((TextPart(body.content),) if body.content else ()), *images)
    extra = {name: value for name, value in raw.items() if name not in _KNOWN}
    vendor = Opaque(WIRE_NAME, extra) if extra else None
    if body.role == "tool":
        id = calls.answered(body.tool_call_id, body.tool_name)
        if not id:
            raise RequestError(
                f"{field}.tool_name: is missing, and no call waits for a result", field=f"{field}.tool_name"
            )
        return Message("tool", (ToolResultPart(id, said),), vendor=vendor)
    parts: tuple[Part, ...] = said
    if body.thinking:
        parts = (ReasoningPart(body.thinking), *parts)
    made = tuple(
        ToolCallPart(
            calls.made(call.id, call.function.name),
            call.function.name,
            arguments_text(call.function.arguments),
        )
        for call in body.tool_calls or ()
    )
    return Message(body.role, (*parts, *made) or (TextPart(""),), vendor=vendor)
