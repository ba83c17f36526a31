"""Hand-written streams: builders for the events of a chat answer."""

from __future__ import annotations

import json
from typing import Any

from headrace.core.chunk import Failure
from headrace.core.fold import fold
from headrace.core.reply import Reply
from headrace.testing import stages
from headrace.wire.openai_chat import ChatDecoder

DONE = b"data: [DONE]\n\n"
USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}


def event(**fields: Any) -> bytes:
    body = {"id": "c-1", "object": "chat.completion.chunk", "created": 7, "model": "m", **fields}
    return b"data: " + json.dumps(body).encode() + b"\n\n"


def delta(index: int = 0, reason: str | None = None, logprobs: Any = None, **fields: Any) -> bytes:
    choice = {"index": index, "delta": fields, "logprobs": logprobs, "finish_reason": reason}
    return event(choices=[choice])


def call(index: int | None = 0, id: str | None = None, name: str | None = None, arguments: str = "") -> bytes:
    piece: dict[str, Any] = {"function": {"name": name, "arguments": arguments}, "id": id}
    if index is not None:
        piece["index"] = index
    return delta(tool_calls=[piece])


def decode(*events: bytes) -> list[Any]:
    return stages.run(ChatDecoder(), [[b"".join(events)]])


def reply(*events: bytes) -> Reply:
    return fold(decode(*events))


def failure(*events: bytes) -> Failure:
    last = decode(*events)[-1]
    assert isinstance(last, Failure)
    return last


TEXT = (delta(role="assistant", content=""), delta(content="Hel"), delta(content="lo"), delta(reason="stop"))
