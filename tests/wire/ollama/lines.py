"""Hand-written answers, after Ollama's docs/api.md and api/types.go (fb3076099, read 2026-11-21)."""

from __future__ import annotations

import json
from typing import Any

from headrace.core.chunk import Failure
from headrace.core.fold import fold
from headrace.core.reply import Reply
from headrace.testing import stages
from headrace.wire.ollama import OllamaDecoder

TIME = "2026-11-21T05:00:00.123456789Z"
METRICS = {
    "total_duration": 4883583458,
    "load_duration": 1334875,
    "prompt_eval_count": 26,
    "prompt_eval_duration": 342546000,
    "eval_count": 282,
    "eval_duration": 4535599000,
}
PNG = "iVBORw0KGgo="


def line(**fields: Any) -> bytes:
    body = {"model": "qwen3", "created_at": TIME, **fields}
    body.setdefault("done", False)
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def chat(content: str = "", **more: Any) -> bytes:
    fields = {name: more.pop(name) for name in ("thinking", "tool_calls", "images") if name in more}
    return line(message={"role": "assistant", "content": content, **fields}, **more)


def call(name: str, arguments: Any, **more: Any) -> dict[str, Any]:
    function = {"name": name, "arguments": arguments}
    if "index" in more:
        function = {"index": more.pop("index"), **function}
    return {**more, "function": function}


def decode(*lines: bytes) -> list[Any]:
    return stages.run(OllamaDecoder(), [[b"".join(lines)]])


def reply(*lines: bytes) -> Reply:
    return fold(decode(*lines))


def failure(*lines: bytes) -> Failure:
    last = decode(*lines)[-1]
    assert isinstance(last, Failure)
    return last


TEXT = (chat("Hel"), chat("lo é"), chat("", done=True, done_reason="stop", **METRICS))
CHAT = (
    chat("", thinking="Let me "),
    chat("", thinking="think."),
    chat("Hel", logprobs=[{"token": "Hel", "logprob": -0.5, "bytes": [72, 101, 108],
                           "top_logprobs": [{"token": "Hi", "logprob": -2.5, "bytes": [72, 105]}]}]),
    chat("lo", novelty={"a": 1}),
    chat("", tool_calls=[call("weather", {"city": "Oslo"}, id="call_1", index=0)]),
    chat("", tool_calls=[call("time", {}, id="call_2", index=1)]),
    chat("", done=True, done_reason="stop", **METRICS),
)  # fmt: skip
GENERATE = (
    line(response="", thinking="Hm."),
    line(response="The"),
    line(response=" sky"),
    line(response="", done=True, done_reason="length", context=[1, 2, 3], **METRICS),
)
