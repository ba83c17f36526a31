"""A web front end's request body -> Request, with errors that name the field.

Source: the npm package `ai` 7.0.173, `ui/http-chat-transport.ts`, `ui/ui-messages.ts` and
`ui/convert-to-model-messages.ts`, read 2026-11-25. The transport sends `{id, messages, trigger, messageId}`
and whatever the page adds; of that, `model`, `system` and the options (`options.py`) are read here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from headrace.core.message import Message, system
from headrace.core.opaque import Opaque
from headrace.core.request import Request
from headrace.errors import RequestError
from headrace.wire.base import ParsedRequest
from headrace.wire.kept import only_here, warn_each
from headrace.wire.reading import read_body
from headrace.wire.ui_messages.metadata import WIRE_NAME, Part
from headrace.wire.ui_messages.options import (
    OptionsBody,
    choice_from,
    format_from,
    settings_from,
    tools_from,
)
from headrace.wire.ui_messages.parse_message import messages_from

# What the transport itself says of the chat: of use to a server of this protocol only.
CHAT = ("id", "trigger", "messageId")
GOES_ON = "message_id"  # of the assistant's message that the answer goes on with, in what is wanted


class MessageBody(msgspec.Struct):
    """A message of the page; each part is read by its type."""

    role: Literal["system", "user", "assistant"]
    parts: list[dict[str, Any]]
    id: str = ""
    metadata: Any = None


class RequestBody(OptionsBody):
    """The body."""

    messages: list[MessageBody] = msgspec.field(default_factory=list)
    model: str | None = None
    system: str | None = None


_KNOWN = frozenset({*RequestBody.__struct_fields__, *CHAT})


def parse_request(body: bytes, path: Mapping[str, str]) -> ParsedRequest:
    """Read a page's body; the answer is always streamed. path: {"model": ...}, where the body names none.

    An assistant's message that called tools becomes several: its turn, the results, its next turn. What the
    page adds and we do not know is kept for a target of this protocol. Where the last message is the
    assistant's, its tools have answered, and the answer goes on with it. Raises RequestError that names the
    field.
    """
    parsed, data = read_body(body, RequestBody)
    if not parsed.messages:
        raise RequestError("messages: must hold at least one message", field="messages", value=[])
    warnings: list[str] = []
    extra = {name: value for name, value in data.items() if name not in _KNOWN and value is not None}
    warn_each(warnings, (only_here(name) for name in extra))
    request = Request(
        model=parsed.model or path.get("model") or "",
        messages=_messages(parsed, {name: data[name] for name in CHAT if data.get(name) is not None}),
        settings=settings_from(parsed),
        tools=tools_from(parsed),
        tool_choice=choice_from(parsed),
        response_format=format_from(parsed, warnings),
        vendor=Opaque(WIRE_NAME, extra) if extra else None,
    )
    last = parsed.messages[-1]
    wanted = {GOES_ON: last.id} if last.role == "assistant" and last.id else {}
    chat = data.get("id")
    alias = chat if isinstance(chat, str) else ""
    return ParsedRequest(request, True, True, tuple(warnings), wanted, alias=alias)


def _messages(body: RequestBody, chat: Part) -> tuple[Message, ...]:
    """The turns. The first of each message keeps what the page says of it, the very last what of the chat."""
    messages: list[Message] = [system(body.system)] if body.system else []
    for at, one in enumerate(body.messages):
        turns = messages_from(one.role, one.parts, f"messages.{at}.parts")
        about: Part = {"id": one.id} if one.id else {}
        if one.metadata is not None:
            about["metadata"] = one.metadata
        if about and turns:
            turns[0] = _about(turns[0], about)
        messages += turns
    if chat and messages:
        messages[-1] = _about(messages[-1], {"chat": chat})
    return tuple(messages)


def _about(message: Message, about: Part) -> Message:
    told = message.vendor.data if message.vendor is not None else {}
    return msgspec.structs.replace(message, vendor=Opaque(WIRE_NAME, {**told, **about}))
