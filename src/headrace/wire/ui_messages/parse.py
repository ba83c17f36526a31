"""A web front end's request body -> Request, with errors that name the field.

Source: the npm package `ai`, `ui/http-chat-transport.ts`, `ui/ui-messages.ts` and
`ui/convert-to-model-messages.ts` at ed857f50f1, read 2026-11-21. The transport sends `{id, messages, trigger,
messageId}` and whatever the page adds; of that, `model` and `system` are read here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from headrace.core.message import Message, system
from headrace.core.request import Request
from headrace.errors import RequestError
from headrace.wire.base import ParsedRequest
from headrace.wire.reading import read_body
from headrace.wire.ui_messages.parse_message import messages_from

# What the transport itself says of the chat; it is not the model's business.
_ABOUT = frozenset({"id", "messages", "trigger", "messageId", "model", "system"})


class MessageBody(msgspec.Struct):
    """A message of the page; each part is read by its type."""

    role: Literal["system", "user", "assistant"]
    parts: list[dict[str, Any]]


class RequestBody(msgspec.Struct):
    """The body."""

    messages: list[MessageBody]
    model: str | None = None
    system: str | None = None


def parse_request(body: bytes, path: Mapping[str, str]) -> ParsedRequest:
    """Read a page's body; the answer is always streamed. path: {"model": ...}, where the body names none.

    An assistant's message that called tools becomes several: its turn, the results, its next turn. Raises
    RequestError that names the field.
    """
    parsed, data = read_body(body, RequestBody)
    if not parsed.messages:
        raise RequestError("messages: must hold at least one message", field="messages", value=[])
    messages: list[Message] = [system(parsed.system)] if parsed.system else []
    for at, one in enumerate(parsed.messages):
        messages += messages_from(one.role, one.parts, f"messages.{at}.parts")
    warnings = tuple(f"{name} has no effect here" for name in data if name not in _ABOUT)
    request = Request(model=parsed.model or path.get("model") or "", messages=tuple(messages))
    return ParsedRequest(request, stream=True, include_usage=True, warnings=warnings)
