"""The rule of thumb for a prompt's tokens, part by part."""

from __future__ import annotations

import pytest

from headrace.core.estimate import estimated_usage
from headrace.core.message import (
    AudioPart,
    FilePart,
    ImagePart,
    Message,
    OpaquePart,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    user,
)
from headrace.core.opaque import Opaque
from headrace.core.request import Request, ResponseFormat, Tool

EACH = 4  # tokens of a message itself
PARTS = {
    "text": (TextPart("12345678"), 2),
    "a part of 4 bytes counts whole": (TextPart("123456789"), 3),
    "bytes and not letters": (TextPart("ありが"), 3),
    "half a character": (TextPart("\ud83d234"), 1),
    "refusal": (RefusalPart("1234"), 1),
    "reasoning": (ReasoningPart("1234"), 1),
    "a call": (ToolCallPart("id", "name", '{"a":1}'), 3),
    "a result": (ToolResultPart("id", (TextPart("12345678"), ImagePart(b"x", "image/png"))), 1002),
    "an image": (ImagePart(b"x" * 9999, "image/png"), 1000),
    "sound": (AudioPart(b"x", "audio/wav"), 1000),
    "a document": (FilePart(b"x", "application/pdf"), 1000),
    "a vendor's own": (OpaquePart(Opaque("x", {"a": "1"})), 3),
    "nothing": (TextPart(""), 0),
}


@pytest.mark.parametrize("name", PARTS)
def test_a_part(name: str) -> None:
    part, tokens = PARTS[name]
    usage = estimated_usage(Request("m", (Message("user", (part,)),)))
    assert (usage.input_tokens, usage.output_tokens, usage.estimated) == (EACH + tokens, 0, True)


def test_messages_tools_and_the_schema_of_the_answer_count_together() -> None:
    request = Request(
        "m",
        (user("12"), user("34")),
        tools=(Tool("f", "does f", {"type": "object"}),),  # ["f","does f",{"type":"object"}]: 32 bytes
        response_format=ResponseFormat("json_schema", schema={"type": "string"}),  # 17 bytes
    )
    assert estimated_usage(request).input_tokens == 2 * EACH + -(-(4 + 32 + 17) // 4)
