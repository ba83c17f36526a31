"""Hand-written streams: builders for the events of a message, and what servers of the package write."""

from __future__ import annotations

import json
from typing import Any

from headrace.core.chunk import Failure
from headrace.core.fold import fold
from headrace.core.reply import Reply
from headrace.testing import stages
from headrace.wire.ui_messages import UiDecoder

Part = dict[str, Any]


def event(type: str, **fields: Any) -> bytes:
    return b"data: %b\n\n" % json.dumps({"type": type, **fields}).encode()


def parts(*body: bytes) -> list[Part]:
    """The parts in some events, `[DONE]` aside."""
    lines = b"".join(body).splitlines()
    return [json.loads(line[6:]) for line in lines if line.startswith(b"data: {")]


def piece(id: str, said: str, **fields: Any) -> bytes:
    return event("text-delta", id=id, delta=said, **fields)


def arguments(id: str, said: str) -> bytes:
    return event("tool-input-delta", toolCallId=id, inputTextDelta=said)


START = event("start", messageId="msg_1")
STEP = event("start-step")
END_STEP = event("finish-step")
FINISH = event("finish", finishReason="stop")
DONE = b"data: [DONE]\n\n"
TEXT = (START, STEP, event("text-start", id="0"), piece("0", "Hel"), piece("0", "lo é🙂"),
        event("text-end", id="0"), END_STEP, FINISH, DONE)  # fmt: skip
SIGNED = {"providerMetadata": {"anthropic": {"signature": "sig"}}}
USAGE = {
    "inputTokens": 11, "inputTokenDetails": {"noCacheTokens": 7, "cacheReadTokens": 4, "cacheWriteTokens": 0},
    "outputTokens": 7, "outputTokenDetails": {"textTokens": 5, "reasoningTokens": 2}, "totalTokens": 18,
}  # fmt: skip
# Reasoning with a signature, two calls whose input interleaves, usage.
TOOLS = (
    event("start", messageId="msg_1", messageMetadata={"model": "m", "createdAt": 1700000000000}),
    STEP,
    event("reasoning-start", id="r"), event("reasoning-delta", id="r", delta="Hm."),
    event("reasoning-end", id="r", **SIGNED),
    event("tool-input-start", toolCallId="a", toolName="weather"),
    event("tool-input-start", toolCallId="b", toolName="time"),
    arguments("a", '{"ci'), arguments("b", "{}"), arguments("a", 'ty": "Oslo"}'),
    event("tool-input-available", toolCallId="b", toolName="time", input={}),
    event("tool-input-available", toolCallId="a", toolName="weather", input={"city": "Oslo"}),
    END_STEP,
    event("finish", finishReason="tool-calls", messageMetadata={"usage": USAGE}), DONE,
)  # fmt: skip
OPENAI = {"providerMetadata": {"openai": {"itemId": "msg_9"}}}  # another server's provider
CITED = {
    "source": {"type": "source", "sourceType": "url", "id": "1", "url": "https://c", "title": "C"},
    "startIndex": 0, "endIndex": 1, "citedText": "a",
}  # fmt: skip
# What the package's own server side says that we do not model, or spell otherwise.
RICH = (
    event("start", messageId="m", messageMetadata={"createdAt": 5, "colour": "red"}), STEP,
    event("text-start", id="txt-0", **OPENAI), piece("txt-0", "a"), piece("txt-0", "b", **OPENAI),
    event("text-end", id="txt-0", citations=[CITED], **OPENAI),
    event("tool-input-start", toolCallId="d", toolName="dyn", dynamic=True, title="D"),
    event("tool-input-available", toolCallId="d", toolName="dyn", input={"x": 1}, dynamic=True, title="D"),
    event("tool-output-available", toolCallId="d", output={"y": 2}, dynamic=True),
    event("tool-input-available", toolCallId="e", toolName="whole", input=[1.5, None]),
    event("tool-approval-request", approvalId="p", toolCallId="e"),
    event("tool-output-denied", toolCallId="e"),
    event("tool-input-start", toolCallId="f", toolName="bad"), arguments("f", "{cut"),
    event("tool-input-error", toolCallId="f", toolName="bad", input="{cut", errorText="no JSON"),
    event("tool-input-error", toolCallId="g", toolName="bad", input={"a": 1}, errorText="wrong type"),
    event("tool-output-error", toolCallId="g", errorText="wrong type"),
    event("tool-input-start", toolCallId="h", toolName="mended"), arguments("h", '{"a":1'),
    event("tool-input-available", toolCallId="h", toolName="mended", input={"a": 1}),
    END_STEP, STEP,
    event("text-start", id="txt-0"), piece("txt-0", "again"), event("text-end", id="txt-0"),
    event("reasoning-start", id="txt-0"), event("reasoning-end", id="txt-0", **OPENAI),
    event("source-url", sourceId="s9", url="https://x", title="X"),
    event("source-url", sourceId="source-2", url="https://y"),
    event("source-document", sourceId="d1", mediaType="application/pdf", title="Doc", filename="a.pdf"),
    event("file", url="data:image/png;base64,eA==", mediaType="image/png"),
    event("file", url="data:image/png;base64,eA==", mediaType="image/*", **OPENAI),
    event("file", url="data:audio/wav;base64,eA==", mediaType="audio/wav"),
    event("file", url="https://x/a.png", mediaType="image/png"),
    event("file", url="data:application/pdf;base64,eA==", mediaType="application/pdf"),
    event("data-mood", id="1", data={"glad": True}), event("data-step", data=1),
    event("custom", kind="x.y"), event("novel", thing=[1]),
    event("message-metadata", messageMetadata={"usage": {"inputTokens": 3}}),
    event("message-metadata", messageMetadata={"note": "x"}),
    END_STEP,
    event("finish", finishReason="other", messageMetadata={"usage": {"inputTokens": 3}, "note": 1}), DONE,
)  # fmt: skip
STREAMS = {"text": TEXT, "tools": TOOLS, "rich": RICH}


def decode(*events: bytes) -> list[Any]:
    return stages.run(UiDecoder(), [[b"".join(events)]])


def reply(*events: bytes) -> Reply:
    return fold(decode(*events))


def failure(*events: bytes) -> Failure:
    last = decode(*events)[-1]
    assert isinstance(last, Failure), last
    return last
