"""What a place that speaks a wire says: "hello", 3 tokens in and 2 out; by hand after the vendors' pages."""

from __future__ import annotations

import json
from typing import Any

from headrace.framing.eventstream import encode_message


def events(*bodies: dict[str, Any], named: bool = False) -> bytes:
    lines = []
    for body in bodies:
        name = f"event: {body['type']}\n" if named else ""
        lines.append(f"{name}data: {json.dumps(body)}\n\n")
    return "".join(lines).encode()


def lines_of(*bodies: dict[str, Any]) -> bytes:
    return "".join(json.dumps(body) + "\n" for body in bodies).encode()


def messages(*events: dict[str, Any]) -> bytes:
    """Amazon's binary messages, an event by its name each."""
    return b"".join(
        encode_message({":message-type": "event", ":event-type": name}, json.dumps(body).encode())
        for event in events
        for name, body in event.items()
    )


def chat_chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {
        "id": "c",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "m",
        "choices": [choice],
        **more,
    }


COUNTS = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
ITEM = {"type": "message", "id": "i", "role": "assistant", "status": "completed"}
RESPONSE = {"id": "r", "object": "response", "created_at": 1, "model": "m", "output": []}
TEXT = {"output_index": 0, "item_id": "i", "content_index": 0}

ANSWERS: dict[str, bytes] = {
    "openai_chat": events(
        chat_chunk({"role": "assistant", "content": "hel"}),
        chat_chunk({"content": "lo"}),
        chat_chunk({}, "stop"),
        {**chat_chunk({}), "choices": [], "usage": COUNTS},
    )
    + b"data: [DONE]\n\n",
    "openai_completions": events(
        {"id": "c", "object": "text_completion", "created": 1, "model": "m",
         "choices": [{"index": 0, "text": "hello", "finish_reason": "stop", "logprobs": None}]},
        {"id": "c", "object": "text_completion", "created": 1, "model": "m", "choices": [], "usage": COUNTS},
    )
    + b"data: [DONE]\n\n",
    "openai_responses": events(
        {"type": "response.created", "sequence_number": 0, "response": {**RESPONSE, "status": "in_progress"}},
        {"type": "response.output_item.added", "sequence_number": 1, "output_index": 0,
         "item": {**ITEM, "status": "in_progress", "content": []}},
        {"type": "response.content_part.added", "sequence_number": 2, **TEXT,
         "part": {"type": "output_text", "text": "", "annotations": []}},
        {"type": "response.output_text.delta", "sequence_number": 3, **TEXT, "delta": "hello"},
        {"type": "response.output_text.done", "sequence_number": 4, **TEXT, "text": "hello"},
        {"type": "response.content_part.done", "sequence_number": 5, **TEXT,
         "part": {"type": "output_text", "text": "hello", "annotations": []}},
        {"type": "response.output_item.done", "sequence_number": 6, "output_index": 0,
         "item": {**ITEM, "content": [{"type": "output_text", "text": "hello", "annotations": []}]}},
        {"type": "response.completed", "sequence_number": 7, "response": {
            **RESPONSE, "status": "completed",
            "output": [{**ITEM, "content": [{"type": "output_text", "text": "hello", "annotations": []}]}],
            "usage": {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}}},
        named=True,
    ),
    "openai_audio": events(
        {"type": "transcript.text.delta", "delta": "hel"},
        {"type": "transcript.text.delta", "delta": "lo"},
        {"type": "transcript.text.done", "text": "hello",
         "usage": {"type": "tokens", "input_tokens": 3, "output_tokens": 2, "total_tokens": 5}},
    ),
    "anthropic": events(
        {"type": "message_start", "message": {
            "id": "msg", "type": "message", "role": "assistant", "model": "m", "content": [],
            "stop_reason": None, "usage": {"input_tokens": 3, "output_tokens": 1}}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "ping"},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "hello"}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}},
        {"type": "message_stop"},
        named=True,
    ),
    "gemini": events(
        {"candidates": [{"index": 0, "content": {"role": "model", "parts": [{"text": "hel"}]}}]},
        {"candidates": [{"index": 0, "content": {"role": "model", "parts": [{"text": "lo"}]},
                         "finishReason": "STOP"}],
         "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 2, "totalTokenCount": 5}},
    ),
    "ollama": lines_of(
        {"model": "m", "created_at": "2026-11-25T10:00:00Z",
         "message": {"role": "assistant", "content": "hello"}, "done": False},
        {"model": "m", "created_at": "2026-11-25T10:00:01Z", "message": {"role": "assistant", "content": ""},
         "done": True, "done_reason": "stop", "prompt_eval_count": 3, "eval_count": 2},
    ),
    "tgi": events(
        {"index": 1, "token": {"id": 1, "text": "hel", "logprob": -0.1, "special": False},
         "generated_text": None, "details": None},
        {"index": 2, "token": {"id": 2, "text": "lo", "logprob": -0.1, "special": False},
         "generated_text": "hello",
         "details": {"finish_reason": "eos_token", "generated_tokens": 2, "input_length": 3}},
    ),
    "cohere": events(
        {"type": "message-start", "id": "c", "delta": {"message": {"role": "assistant", "content": []}}},
        {"type": "content-start", "index": 0,
         "delta": {"message": {"content": {"type": "text", "text": ""}}}},
        {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": "hel"}}}},
        {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": "lo"}}}},
        {"type": "content-end", "index": 0},
        {"type": "message-end", "delta": {"finish_reason": "COMPLETE", "usage": {
            "billed_units": {"input_tokens": 1, "output_tokens": 2},
            "tokens": {"input_tokens": 3, "output_tokens": 2}}}},
        named=True,
    )
    + b"data: [DONE]\n\n",
    "bedrock": messages(
        {"messageStart": {"role": "assistant"}},
        {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": "hel"}, "p": "abc"}},
        {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": "lo"}, "p": "abcd"}},
        {"contentBlockStop": {"contentBlockIndex": 0}},
        {"messageStop": {"stopReason": "end_turn"}},
        {"metadata": {"usage": {"inputTokens": 3, "outputTokens": 2, "totalTokens": 5},
                      "metrics": {"latencyMs": 7}}},
    ),
}  # fmt: skip
TYPES = {"ollama": "application/x-ndjson", "bedrock": "application/vnd.amazon.eventstream"}
