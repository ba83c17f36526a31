"""A whole reply -> the vendor's message, for an answer that is not streamed."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from headrace.core.chunk import Citation
from headrace.core.message import Part, ReasoningPart, RefusalPart, TextPart, ToolCallPart
from headrace.core.opaque import Opaque
from headrace.core.reply import Candidate, Reply
from headrace.wire.anthropic.block_bodies import Fields, call_id, citation, own, tool_input
from headrace.wire.anthropic.finish import reason_word
from headrace.wire.anthropic.usage import usage_body
from headrace.wire.base import ParsedRequest, Says


def message_body(reply: Reply, says: Says, parsed: ParsedRequest) -> bytes:
    """The JSON body of an answer. says: what is empty there is the source's own."""
    candidate = reply.candidates[0] if reply.candidates else Candidate()
    opaque = _opaque(reply.vendor)
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
        "content": _in_order(_blocks(candidate), opaque),
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
            return {"type": "thinking", "thinking": part.text, "signature": "", **extra}
        case ToolCallPart():
            return {
                "type": "tool_use",
                "id": call_id(part.id, index),
                "name": part.name,
                **extra,
                "input": tool_input(part.arguments),
            }
    return None


def _blocks(candidate: Candidate) -> list[Fields]:
    blocks: list[Fields] = []
    for index, part in enumerate(candidate.parts):
        block = part_block(part, index)
        if block is not None:
            blocks.append(block)
    _cite(blocks, candidate.citations)
    return blocks


def _cite(blocks: list[Fields], sources: Iterable[Citation]) -> None:
    """Put each source at the text it stands under, or at the last text where it does not say."""
    texts = [block for block in blocks if block["type"] == "text"]
    for source in sources:
        body = citation(source)
        if body is None or not texts:
            continue
        at = source.block if source.block < len(blocks) else -1
        to = blocks[at] if at >= 0 and blocks[at]["type"] == "text" else texts[-1]
        to.setdefault("citations", []).append(body)


def _opaque(vendor: Iterable[Opaque]) -> dict[int, Fields]:
    """The blocks that are kept as events, put together, by the place they had."""
    blocks: dict[int, Fields] = {}
    pieces: dict[int, list[str]] = {}
    for one in vendor:
        event = own(one)
        index, block, delta = event.get("index"), event.get("content_block"), event.get("delta")
        if not isinstance(index, int):
            continue
        if isinstance(block, dict):
            blocks[index] = dict(block)
        elif index in blocks and isinstance(delta, dict):
            if isinstance(delta.get("partial_json"), str):
                pieces.setdefault(index, []).append(delta["partial_json"])
            else:
                blocks[index].update({name: delta[name] for name in delta if name != "type"})
    for index, said in pieces.items():
        if "".join(said):
            blocks[index]["input"] = tool_input("".join(said))
    return blocks


def _in_order(blocks: list[Fields], opaque: dict[int, Fields]) -> list[Fields]:
    """All blocks: the opaque ones at their own places, the others in between."""
    content: list[Fields] = []
    rest = iter(blocks)
    for index in range(len(blocks) + len(opaque)):
        block = opaque.get(index) or next(rest, None)
        if block is not None:
            content.append(block)
    return content


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
        if "signature" not in event:
            said.update(
                {**{name: event[name] for name in event if name != "delta"}, **event.get("delta", {})}
            )
    return said
