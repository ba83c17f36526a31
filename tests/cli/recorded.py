"""Streams of chat completions, as they are recorded."""

import json

ID = {"id": "c-1", "object": "chat.completion.chunk", "created": 1, "model": "m"}


def event(delta: dict, finish: str | None = None) -> dict:
    return ID | {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


USAGE = ID | {"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9}}
HELLO = [
    event({"role": "assistant", "content": ""}),
    event({"content": "Hé"}),
    event({"content": "llo\n"}),
    event({}, "stop"),
    USAGE,
]
CALL = [
    event(
        {
            "tool_calls": [
                {"index": 0, "id": "t1", "type": "function", "function": {"name": "add", "arguments": ""}}
            ]
        }
    ),
    event({"tool_calls": [{"index": 0, "function": {"arguments": '{"a":'}}]}),
    event({"tool_calls": [{"index": 0, "function": {"arguments": "1}"}}]}),
    event({}, "tool_calls"),
]
ERROR = [
    event({"content": "Hi"}),
    {"error": {"message": "overloaded", "type": "server_error", "code": "busy"}},
]


def sse(events: list[dict], done: bool = True) -> bytes:
    frames = [b"data: " + json.dumps(e).encode() + b"\n\n" for e in events]
    return b"".join([*frames, b"data: [DONE]\n\n" if done else b""])


def lines(events: list[dict]) -> bytes:
    return b"".join(json.dumps(e).encode() + b"\n" for e in events)
