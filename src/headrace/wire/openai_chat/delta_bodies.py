"""A chunk of a block -> the vendor's delta that carries it."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import msgspec

from headrace.core.chunk import (
    AudioDelta,
    BlockStart,
    Chunk,
    Citation,
    ImageDelta,
    ReasoningDelta,
    RefusalDelta,
    TextDelta,
    ToolCallDelta,
    TranscriptDelta,
)
from headrace.wire.logprobs import token_bodies
from headrace.wire.openai_chat.schema import own
from headrace.wire.openai_chat.sources import DERIVED

Fields = dict[str, Any]


class Piece(msgspec.Struct, gc=False):
    """One choice of one event. beside: more fields of the choice."""

    candidate: int
    delta: Fields
    logprobs: Fields | None = None
    finish_reason: str | None = None
    beside: Fields = msgspec.field(default_factory=dict)


class Writer:
    """Remembers what a block's deltas need to know of its start: the call's place, the reasoning's field.

    Tool calls are numbered from 0 in the order their blocks start, whatever numbers the source had.
    """

    __slots__ = ("_calls", "_counts", "_legacy", "_reasoning")

    def __init__(self) -> None:
        self._calls: dict[int, int] = {}  # block -> place among its candidate's calls
        self._counts: dict[int, int] = {}  # candidate -> calls so far
        self._legacy: set[int] = set()  # blocks that are a `function_call`
        self._reasoning: dict[int, str] = {}  # block -> the field its vendor used

    def piece(self, chunk: Chunk) -> Piece | None:
        """The choice that carries `chunk`; None where nothing is to be said."""
        match chunk:
            case TextDelta():
                return _spoken(chunk, {"content": chunk.text}, "content", chunk.tokens)
            case ReasoningDelta():
                field = self._reasoning.get(chunk.block, "reasoning_content")
                return _spoken(
                    chunk, {field: chunk.reasoning} if chunk.reasoning else {}, "content", chunk.tokens
                )
            case RefusalDelta():
                return _spoken(chunk, {"refusal": chunk.refusal}, "refusal", chunk.tokens)
            case BlockStart():
                return self._open(chunk)
            case ToolCallDelta():
                return self._arguments(chunk)
            case Citation() if chunk.vendor == DERIVED:
                return None
            case Citation():
                return Piece(chunk.candidate, {"annotations": [annotation_body(chunk)]})
            case _:
                return self._media(chunk)

    def _open(self, chunk: BlockStart) -> Piece | None:
        kept = own(chunk.vendor)
        if chunk.kind == "reasoning" and kept.get("field") == "reasoning":
            self._reasoning[chunk.block] = "reasoning"
        if chunk.kind == "audio" and chunk.id:
            return Piece(chunk.candidate, {"audio": {"id": chunk.id}})
        if chunk.kind != "tool-call":
            return None
        if kept.get("field") == "function_call":
            self._legacy.add(chunk.block)
            return Piece(chunk.candidate, {"function_call": {"name": chunk.name, "arguments": ""}})
        place = self._counts.get(chunk.candidate, 0)
        self._counts[chunk.candidate] = place + 1
        self._calls[chunk.block] = place
        return Piece(chunk.candidate, {"tool_calls": [call_body(chunk.id, chunk.name, "", kept, place)]})

    def _arguments(self, chunk: ToolCallDelta) -> Piece | None:
        if chunk.block in self._legacy:
            return Piece(chunk.candidate, {"function_call": {"arguments": chunk.arguments}})
        place = self._calls.get(chunk.block)
        if place is None:  # a source that forgot to open its block
            place = self._counts.get(chunk.candidate, 0)
            self._counts[chunk.candidate] = place + 1
            self._calls[chunk.block] = place
        kept = own(chunk.vendor)
        function = {**kept.get("function", {}), "arguments": chunk.arguments}
        return Piece(chunk.candidate, {"tool_calls": [{**kept, "index": place, "function": function}]})

    def _media(self, chunk: Chunk) -> Piece | None:
        match chunk:
            case AudioDelta():
                sound = {"data": b64encode(chunk.data).decode()} if chunk.data else {}
                return Piece(chunk.candidate, {"audio": {**sound, **own(chunk.vendor)}})
            case TranscriptDelta():
                if chunk.committed:
                    return Piece(chunk.candidate, {"audio": {"transcript": chunk.text}})
            case ImageDelta():
                if not chunk.partial:
                    kept = own(chunk.vendor).get("image", {})
                    image = image_body(chunk.data, chunk.media_type)
                    link = {**kept.get("image_url", {}), **image["image_url"]}
                    return Piece(chunk.candidate, {"images": [{**kept, **image, "image_url": link}]})
        return None


def call_body(id: str, name: str, arguments: str, own: Fields, place: int | None = None) -> Fields:
    """A tool call as the vendor writes it. A call that came without an id gets one: clients answer to it.

    own: what was kept of the call; it never replaces what is modelled.
    """
    call = {name: value for name, value in own.items() if name not in ("field", "function", "type", "custom")}
    if place is not None:
        call["index"] = place
    call["id"] = id or f"call_{place or 0}"
    if own.get("type") == "custom":
        return {**call, "type": "custom", "custom": {"name": name, "input": arguments}}
    function = {**own.get("function", {}), "name": name, "arguments": arguments}
    return {**call, "type": "function", "function": function}


def _spoken(
    chunk: TextDelta | ReasoningDelta | RefusalDelta, delta: Fields, field: str, tokens: Any
) -> Piece | None:
    kept = own(chunk.vendor)
    beside = {name: value for name, value in kept.items() if name != "delta"}
    delta = {**kept.get("delta", {}), **delta}  # what is modelled stands before what was kept
    logprobs: Fields | None = None
    if tokens:
        logprobs = {"content": None, "refusal": None}
        logprobs[field] = token_bodies(tokens, ids=True)
    return Piece(chunk.candidate, delta, logprobs, None, beside)


def annotation_body(chunk: Citation) -> Any:
    """A citation as an annotation; one that came over this wire goes back as it came."""
    kept = own(chunk.vendor)
    if "annotation" in kept:
        return kept["annotation"]
    cited: Fields = {"url": chunk.url, "title": chunk.title}
    if chunk.start >= 0:
        cited.update(start_index=chunk.start, end_index=chunk.end)
    return {"type": "url_citation", "url_citation": cited}


def image_body(data: bytes, media_type: str) -> Fields:
    """An image as OpenRouter puts it into a message; OpenAI's own chat answers have no place for one."""
    url = f"data:{media_type or 'image/png'};base64,{b64encode(data).decode()}"
    return {"type": "image_url", "image_url": {"url": url}}
