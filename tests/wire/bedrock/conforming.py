"""What the conformance suite is told of this wire: as Bedrock frames it, and as lines."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import replace
from typing import Any

from tests.wire.asking import asked
from tests.wire.bedrock.events import (
    BEGIN,
    TEXT,
    TOOLS,
    arguments,
    call,
    cost,
    piece,
    reason,
    start,
    stop,
    text,
    thought,
)
from tests.wire.bedrock.messages import EVENT_STREAM

from headrace.core.usage import Usage
from headrace.framing.eventstream import EventStreamDecoder, Message
from headrace.testing.conformance import NDJSON, Said, Sample, WireCase
from headrace.wire.bedrock import WIRE

DATA = b64encode(b"picture").decode()
SOURCE = {"title": "T", "sourceContent": [{"text": "q"}], "location": {"web": {"url": "http://a"}}}
SEARCH = {"toolUseId": "s", "name": "search", "type": "server_tool_use"}
CACHED = {
    "inputTokens": 3, "outputTokens": 20, "totalTokens": 38,
    "cacheReadInputTokens": 10, "cacheWriteInputTokens": 5,
}  # fmt: skip
RICH = (
    BEGIN,
    thought(0, redactedContent=DATA), stop(0),
    start(1, toolUse=SEARCH), arguments(1, '{"q":1}'), stop(1),
    text(2, 'Hé "\n'), piece(2, citation=SOURCE), stop(2),
    start(3, image={"format": "png"}), piece(3, image={"source": {"bytes": DATA}}), stop(3),
    call(4, "t", "f"), arguments(4, "{}"), stop(4),
    reason("stop_sequence", additionalModelResponseFields={"stop_sequence": "END"}),
    cost(CACHED),
)  # fmt: skip
ASK: dict[str, Any] = {"messages": [{"role": "user", "content": [{"text": "hi"}]}]}
CONVERSATION: dict[str, Any] = {
    "system": [{"text": "Be brief."}, {"cachePoint": {"type": "default"}}],
    "messages": [
        {"role": "user", "content": [
            {"text": "See"},
            {"image": {"format": "png", "source": {"bytes": DATA}}},
            {"document": {"format": "pdf", "name": "a", "source": {"bytes": DATA}}},
        ]},
        {"role": "assistant", "content": [
            {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "sig"}}},
            {"text": "ok"},
            {"toolUse": {"toolUseId": "t1", "name": "f", "input": {"x": 1}}},
            {"toolUse": {"toolUseId": "t2", "name": "g", "input": {}}},
        ]},
        {"role": "user", "content": [
            {"toolResult": {"toolUseId": "t1", "content": [{"text": "1"}]}},
            {"toolResult": {"toolUseId": "t2", "content": [{"text": "no"}], "status": "error"}},
            {"text": "go on"},
        ]},
    ],
    "inferenceConfig": {"maxTokens": 99, "temperature": 0.5, "topP": 0.9, "stopSequences": ["END"]},
    "toolConfig": {
        "tools": [{"toolSpec": {
            "name": "f", "description": "does f", "inputSchema": {"json": {"type": "object"}}}}],
        "toolChoice": {"auto": {}},
    },
    "outputConfig": {"effort": "low"},
    "additionalModelRequestFields": {"top_k": 5},
}  # fmt: skip


def spelling(event: Any) -> Any:
    """The letters that hide an event's length are dropped, and pieces of nothing."""
    empty = {"toolUse": {"input": ""}}
    said = {name: value for name, value in event.items() if name != "p"} if isinstance(event, dict) else event
    return None if isinstance(said, dict) and said.get("delta") == empty else said


CASE = WireCase(
    WIRE,
    (
        Sample("text", b"".join(TEXT), Said("Hello", usage=Usage(3, 2)), enough=5),
        Sample("tools", b"".join(TOOLS),
               Said(reasoning="hm", tool_calls=(("t1", "f", '{"a": 1}'), ("t2", "g", "{}")),
                    finish_reason="tool_calls", usage=Usage(3, 2)), enough=12),
        Sample("rich", b"".join(RICH),
               Said('Hé "\n', images=(b"picture",), tool_calls=(("t", "f", "{}"),),
                    finish_reason="stop_sequence",
                    usage=Usage(18, 20, cached_input_tokens=10, cache_write_tokens=5)), enough=len(RICH) - 1),
    ),
    asked=(
        asked(ASK, path={"model": "m"}),
        asked(CONVERSATION, path={"model": "m"}, warns=("additionalModelRequestFields",)),
    ),
    separated=EVENT_STREAM,
    unknown_event={"later": {"a": 1}},
    spelling=spelling,
    fails_as={
        **dict.fromkeys(("auth",), "unavailable"),
        **dict.fromkeys(("context_overflow", "content_blocked"), "bad_request"),
        "truncated": "unavailable",
    },
    uncounted=("reasoning_tokens",),
    keeps=(b"toolUse", b"citation", b"image"),
)  # fmt: skip


def _lines(stream: bytes) -> bytes:
    """A stream as it is kept: an event a line."""
    events = [one for one in EventStreamDecoder().feed(stream) if isinstance(one, Message)]
    kept = [{one.text(":event-type"): json.loads(one.payload)} for one in events]
    return b"".join(json.dumps(one).encode() + b"\n" for one in kept)


LINES = replace(
    CASE,
    wire=replace(WIRE, front=None),
    samples=[replace(one, body=_lines(one.body)) for one in CASE.samples],
    separated=NDJSON,
    spelling=lambda event: event,
    forgets=("",),  # beside an event's name, where only recordings have a place
    name="bedrock-lines",
)
