"""A whole reply -> the answer of `Converse`, which is not streamed."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable

import msgspec

from headrace.core.chunk import Citation
from headrace.core.message import OpaquePart, Part, ReasoningPart, RefusalPart, TextPart, ToolCallPart
from headrace.core.reply import Candidate, Reply
from headrace.wire.bedrock.content import call_block, opaque_block, reasoning_blocks, text_block
from headrace.wire.bedrock.event_bodies import foreign_citation
from headrace.wire.bedrock.finish import reason_word
from headrace.wire.bedrock.schema import Fields, own
from headrace.wire.bedrock.usage import usage_body
from headrace.wire.kept import put_back


def converse_body(reply: Reply) -> bytes:
    """The JSON body of an answer. How long it took is not known here: it tells no metrics."""
    candidate = reply.candidates[0] if reply.candidates else Candidate()
    raw = candidate.raw_reason or getattr(reply.terminal, "raw_reason", "")
    body: Fields = {
        "output": {"message": {"role": "assistant", "content": _content(candidate)}},
        "stopReason": reason_word(reply.finish_reason or "stop", raw),
        "usage": usage_body(reply.usage),
    }
    for vendor in candidate.vendor:
        body = put_back(body, own(vendor))
    if candidate.stop_sequence and "additionalModelResponseFields" not in body:
        body["additionalModelResponseFields"] = {"stop_sequence": candidate.stop_sequence}
    return msgspec.json.encode(body)


def _content(candidate: Candidate) -> list[Fields]:
    blocks = [block for place, part in enumerate(candidate.parts) for block in _blocks(part, place)]
    for image in candidate.images:
        source = {"bytes": b64encode(image.data).decode()}
        blocks.append({"image": {"format": image.format.removeprefix("image/") or "png", "source": source}})
    _cite(blocks, candidate.citations)
    return blocks


def _blocks(part: Part, place: int) -> list[Fields]:
    match part:
        case TextPart() | RefusalPart():
            return [text_block(part)]
        case ReasoningPart():
            return reasoning_blocks(part)
        case ToolCallPart():
            return [call_block(part, place)]
        case OpaquePart():
            return [block] if (block := opaque_block(part)) else []
    return []


def _cite(blocks: list[Fields], sources: Iterable[Citation]) -> None:
    """Put another wire's sources at the last text: a text of this wire's has its own already."""
    found = [body for one in sources if not own(one.vendor) and (body := foreign_citation(one))]
    at = max((place for place, block in enumerate(blocks) if "text" in block), default=-1)
    if found and at >= 0:
        said = {"text": blocks[at]["text"]}
        blocks[at] = {"citationsContent": {"content": [said], "citations": found}}
