"""The official client's own accumulator as the judge of answers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from anthropic._streaming import SSEDecoder
from anthropic.lib.streaming._beta_messages import accumulate_event
from tests.wire.judge import Judge
from tests.wire.recordings import Recording

from headrace.core.chunk import Chunk
from headrace.core.fold import fold
from headrace.core.reply import Reply
from headrace.wire.anthropic import MessagesDecoder, MessagesEncoder


def sdk_message(body: bytes) -> dict[str, Any]:
    """What the official client's accumulator makes of an answer's bytes, as plain data."""
    snapshot: Any = None
    bufs: dict[int, bytes] = {}
    for one in SSEDecoder().iter_bytes(iter([body])):
        if one.event == "ping" or not one.data or (event := one.json())["type"] == "ping":
            continue
        snapshot = accumulate_event(
            event=event, current_snapshot=snapshot, json_bufs=bufs, request_headers=None
        )
    said: dict[str, Any] = snapshot.model_dump(warnings=False)
    return said


def said(reply: Reply) -> dict[str, Any]:
    """What a reply says, as far as both sides can tell it."""
    first, usage = reply.candidates[0] if reply.candidates else None, reply.usage
    assert usage is not None
    return {
        "id": reply.id,
        "text": reply.text,
        "thinking": reply.reasoning,
        "calls": [(one.id, one.name, json.loads(one.arguments)) for one in reply.tool_calls],
        "quotes": [one.quote for one in first.citations] if first else [],
        "stop": (first.raw_reason, first.stop_sequence or None) if first else None,
        "input": usage.input_tokens - usage.cached_input_tokens - usage.cache_write_tokens,
        "cache": (usage.cached_input_tokens, usage.cache_write_tokens),
        "output": usage.output_tokens,
    }


def theirs(message: dict[str, Any]) -> dict[str, Any]:
    """The same of the client's message."""
    of: dict[str, list[Any]] = {}
    for block in message["content"]:
        of.setdefault(block["type"], []).append(block)
    usage = message["usage"]
    text = of.get("text", [])
    return {
        "id": message["id"],
        "text": "".join(one["text"] for one in text),
        "thinking": "".join(one["thinking"] for one in of.get("thinking", [])),
        "calls": [(one["id"], one["name"], one["input"]) for one in of.get("tool_use", [])],
        "quotes": [each["cited_text"] for one in text for each in one.get("citations") or ()],
        "stop": (message["stop_reason"], message["stop_sequence"]),
        "input": usage["input_tokens"],
        "cache": (usage.get("cache_read_input_tokens") or 0, usage.get("cache_creation_input_tokens") or 0),
        "output": usage["output_tokens"],
    }


def _official(_recording: Recording, body: bytes) -> dict[str, Any]:
    return sdk_message(body)


def _said(_recording: Recording, chunks: Sequence[Chunk]) -> dict[str, Any]:
    return said(fold(chunks))


JUDGE = Judge(
    wire="anthropic",
    by="the accumulator of the official client (anthropic)",
    decoder=MessagesDecoder,
    encoder=MessagesEncoder,
    official=_official,
    told=lambda _recording, message: theirs(message),
    said=_said,
    ends=lambda event: b"message_stop" in event,
    # two answers spliced into one stream: there is no message to agree on
    fails={"json_lines/anthropic/spliced-message-start.jsonl": ("wire", "wire")},
)
