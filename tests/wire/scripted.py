"""A reply as another wire's decoder gives it: what every encoder must be able to write."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from headrace.core.chunk import (
    BlockEnd,
    BlockStart,
    CandidateEnd,
    Chunk,
    Finish,
    ReasoningDelta,
    Start,
    TextDelta,
    ToolCallDelta,
    UsageReport,
)
from headrace.core.fold import fold
from headrace.core.opaque import Opaque
from headrace.core.reply import Reply
from headrace.core.request import Request
from headrace.core.usage import Usage
from headrace.testing.stages import run
from headrace.wire import wire_named
from headrace.wire.base import ParsedRequest, Says

USAGE = Usage(
    input_tokens=11,
    output_tokens=7,
    cached_input_tokens=4,
    reasoning_tokens=2,
    vendor=Opaque("openai_chat", {"prompt_tokens": 11}),
)

# Reasoning, text, two calls whose arguments interleave, usage.
EVERYTHING: tuple[Chunk, ...] = (
    Start("c-1", "gpt", 1700000000),
    BlockStart(0, "reasoning"),
    ReasoningDelta(0, "Let me "),
    ReasoningDelta(0, "think."),
    BlockEnd(0),
    BlockStart(1, "text"),
    TextDelta(1, "Hel"),
    TextDelta(1, "lo é🙂"),
    BlockEnd(1),
    BlockStart(2, "tool-call", "call_a", "weather"),
    ToolCallDelta(2, '{"city":'),
    BlockStart(3, "tool-call", "call_b", "time"),
    ToolCallDelta(3, "{}"),
    ToolCallDelta(2, '"Oslo"}'),
    BlockEnd(2),
    BlockEnd(3),
    CandidateEnd("tool_calls", "tool_calls"),
    UsageReport(USAGE),
    Finish("tool_calls", "tool_calls"),
)


def text_reply(*pieces: str, reason: Any = "stop", usage: Usage | None = None) -> list[Chunk]:
    """A reply of text alone."""
    chunks: list[Chunk] = [Start("c-1", "gpt", 1700000000), BlockStart(0, "text")]
    chunks += [TextDelta(0, piece) for piece in pieces]
    chunks += [BlockEnd(0), CandidateEnd(reason, str(reason))]
    if usage is not None:
        chunks.append(UsageReport(usage))
    return [*chunks, Finish(reason, str(reason))]


def written(chunks: Sequence[Chunk], wire: str) -> bytes:
    """What a client of `wire` gets of them."""
    front = wire_named(wire).front
    assert front is not None
    asked = ParsedRequest(Request("m"), stream=True, include_usage=True)
    return b"".join(run(front.encoder(Says("r", "m", 1), asked), [chunks]))


def read_back(chunks: Sequence[Chunk], wire: str) -> Reply:
    """What it adds up to for that client."""
    return fold(run(wire_named(wire).decoder(), [[written(chunks, wire)]]))
