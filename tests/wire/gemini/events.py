"""Hand-written answers: builders for the vendor's events."""

from __future__ import annotations

import json
from typing import Any

from headrace.core.chunk import Failure
from headrace.core.fold import fold
from headrace.core.reply import Reply
from headrace.testing import stages
from headrace.wire.gemini import GeminiDecoder

USAGE = {"promptTokenCount": 3, "candidatesTokenCount": 2, "thoughtsTokenCount": 4, "totalTokenCount": 9}


def event(**fields: Any) -> bytes:
    body = {**fields, "modelVersion": "m", "responseId": "r-1"}
    return b"data: " + json.dumps(body).encode() + b"\r\n\r\n"


def said(*parts: Any, reason: str | None = None, index: int = 0, usage: Any = None, **more: Any) -> bytes:
    body: dict[str, Any] = {"content": {"parts": list(parts), "role": "model"}, **more, "index": index}
    if reason is not None:
        body["finishReason"] = reason
    beside = {"usageMetadata": usage} if usage is not None else {}
    return event(candidates=[body], **beside)


def text(said: str, **more: Any) -> dict[str, Any]:
    return {"text": said, **more}


def thought(said: str) -> dict[str, Any]:
    return {"text": said, "thought": True}


def call(name: str, args: Any, **more: Any) -> dict[str, Any]:
    return {"functionCall": {"name": name, "args": args, **more}}


def piece(*args: dict[str, Any], name: str | None = None, goes_on: bool = True) -> dict[str, Any]:
    body: dict[str, Any] = {"name": name} if name else {}
    if args:
        body["partialArgs"] = list(args)
    if goes_on:
        body["willContinue"] = True
    return {"functionCall": body}


def decode(*events: bytes) -> list[Any]:
    return stages.run(GeminiDecoder(), [[b"".join(events)]])


def reply(*events: bytes) -> Reply:
    return fold(decode(*events))


def failure(*events: bytes) -> Failure:
    last = decode(*events)[-1]
    assert isinstance(last, Failure)
    return last


def plain(body: bytes) -> list[Any]:
    """The events of a stream, as JSON."""
    return [json.loads(one.removeprefix(b"data: ")) for one in body.split(b"\r\n\r\n") if one]


TEXT = (said(text("Hel")), said(text("lo")), said(text(""), reason="STOP", usage=USAGE))
RICH = (
    said(thought("Let me "), usage={"promptTokenCount": 3, "totalTokenCount": 3}),
    said(thought("see"), text("Hé"), usage=USAGE),
    said(call("add", {"a": 1}, id="c-1"), call("sub", {"b": [2]}), reason="STOP", finishMessage="ok"),
)
