"""Hand-written streams: builders for the events of a chat."""

from __future__ import annotations

import json
from typing import Any

from headrace.core.chunk import Failure
from headrace.core.fold import fold
from headrace.core.reply import Reply
from headrace.testing import stages
from headrace.wire.cohere.decode import ChatDecoder


def event(type: str, **fields: Any) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (type.encode(), json.dumps({"type": type, **fields}).encode())


def said(type: str, index: int | None = None, **message: Any) -> bytes:
    place = {} if index is None else {"index": index}
    return event(type, **place, delta={"message": message})


def begin(id: str = "c_1", **fields: Any) -> bytes:
    message = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}
    return event("message-start", id=id, delta={"message": message}, **fields)


def block(index: int, type: str, **fields: Any) -> bytes:
    return said("content-start", index, content={"type": type, **fields})


def text(index: int, words: str) -> bytes:
    return said("content-delta", index, content={"text": words})


def thinking(index: int, words: str) -> bytes:
    return said("content-delta", index, content={"thinking": words})


def stop(index: int) -> bytes:
    return event("content-end", index=index)


def plan(words: str) -> bytes:
    return said("tool-plan-delta", tool_plan=words)


def call(index: int, id: str, name: str, arguments: str = "") -> bytes:
    function = {"name": name, "arguments": arguments}
    return said("tool-call-start", index, tool_calls={"id": id, "type": "function", "function": function})


def arguments(index: int, words: str) -> bytes:
    return said("tool-call-delta", index, tool_calls={"function": {"arguments": words}})


def called(index: int) -> bytes:
    return event("tool-call-end", index=index)


def cite(index: int, **citation: Any) -> bytes:
    return said("citation-start", index, citations=citation) + event("citation-end", index=index)


USAGE = {
    "billed_units": {"input_tokens": 1, "output_tokens": 2},
    "tokens": {"input_tokens": 9, "output_tokens": 4},
    "cached_tokens": 5,
}


def end(reason: str = "COMPLETE", usage: Any = None, **delta: Any) -> bytes:
    return event("message-end", delta={"finish_reason": reason, "usage": usage or USAGE, **delta})


DONE = b"data: [DONE]\n\n"
SOURCE = {"type": "document", "id": "d1", "document": {"url": "http://a", "title": "A", "snippet": "q"}}
TOOL = {"type": "tool", "id": "t1:0", "tool_output": {"x": 1}}
CITED = {"start": 0, "end": 5, "text": "Hello", "sources": [SOURCE, TOOL], "content_index": 0,
         "type": "TEXT_CONTENT"}  # fmt: skip
TEXT = (begin(), block(0, "text", text=""), text(0, "Hel"), text(0, "lo"), stop(0), end(), DONE)
TOOLS = (
    begin(),
    block(0, "thinking", thinking=""),
    thinking(0, "hm"),
    stop(0),
    plan("I will "),
    plan("call."),
    call(0, "t1", "f"),
    arguments(0, '{"a'),
    arguments(0, '": 1}'),
    called(0),
    call(1, "t2", "g"),
    called(1),
    end("TOOL_CALL"),
    DONE,
)
RICH = (
    begin(mood="glad"),
    block(0, "text", text=""),
    said("content-delta", 0, content={"text": 'Hé "\n'}).replace(
        b'"index"', b'"logprobs": {"text": "H", "token_ids": [7], "logprobs": [-0.5]}, "index"'
    ),
    said("content-delta", 0, content={"text": "llo", "bold": True}),
    cite(0, **CITED),
    said("content-delta", 0, content={"emphasis": 1}),
    event("content-end", index=0, why="done"),
    block(1, "hologram", depth=3, text="a"),
    text(1, "b"),
    stop(1),
    event("debug", prompt="<|x|>"),
    end("STOP_SEQUENCE", seen=1),
    DONE,
)


def decode(*events: bytes) -> list[Any]:
    return stages.run(ChatDecoder(), [[b"".join(events)]])


def reply(*events: bytes) -> Reply:
    return fold(decode(*events))


def failure(*events: bytes) -> Failure:
    last = decode(*events)[-1]
    assert isinstance(last, Failure)
    return last
