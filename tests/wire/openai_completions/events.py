"""Hand-written streams, from OpenAI's schema of a `text_completion` (openai 3.52, read 2026-11-21)."""

from __future__ import annotations

import json
from typing import Any

from headrace.core.chunk import Failure
from headrace.core.fold import fold
from headrace.core.reply import Reply
from headrace.testing import stages
from headrace.wire.openai_completions import CompletionsDecoder

DONE = b"data: [DONE]\n\n"
USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}


def event(**fields: Any) -> bytes:
    body = {"id": "cmpl-1", "object": "text_completion", "created": 7, "model": "m", **fields}
    return b"data: " + json.dumps(body).encode() + b"\n\n"


def piece(
    text: str = "", index: int = 0, reason: str | None = None, logprobs: Any = None, **more: Any
) -> bytes:
    choice = {"text": text, "index": index, "logprobs": logprobs, "finish_reason": reason, **more}
    return event(choices=[choice])


def decode(*events: bytes) -> list[Any]:
    return stages.run(CompletionsDecoder(), [[b"".join(events)]])


def reply(*events: bytes) -> Reply:
    return fold(decode(*events))


def failure(*events: bytes) -> Failure:
    last = decode(*events)[-1]
    assert isinstance(last, Failure)
    return last


LOGPROBS = {
    "tokens": ["Hel", "lo"],
    "token_logprobs": [-0.5, -0.25],
    "top_logprobs": [{"Hel": -0.5, "Hi": -1.5}, {"lo": -0.25}],
    "text_offset": [12, 15],
}
TEXT = (piece("Hel"), piece("lo"), piece(reason="stop"), event(choices=[], usage=USAGE), DONE)
EVERYTHING = (
    event(choices=[{"text": "Hello", "index": 0, "logprobs": LOGPROBS, "finish_reason": None}],
          system_fingerprint="fp_1"),
    piece("Salut", index=1, token_ids=[5, 6]),
    piece("", reason="stop", stop_reason=None),
    piece("", index=1, reason="length", stop_reason=13),
    event(choices=[], usage=USAGE, kv_transfer_params={"a": 1}),
    DONE,
)  # fmt: skip
