"""Hand-written streams: builders for the events of a message, in either framing."""

from __future__ import annotations

import json
from typing import Any

from headrace.core.chunk import Failure
from headrace.core.fold import fold
from headrace.core.reply import Reply
from headrace.framing.eventstream import encode_message
from headrace.testing import stages
from headrace.wire.bedrock.decode import ConverseDecoder


def event(name: str, _kind: str = "event", **body: Any) -> bytes:
    """As Bedrock frames it. _kind: event or exception."""
    headers = {f":{_kind}-type": name, ":content-type": "application/json", ":message-type": _kind}
    return encode_message(headers, json.dumps(body).encode())


def exception(name: str, message: str = "no", **fields: Any) -> bytes:
    return event(name, "exception", message=message, **fields)


def line(name: str, **body: Any) -> bytes:
    """As it is kept: one event a line."""
    return json.dumps({name: body}).encode() + b"\n"


def start(index: int, **kind: Any) -> bytes:
    return event("contentBlockStart", contentBlockIndex=index, start=kind, p="abc")


def call(index: int, id: str, name: str) -> bytes:
    return start(index, toolUse={"toolUseId": id, "name": name})


def piece(index: int, **delta: Any) -> bytes:
    return event("contentBlockDelta", contentBlockIndex=index, delta=delta, p="abcdefghijkl")


def text(index: int, said: str) -> bytes:
    return piece(index, text=said)


def thought(index: int, **said: str) -> bytes:
    return piece(index, reasoningContent=said)


def arguments(index: int, said: str) -> bytes:
    return piece(index, toolUse={"input": said})


def stop(index: int) -> bytes:
    return event("contentBlockStop", contentBlockIndex=index, p="ab")


def reason(word: str = "end_turn", **fields: Any) -> bytes:
    return event("messageStop", stopReason=word, p="a", **fields)


USAGE = {"inputTokens": 3, "outputTokens": 2, "totalTokens": 5}


def cost(usage: Any = None, **fields: Any) -> bytes:
    return event("metadata", usage=usage or USAGE, metrics={"latencyMs": 7}, p="abcd", **fields)


BEGIN = event("messageStart", role="assistant", p="abcdefg")
END = cost()
TEXT = (BEGIN, text(0, "Hel"), text(0, "lo"), stop(0), reason(), END)
TOOLS = (
    BEGIN,
    thought(0, text="hm"),
    thought(0, signature="sig"),
    stop(0),
    call(1, "t1", "f"),
    arguments(1, ""),
    arguments(1, '{"a'),
    arguments(1, '": 1}'),
    stop(1),
    call(2, "t2", "g"),
    stop(2),
    reason("tool_use"),
    END,
)
LINES = (
    line("messageStart", role="assistant"),
    line("contentBlockDelta", contentBlockIndex=0, delta={"text": 'Hé "\n'}),
    line("contentBlockStop", contentBlockIndex=0),
    line("messageStop", stopReason="end_turn"),
    line("metadata", usage=USAGE, metrics={"latencyMs": 7}),
)


def decode(*events: bytes) -> list[Any]:
    return stages.run(ConverseDecoder(), [[b"".join(events)]])


def reply(*events: bytes) -> Reply:
    return fold(decode(*events))


def failure(*events: bytes) -> Failure:
    last = decode(*events)[-1]
    assert isinstance(last, Failure)
    return last
