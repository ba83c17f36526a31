"""How many tokens a prompt may have, where nobody can count them: a rule of thumb, and said to be one.

A token for each 4 bytes of UTF-8 of all the text (messages, tool calls and results, tool definitions, the
schema of the answer), 4 for each message, and 1,000 for each image, sound and document.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, assert_never

import msgspec

from headrace.core.message import (
    AudioPart,
    FilePart,
    ImagePart,
    OpaquePart,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from headrace.core.request import Request
from headrace.core.usage import Usage

BYTES_PER_TOKEN = 4
MESSAGE_TOKENS = 4
MEDIA_TOKENS = 1000


def estimated_usage(request: Request) -> Usage:
    """The prompt's tokens by the rule above, marked as an estimate."""
    parts = [part for message in request.messages for part in _flat(message.parts)]
    texts = [_text(part) for part in parts]
    texts += [_json([tool.name, tool.description, tool.parameters]) for tool in request.tools]
    if request.response_format is not None and request.response_format.schema is not None:
        texts.append(_json(request.response_format.schema))
    text_bytes = sum(len(text.encode("utf-8", "replace")) for text in texts)
    tokens = -(-text_bytes // BYTES_PER_TOKEN)
    tokens += MESSAGE_TOKENS * len(request.messages)
    tokens += MEDIA_TOKENS * sum(isinstance(part, ImagePart | AudioPart | FilePart) for part in parts)
    return Usage(tokens, estimated=True)


def _flat(parts: Iterable[Part]) -> Iterator[Part]:
    """The parts, those of a tool's result in its place."""
    for part in parts:
        if isinstance(part, ToolResultPart):
            yield from _flat(part.parts)
        else:
            yield part


def _text(part: Part) -> str:
    """What of a part is text to the model."""
    match part:
        case TextPart() | RefusalPart() | ReasoningPart() | ToolResultPart():
            return part.text
        case ToolCallPart():
            return part.name + part.arguments
        case OpaquePart():
            return _json(part.vendor.data)
        case ImagePart() | AudioPart() | FilePart():
            return ""
        case _:
            assert_never(part)


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
