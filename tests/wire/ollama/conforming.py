"""What the conformance suite is told of this wire."""

from __future__ import annotations

from tests.wire.asking import asked
from tests.wire.ollama.lines import CHAT, GENERATE, METRICS, PNG, TEXT, chat

from headrace.core.usage import Usage
from headrace.testing.conformance import NDJSON, Said, Sample, WireCase
from headrace.wire.ollama import CHAT_FRONT, GENERATE_FRONT, WIRE

USAGE = Usage(26, 282)
ASK_CHAT = {"model": "m", "messages": [{"role": "user", "content": "x"}], "stream": True}
CONVERSATION = {
    "model": "m",
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "See", "images": [PNG]},
        {
            "role": "assistant",
            "content": "",
            "thinking": "Hm.",
            "tool_calls": [
                {"id": "a", "function": {"name": "weather", "arguments": {"city": "Oslo"}}},
                {"id": "b", "function": {"name": "time", "arguments": {}}},
            ],
        },
        {"role": "tool", "content": "12:00", "tool_name": "time", "tool_call_id": "b"},
        {"role": "tool", "content": "rain", "tool_name": "weather", "tool_call_id": "a"},
        {"role": "user", "content": "Well?", "novel": 1},
    ],
    "stream": True,
    "tools": [
        {
            "type": "function",
            "function": {"name": "weather", "description": "d", "parameters": {"type": "object"}},
        }
    ],
    "format": {"type": "object", "properties": {"a": {"type": "integer"}}},
    "options": {"num_predict": 5, "temperature": 0.5, "top_p": 0.9, "top_k": 20, "min_p": 0.1, "seed": 7,
                "frequency_penalty": 0.25, "presence_penalty": 0.5, "stop": ["x"], "num_ctx": 4096},
    "think": "high",
    "logprobs": True,
    "top_logprobs": 3,
    "keep_alive": "10m",
    "truncate": False,
}  # fmt: skip
ASK_GENERATE = {"model": "m", "prompt": "Why?", "suffix": "return", "system": "Be brief.", "images": [PNG],
                "stream": True, "context": [1]}  # fmt: skip
CALLS = (("call_1", "weather", '{"city":"Oslo"}'), ("call_2", "time", "{}"))

# An error line has words and no class: within a stream every failure is the provider's.
FAILS_AS = dict.fromkeys(
    ("auth", "bad_request", "context_overflow", "content_blocked", "rate_limited", "truncated", "request",
     "unknown_model"),
    "unavailable",
)  # fmt: skip
OLLAMA_CHAT = WireCase(
    WIRE,
    (
        Sample("text", b"".join(TEXT), Said("Hello é", usage=USAGE)),
        Sample("everything", b"".join(CHAT),
               Said("Hello", "Let me think.", tokens=("Hel",), tool_calls=CALLS, finish_reason="tool_calls",
                    usage=USAGE)),
        Sample("length", chat("Hi") + chat("", done=True, done_reason="length", **METRICS),
               Said("Hi", finish_reason="length", usage=USAGE)),
    ),
    front=CHAT_FRONT,
    asked=(asked(ASK_CHAT), asked(CONVERSATION, warns=("truncate", "num_ctx"))),
    separated=NDJSON,
    unknown_event={"later": {"a": 1}},
    forgets=("logprobs.*",),
    free_form=("*.arguments",),
    fails_as=FAILS_AS,
    uncounted=("cached_input_tokens", "cache_write_tokens", "reasoning_tokens"),
    name="ollama-chat",
)  # fmt: skip
OLLAMA_GENERATE = WireCase(
    WIRE,
    (Sample("everything", b"".join(GENERATE), Said("The sky", "Hm.", finish_reason="length", usage=USAGE)),),
    front=GENERATE_FRONT,
    asked=(asked(ASK_GENERATE, warns=("suffix", "context")),),
    separated=NDJSON,
    unknown_event={"later": {"a": 1}},
    forgets=("logprobs.*",),
    free_form=("*.arguments",),
    fails_as=FAILS_AS,
    uncounted=("cached_input_tokens", "cache_write_tokens", "reasoning_tokens"),
    name="ollama-generate",
)
