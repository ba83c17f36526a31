"""Hand-written answers, after TGI's docs/openapi.json and router (db931fcf, read 2026-11-21)."""

from __future__ import annotations

import json
from typing import Any

from headrace.core.chunk import Failure
from headrace.core.fold import fold
from headrace.core.reply import Reply
from headrace.testing import stages
from headrace.wire.tgi import TgiDecoder

DETAILS = {"finish_reason": "eos_token", "generated_tokens": 4, "input_length": 3, "seed": 42}


def token(id: int, text: str, logprob: float | None = -0.25, special: bool = False) -> dict[str, Any]:
    return {"id": id, "text": text, "logprob": logprob, "special": special}


def event(index: int, token: dict[str, Any] | None, **more: Any) -> bytes:
    body = {"index": index, "token": token, "generated_text": None, "details": None, **more}
    return b"data: " + json.dumps(body, ensure_ascii=False).encode() + b"\n\n"


def decode(*events: bytes) -> list[Any]:
    return stages.run(TgiDecoder(), [[b"".join(events)]])


def reply(*events: bytes) -> Reply:
    return fold(decode(*events))


def failure(*events: bytes) -> Failure:
    last = decode(*events)[-1]
    assert isinstance(last, Failure)
    return last


TEXT = (
    event(1, token(5, "Hel")),
    event(2, token(6, "lo")),
    event(3, token(7, " é")),
    event(4, token(2, "</s>", -0.5, True), generated_text="Hello é", details=DETAILS),
)
CUT_OFF = (
    event(1, token(5, "One"), top_tokens=[token(5, "One"), token(2, "</s>", -3.0, True)]),
    event(2, token(6, " two", None), novel={"a": 1}),
    event(3, token(8, " three"), generated_text="One two three",
          details={"finish_reason": "length", "generated_tokens": 3, "input_length": 9, "seed": None}),
)  # fmt: skip
