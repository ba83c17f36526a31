"""Hand-written streams: builders for the events of a message."""

from __future__ import annotations

import json
from typing import Any

from headrace.core.chunk import Failure
from headrace.core.fold import fold
from headrace.core.reply import Reply
from headrace.testing import stages
from headrace.wire.anthropic.decode import MessagesDecoder


def event(type: str, **fields: Any) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (type.encode(), json.dumps({"type": type, **fields}).encode())


def begin(id: str = "msg_1", usage: Any = None, **fields: Any) -> bytes:
    message = {
        "id": id, "type": "message", "role": "assistant", "model": "claude", "content": [],
        "stop_reason": None, "stop_sequence": None,
        "usage": usage or {"input_tokens": 3, "output_tokens": 1}, **fields,
    }  # fmt: skip
    return event("message_start", message=message)


def block(index: int, type: str, **fields: Any) -> bytes:
    return event("content_block_start", index=index, content_block={"type": type, **fields})


def piece(index: int, type: str, **fields: Any) -> bytes:
    return event("content_block_delta", index=index, delta={"type": type, **fields})


def text(index: int, said: str) -> bytes:
    return piece(index, "text_delta", text=said)


def stop(index: int) -> bytes:
    return event("content_block_stop", index=index)


def reason(
    word: str | None = "end_turn", sequence: str | None = None, usage: Any = None, **delta: Any
) -> bytes:
    told = {"stop_reason": word, "stop_sequence": sequence, **delta}
    return event("message_delta", delta=told, usage={"output_tokens": 2} if usage is None else usage)


PING = event("ping")
END = event("message_stop")
TEXT = (begin(), block(0, "text", text=""), PING, text(0, "Hel"), text(0, "lo"), stop(0), reason(), END)
TOOLS = (
    begin(),
    block(0, "thinking", thinking="", signature=""),
    piece(0, "thinking_delta", thinking="hm"),
    piece(0, "signature_delta", signature="sig"),
    stop(0),
    block(1, "tool_use", id="t1", name="f", input={}),
    piece(1, "input_json_delta", partial_json=""),
    piece(1, "input_json_delta", partial_json='{"a'),
    piece(1, "input_json_delta", partial_json='": 1}'),
    stop(1),
    block(2, "tool_use", id="t2", name="g", input={}),
    piece(2, "input_json_delta", partial_json=""),
    stop(2),
    reason("tool_use"),
    END,
)


def decode(*events: bytes) -> list[Any]:
    return stages.run(MessagesDecoder(), [[b"".join(events)]])


def reply(*events: bytes) -> Reply:
    return fold(decode(*events))


def failure(*events: bytes) -> Failure:
    last = decode(*events)[-1]
    assert isinstance(last, Failure)
    return last
