"""What the conformance suite is told of this wire."""

from __future__ import annotations

from typing import Any

from tests.wire.anthropic.events import (
    END,
    TEXT,
    TOOLS,
    begin,
    block,
    piece,
    reason,
    stop,
    text,
)
from tests.wire.asking import asked

from headrace.core.usage import Usage
from headrace.testing.conformance import Said, Sample, WireCase
from headrace.wire.anthropic import WIRE

SOURCE = {
    "type": "web_search_result_location", "url": "http://a", "title": "A", "cited_text": "q",
    "encrypted_index": "e",
}  # fmt: skip
CACHED = {
    "input_tokens": 3,
    "cache_read_input_tokens": 10,
    "cache_creation_input_tokens": 5,
    "output_tokens": 1,
}
LAST = {"output_tokens": 20, "output_tokens_details": {"thinking_tokens": 7}}
RICH = (
    begin(usage=CACHED),
    block(0, "redacted_thinking", data="xyz"),
    stop(0),
    block(1, "server_tool_use", id="s", name="web_search", input={}),
    piece(1, "input_json_delta", partial_json='{"q":1}'),
    stop(1),
    block(2, "text", text="", citations=[]),
    piece(2, "citations_delta", citation=SOURCE),
    text(2, 'Hé "\n'),
    stop(2),
    reason("stop_sequence", "END", LAST),
    END,
)
MODEL = {"model": "claude", "max_tokens": 99, "stream": True}
ASK: dict[str, Any] = {**MODEL, "messages": [{"role": "user", "content": "hi"}]}
CONVERSATION: dict[str, Any] = {
    **MODEL,
    "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
    "messages": [
        {"role": "user", "content": [
            {"type": "text", "text": "See"},
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAEC"}},
            {"type": "document", "source": {"type": "url", "url": "http://d/a.pdf"}},
        ]},
        {"role": "assistant", "content": [
            {"type": "thinking", "thinking": "hm", "signature": "sig"},
            {"type": "redacted_thinking", "data": "xyz"},
            {"type": "text", "text": "ok"},
            {"type": "tool_use", "id": "t1", "name": "f", "input": {"x": 1}},
            {"type": "tool_use", "id": "t2", "name": "g", "input": {}},
        ]},
        {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "t1", "content": "1"},
            {"type": "tool_result", "tool_use_id": "t2", "content": "no", "is_error": True},
            {"type": "text", "text": "go on"},
        ]},
    ],
    "stop_sequences": ["END"],
    "tools": [{"name": "f", "description": "does f", "input_schema": {"type": "object"}}],
    "tool_choice": {"type": "auto", "disable_parallel_tool_use": True},
    "thinking": {"type": "adaptive"},
    "metadata": {"user_id": "u"},
}  # fmt: skip


def spelling(event: Any) -> Any:
    """Pings and pieces of nothing are not passed on: the vendor's first piece of a call's input is empty."""
    empty = {"type": "input_json_delta", "partial_json": ""}
    return None if event.get("type") == "ping" or event.get("delta") == empty else event


CASE = WireCase(
    WIRE,
    (
        Sample("text", b"".join(TEXT), Said("Hello", usage=Usage(3, 2))),
        Sample("tools", b"".join(TOOLS),
               Said(reasoning="hm", tool_calls=(("t1", "f", '{"a": 1}'), ("t2", "g", "{}")),
                    finish_reason="tool_calls", usage=Usage(3, 2))),
        Sample("rich", b"".join(RICH),
               Said('Hé "\n', finish_reason="stop_sequence",
                    usage=Usage(18, 20, cached_input_tokens=10, cache_write_tokens=5, reasoning_tokens=7))),
    ),
    asked=(asked(ASK), asked(CONVERSATION)),
    unknown_event={"type": "weather", "sky": "blue"},
    spelling=spelling,
    free_form=("content_block.input",),
    fails_as={
        **dict.fromkeys(("context_overflow", "content_blocked"), "bad_request"),
        "truncated": "unavailable",
    },
    keeps=(b"input_json_delta", b"citations_delta"),
)  # fmt: skip
