"""What differs between the answers of the two endpoints: where a piece of a message stands."""

from __future__ import annotations

from base64 import b64encode
from typing import Any, Protocol

import msgspec

from headrace.wire.plain import read_plain

Fields = dict[str, Any]

# The key of arguments that are no JSON object: the vendor's schema has no other place for the model's text.
INVALID = "_invalid_json"


class Shape(Protocol):
    """An endpoint's way to put a piece of a message into a line."""

    def piece(self, message: Fields) -> Fields:
        """The line's fields for a piece of a message (content, thinking, tool_calls)."""

    def image(self, data: bytes) -> Fields | None:
        """The line's fields for an image; None where it has no place."""


class ChatShape:
    """/api/chat: a `message`."""

    def piece(self, message: Fields) -> Fields:
        return {"message": {"role": "assistant", **message}}

    def image(self, data: bytes) -> Fields | None:
        return None


class GenerateShape:
    """/api/generate: `response`, and the other fields beside it."""

    def piece(self, message: Fields) -> Fields:
        return {"response": message["content"], **{k: v for k, v in message.items() if k != "content"}}

    def image(self, data: bytes) -> Fields | None:
        return {"response": "", "image": b64encode(data).decode()}


CHAT = ChatShape()
GENERATE = GenerateShape()


def arguments_of(arguments: str) -> Any:
    """A call's arguments as the object the vendor's schema wants.

    Text that is a JSON object passes as it is, on one line; anything else stands whole under `INVALID`.
    """
    if not arguments.strip():
        return {}
    try:
        parsed = read_plain(arguments)
    except (msgspec.DecodeError, RecursionError):
        return {INVALID: arguments}
    if not isinstance(parsed, dict):
        return {INVALID: arguments}
    if "\n" in arguments or "\r" in arguments:
        return parsed  # a line end here would end the line of the answer
    return msgspec.Raw(arguments.encode())


def call_body(id: str, name: str, arguments: str, own: Fields | None, place: int) -> Fields:
    """A tool call as the vendor writes it. own: what was kept of it; place: its number, where it has none."""
    kept: Fields = {"index": place} if own is None else own
    function: Fields = {**kept.get("function", {}), "name": name, "arguments": arguments_of(arguments)}
    if kept.get("index") is not None:
        function = {"index": kept["index"], **function}
    return {**kept.get("call", {}), **({"id": id} if id else {}), "function": function}
