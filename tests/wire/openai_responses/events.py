"""Hand-written streams: builders for the events of an answer."""

from __future__ import annotations

import json
from typing import Any

from headrace.core.chunk import Failure
from headrace.core.fold import fold
from headrace.core.reply import Reply
from headrace.testing import stages
from headrace.wire.openai_responses import ResponsesDecoder

USAGE = {
    "input_tokens": 30,
    "input_tokens_details": {"cached_tokens": 5, "cache_write_tokens": 2},
    "output_tokens": 12,
    "output_tokens_details": {"reasoning_tokens": 4},
    "total_tokens": 42,
}


def event(kind: str, **fields: Any) -> bytes:
    body = {"type": f"response.{kind}" if kind != "error" else kind, **fields}
    return f"event: {body['type']}\ndata: {json.dumps(body)}\n\n".encode()


def response(status: str = "in_progress", **fields: Any) -> dict[str, Any]:
    return {"id": "resp_1", "object": "response", "created_at": 7, "model": "m", "status": status, **fields}


def added(item: dict[str, Any], at: int = 0) -> bytes:
    return event("output_item.added", output_index=at, item=item)


def item_done(item: dict[str, Any], at: int = 0) -> bytes:
    return event("output_item.done", output_index=at, item=item)


def delta(kind: str, text: str, at: int = 0, id: str = "i", **fields: Any) -> bytes:
    return event(f"{kind}.delta", item_id=id, output_index=at, delta=text, **fields)


def message(text: str = "", **fields: Any) -> dict[str, Any]:
    part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    return {"id": "i", "type": "message", "role": "assistant", "content": [part] if text else [], **fields}


def text(*deltas: str, at: int = 0) -> bytes:
    """A message whole: its text in deltas, then said three times."""
    place = {"item_id": "i", "output_index": at, "content_index": 0}
    whole = "".join(deltas)
    empty = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
    return b"".join(
        [
            added(message(), at),
            event("content_part.added", **place, part=empty),
            *(event("output_text.delta", **place, delta=one, logprobs=[]) for one in deltas),
            event("output_text.done", **place, text=whole, logprobs=[]),
            event("content_part.done", **place, part={**empty, "text": whole}),
            item_done(message(whole), at),
        ]
    )


CREATED = event("created", response=response(output=[])) + event("in_progress", response=response(output=[]))


def completed(*output: dict[str, Any], **fields: Any) -> bytes:
    last = {**response("completed"), "output": list(output), "usage": USAGE, **fields}
    return event("completed", response=last)


HELLO = CREATED + text("Hel", "lo") + completed(message("Hello"))


def decode(*events: bytes, **quirks: Any) -> list[Any]:
    return stages.run(ResponsesDecoder(quirks), [[b"".join(events)]])


def reply(*events: bytes, **quirks: Any) -> Reply:
    return fold(decode(*events, **quirks))


def failure(*events: bytes) -> Failure:
    last = decode(*events)[-1]
    assert isinstance(last, Failure)
    return last
