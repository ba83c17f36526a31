"""A whole reply -> the vendor's message, for an answer that is not streamed."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from headrace.core.chunk import Citation
from headrace.core.message import OpaquePart, Part, ReasoningPart, RefusalPart, TextPart, ToolCallPart
from headrace.core.reply import Candidate, Reply
from headrace.wire.anthropic.block_bodies import Fields, call_id, citation, own
from headrace.wire.anthropic.finish import reason_word
from headrace.wire.anthropic.schema import WIRE_NAME
from headrace.wire.anthropic.usage import usage_body
from headrace.wire.arguments import tool_input
from headrace.wire.base import ParsedRequest, Says
from headrace.wire.carried import carry, carry_call


def message_body(reply: Reply, says: Says, parsed: ParsedRequest) -> bytes:
    """The JSON body of an answer. says: what is empty there is the source's own."""
    candidate = reply.candidates[0] if reply.candidates else Candidate()
    ended = reply.finish_reason or "stop"
    terminal = reply.terminal
    raw = candidate.raw_reason or getattr(terminal, "raw_reason", "")
    word = reason_word(ended, raw)
    refused = any(isinstance(part, RefusalPart) for part in candidate.parts)
    body: Fields = {
        "id": says.id or reply.id,
        "type": "message",
        "role": "assistant",
        "model": says.model or reply.model,
        "content": _blocks(candidate),
        **_beside(reply, candidate),
        "stop_reason": "refusal" if refused and word == "end_turn" else word,
        "stop_sequence": candidate.stop_sequence or None,
        "usage": usage_body(reply.usage),
    }
    return msgspec.json.encode(body)


def part_block(part: Part, index: int) -> Fields | None:
    """A part of the answer as a block; None for one that this protocol has no place for."""
    extra = own(part.vendor)
    match part:
        case TextPart() | RefusalPart():
            return {"type": "text", "text": part.text, **extra}
        case ReasoningPart():
            if "type" in extra:
                return extra
            signature = carry(part.vendor, WIRE_NAME) or ""
            return {"type": "thinking", "thinking": part.text, "signature": signature, **extra}
        case ToolCallPart():
            return {
                "type": "tool_use",
                "id": call_id(part.id, index),
                "name": part.name,
                **extra,
                "input": tool_input(part.arguments),
            }
        case OpaquePart():
            return extra or None
    return None


def _blocks(candidate: Candidate) -> list[Fields]:
    by_part = {index: part_block(part, index) for index, part in enumerate(candidate.parts)}
    _cite(by_part, candidate.citations)
    blocks: list[Fields] = []
    for index, block in by_part.items():
        needed = carry_call(candidate.parts[index].vendor, WIRE_NAME)
        if needed is not None:  # as in a stream: before the call that another vendor needs it for
            blocks.append({"type": "redacted_thinking", "data": needed})
        if block is not None:
            blocks.append(block)
    if candidate.transcript:  # sound has no place here, but what it says can be read
        blocks.append({"type": "text", "text": candidate.transcript})
    return blocks


def _cite(blocks: dict[int, Fields | None], sources: Iterable[Citation]) -> None:
    """Put each source at the text it stands under, or at the last text where it does not say."""
    texts = {at: block for at, block in blocks.items() if block is not None and block.get("type") == "text"}
    for source in sources:
        if own(source.vendor):
            continue  # it came over this wire, and its text has it already
        body = citation(source)
        if body is not None and texts:
            to = texts.get(source.block) or texts[max(texts)]
            to.setdefault("citations", []).append(body)


def _beside(reply: Reply, candidate: Candidate) -> Fields:
    """Fields of the message's own: what its first event and its last said beside what every message has."""
    said: Fields = {}
    for one in reply.vendor:
        event = own(one)
        if "type" not in event:
            said.update(event)
        elif event["type"] == "message_delta":
            said.update({name: event[name] for name in event if name not in ("type", "delta", "usage")})
            said.update(event.get("delta") or {})
    for one in candidate.vendor:
        event = own(one)
        said.update({**{name: event[name] for name in event if name != "delta"}, **event.get("delta", {})})
    return said
