"""What the conformance suite is told of this wire."""

from __future__ import annotations

from typing import Any

from tests.wire.asking import asked
from tests.wire.cohere.events import CITED, RICH, TEXT, TOOLS

from headrace.core.usage import Usage
from headrace.testing.conformance import Said, Sample, WireCase
from headrace.wire.cohere import WIRE

PIXEL = "data:image/png;base64,AAEC"
USAGE = Usage(9, 4, cached_input_tokens=5)
MODEL = {"model": "command", "stream": True}
ASK: dict[str, Any] = {**MODEL, "messages": [{"role": "user", "content": "hi"}]}
CONVERSATION: dict[str, Any] = {
    **MODEL,
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [
            {"type": "text", "text": "See"},
            {"type": "image_url", "image_url": {"url": PIXEL, "detail": "low"}},
        ]},
        {
            "role": "assistant",
            "content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "ok"}],
            "tool_plan": "I will call.",
            "tool_calls": [
                {"id": "t1", "type": "function", "function": {"name": "f", "arguments": '{"x": 1}'}},
                {"id": "t2", "type": "function", "function": {"name": "g", "arguments": "{}"}}],
            "citations": [CITED],
        },
        {"role": "tool", "tool_call_id": "t1", "content": "1"},
        {"role": "tool", "tool_call_id": "t2", "content": "no"},
        {"role": "user", "content": "go on"},
    ],
    "tools": [{"type": "function", "function": {
        "name": "f", "description": "does f", "parameters": {"type": "object"}}}],
    "tool_choice": "REQUIRED",
    "max_tokens": 99,
    "stop_sequences": ["END"],
    "k": 3,
    "p": 0.75,
    "thinking": {"type": "enabled", "token_budget": 50},
    "safety_mode": "STRICT",
}  # fmt: skip

CASE = WireCase(
    WIRE,
    (
        Sample("text", b"".join(TEXT), Said("Hello", usage=USAGE), enough=len(TEXT) - 1),
        Sample("tools", b"".join(TOOLS),
               Said(reasoning="hmI will call.", tool_calls=(("t1", "f", '{"a": 1}'), ("t2", "g", "{}")),
                    finish_reason="tool_calls", usage=USAGE), enough=len(TOOLS) - 1),
        Sample("rich", b"".join(RICH),
               Said('Hé "\nllo', tokens=("H",), finish_reason="stop_sequence", usage=USAGE),
               enough=len(RICH)),
    ),
    asked=(asked(ASK), asked(CONVERSATION, warns=("safety_mode",))),
    terminator=False,
    unknown_event={"type": "weather", "sky": "blue"},
    fails_as={
        **dict.fromkeys(
            ("auth", "bad_request", "context_overflow", "content_blocked", "rate_limited", "request",
             "unknown_model", "truncated"),
            "unavailable",
        ),
    },
    uncounted=("cache_write_tokens", "reasoning_tokens"),
    keeps=(b"citation-start", b'{"text": "b"}'),  # the latter is a piece of the hologram
)  # fmt: skip
