"""A chunk of a block -> the vendor's delta that carries it."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import msgspec

from headrace.core.chunk import (
    AudioDelta,
    BlockEnd,
    BlockStart,
    Chunk,
    Citation,
    ImageDelta,
    ReasoningDelta,
    RefusalDelta,
    TextDelta,
    Token,
    ToolCallDelta,
    TranscriptDelta,
    answer_tokens,
)
from headrace.core.opaque import Opaque
from headrace.wire.cited import CitedText
from headrace.wire.logprobs import token_bodies
from headrace.wire.openai_chat.details import call_extra, reasoning_detail
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

    Tool calls are numbered from 0 in the order their blocks start, whatever numbers the source had; so are
    annotations and images, which the official client puts together by their `index`. It joins the base64 of
    sound as text, so none but the last piece of a block may be padded. cited: of candidate 0.
    """

    __slots__ = (
        "_calls",
        "_counts",
        "_legacy",
        "_listed",
        "_reasoning",
        "_sound",
        "_thought_chars",
        "_thoughts",
        "cited",
    )

    def __init__(self) -> None:
        self._calls: dict[int, int] = {}  # block -> place among its candidate's calls
        self._counts: dict[int, int] = {}  # candidate -> calls so far
        self._legacy: set[int] = set()  # blocks that are a `function_call`
        self._reasoning: dict[int, str] = {}  # block -> the field its vendor used
        # block -> (where it begins, what came then)
        self._thoughts: dict[int, tuple[int, Opaque | None]] = {}
        self._thought_chars = 0
        self._listed: dict[tuple[int, str], int] = {}  # (candidate, list) -> entries so far
        # (candidate, block) -> what of its sound makes no whole group of base64 yet
        self._sound: dict[tuple[int, int], bytes] = {}
        self.cited = CitedText()

    def piece(self, chunk: Chunk) -> Piece | None:
        """The choice that carries `chunk`; None where nothing is to be said."""
        match chunk:
            case TextDelta():
                if not chunk.candidate:
                    self.cited.chars += len(chunk.text)
                return _spoken(chunk, {"content": chunk.text}, "content", chunk.tokens)
            case ReasoningDelta():
                self._thought_chars += len(chunk.reasoning)
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
                return self._cite(chunk)
            case BlockEnd():
                return self._end(chunk)
            case _:
                return self._media(chunk)

    def _end(self, chunk: BlockEnd) -> Piece | None:
        left = self._sound.pop((chunk.candidate, chunk.block), b"")
        if left:
            return _sound(chunk.candidate, left)
        if chunk.block in self._thoughts:
            return self._thought(chunk, *self._thoughts.pop(chunk.block))
        return None if chunk.candidate else self._annotations(0, self.cited.close(chunk.block))

    def _thought(self, end: BlockEnd, begin: int, began_with: Opaque | None) -> Piece | None:
        """A piece of reasoning is complete: what its vendor needs back with it."""
        chars = self._thought_chars - begin
        detail = reasoning_detail(end.vendor, begin, chars) or reasoning_detail(began_with, begin, chars)
        if detail is None:
            return None
        listed = self._next(end.candidate, "reasoning_details", detail)
        return Piece(end.candidate, {"reasoning_details": [listed]})

    def rest(self, candidate: int) -> list[Piece]:
        """What still waits at the end of a candidate."""
        waits = [place for place in self._sound if place[0] == candidate]
        pieces = [_sound(candidate, self._sound.pop(place)) for place in waits]
        cited = None if candidate else self._annotations(0, self.cited.rest())
        return pieces if cited is None else [*pieces, cited]

    def _cite(self, chunk: Citation) -> Piece | None:
        kept = own(chunk.vendor)
        if "annotation" in kept:
            return Piece(chunk.candidate, {"annotations": [kept["annotation"]]})
        return self._annotations(chunk.candidate, [chunk] if chunk.candidate else self.cited.take(chunk))

    def _annotations(self, candidate: int, citations: list[Citation]) -> Piece | None:
        if not citations:
            return None
        bodies = [self._next(candidate, "annotations", annotation_body(one)) for one in citations]
        return Piece(candidate, {"annotations": bodies})

    def _next(self, candidate: int, name: str, entry: Fields) -> Fields:
        """The next entry of a list that is sent in pieces."""
        index = self._listed.get((candidate, name), 0)
        self._listed[candidate, name] = index + 1
        return {"index": index, **entry}

    def _open(self, chunk: BlockStart) -> Piece | None:
        if chunk.kind == "text" and not chunk.candidate:
            self.cited.open(chunk.block)
        kept = own(chunk.vendor)
        if chunk.kind == "reasoning":
            self._thoughts[chunk.block] = (self._thought_chars, chunk.vendor)
            if kept.get("field") == "reasoning":
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
        call = {**call_body(chunk.id, chunk.name, "", kept, place), **call_extra(chunk.vendor)}
        return Piece(chunk.candidate, {"tool_calls": [call]})

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
                return self._audio(chunk)
            case TranscriptDelta():
                if chunk.committed:
                    return Piece(chunk.candidate, {"audio": {"transcript": chunk.text}})
            case ImageDelta():
                if not chunk.partial:
                    kept = own(chunk.vendor).get("image", {})
                    image = image_body(chunk.data, chunk.media_type)
                    link = {**kept.get("image_url", {}), **image["image_url"]}
                    entry = {**kept, **image, "image_url": link}
                    return Piece(chunk.candidate, {"images": [self._next(chunk.candidate, "images", entry)]})
        return None

    def _audio(self, chunk: AudioDelta) -> Piece | None:
        place = (chunk.candidate, chunk.block)
        data = self._sound.pop(place, b"") + chunk.data
        whole = len(data) - len(data) % 3
        if whole < len(data):
            self._sound[place] = data[whole:]
        sound = {"data": b64encode(data[:whole]).decode()} if whole else {}
        said = {**sound, **own(chunk.vendor)}
        return Piece(chunk.candidate, {"audio": said}) if said else None


def _sound(candidate: int, data: bytes) -> Piece:
    return Piece(candidate, {"audio": {"data": b64encode(data).decode()}})


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
    chunk: TextDelta | ReasoningDelta | RefusalDelta, delta: Fields, field: str, tokens: tuple[Token, ...]
) -> Piece | None:
    kept = own(chunk.vendor)
    beside = {name: value for name, value in kept.items() if name != "delta"}
    delta = {**kept.get("delta", {}), **delta}  # what is modelled stands before what was kept
    logprobs: Fields | None = None
    told = answer_tokens(tokens)
    if told:
        logprobs = {"content": None, "refusal": None}
        logprobs[field] = token_bodies(told, ids=True)
    return Piece(chunk.candidate, delta, logprobs, None, beside)


def annotation_body(chunk: Citation) -> Any:
    """A citation, whose place is one in the answer, as an annotation; this wire's goes back as it came."""
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
