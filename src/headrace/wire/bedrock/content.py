"""The vendor's content blocks, written from our parts.

What came over this wire with a part: `block`, a block whole; `beside`, unknown fields of a block; and of an
answer's parts `citations`, `signature` and `redactedContent`, which go back with the next turn.
"""

from __future__ import annotations

from headrace.core.message import OpaquePart, ReasoningPart, RefusalPart, TextPart, ToolCallPart
from headrace.wire.arguments import tool_input
from headrace.wire.bedrock.event_bodies import call_id
from headrace.wire.bedrock.schema import STOP, Fields, own
from headrace.wire.kept import put_back


def text_block(part: TextPart | RefusalPart) -> Fields:
    """Text, with the sources that an answer's has."""
    kept = own(part.vendor)
    if "block" in kept:
        whole: Fields = kept["block"]
        return whole
    if "citations" in kept:
        return {"citationsContent": {"content": [{"text": part.text}], "citations": kept["citations"]}}
    return put_back({"text": part.text}, kept.get("beside", {}))


def reasoning_blocks(part: ReasoningPart) -> list[Fields]:
    """Reasoning: in words, with its signature where there is one, and what is encrypted of it."""
    kept = own(part.vendor)
    blocks: list[Fields] = []
    if part.text or "redactedContent" not in kept:
        said: Fields = {"text": part.text}
        if kept.get("signature"):
            said["signature"] = kept["signature"]
        blocks.append({"reasoningContent": {"reasoningText": said}})
    if "redactedContent" in kept:
        blocks.append({"reasoningContent": {"redactedContent": kept["redactedContent"]}})
    blocks[0] = put_back(blocks[0], kept.get("beside", {}))
    return blocks


def call_block(part: ToolCallPart, index: int) -> Fields:
    """A tool call."""
    body = {
        "toolUseId": call_id(part.id, index),
        "name": part.name,
        "input": tool_input(part.arguments),
    }
    return put_back({"toolUse": body}, own(part.vendor).get("beside", {}))


def opaque_block(part: OpaquePart) -> Fields:
    """A block that is kept whole; empty for another wire's."""
    return {name: one for name, one in own(part.vendor).items() if name != STOP}
