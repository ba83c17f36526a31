"""A chunk of a block -> the vendor's part that carries it."""

from __future__ import annotations

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
    ToolCallDelta,
    TranscriptDelta,
    answer_tokens,
)
from headrace.core.opaque import Opaque
from headrace.wire.answer_text import AnswerText
from headrace.wire.cited import CitedText
from headrace.wire.gemini.bodies import call_part, data_part, extras, grounding_body, malformed
from headrace.wire.gemini.finish import refusal_word
from headrace.wire.gemini.logprobs import logprobs_body
from headrace.wire.gemini.schema import MORE, Fields, own
from headrace.wire.gemini.thoughts import signature_for
from headrace.wire.sound import media_type_of

MAX_ARGUMENTS_CHARS = 16 * 2**20


class Piece(msgspec.Struct, gc=False):
    """One part of one event. beside: more fields of the candidate. more: the next one goes out with it."""

    candidate: int
    part: Fields | None
    more: bool = False
    beside: Fields = msgspec.field(default_factory=dict)


class _Call:
    """A call whose arguments are being gathered."""

    __slots__ = ("candidate", "id", "kept", "name", "pieces", "room")

    def __init__(self, start: BlockStart) -> None:
        self.candidate = start.candidate
        self.id = start.id
        self.name = start.name
        self.kept = own(start.vendor)
        self.pieces: list[str] = []
        self.room = MAX_ARGUMENTS_CHARS


class _Thought:
    """An open block of reasoning. vendor: what came with its beginning."""

    __slots__ = ("chars", "vendor")

    def __init__(self, vendor: Opaque | None) -> None:
        self.vendor = vendor
        self.chars = 0

    def signature(self, end: BlockEnd) -> Fields:
        """What its vendor needs back, as a part's field."""
        return signature_for(end.vendor, self.chars) or signature_for(self.vendor, self.chars)


class _Answer:
    """The text of a candidate, and the sources of it so far."""

    __slots__ = ("cited", "found", "text")

    def __init__(self) -> None:
        self.text = AnswerText()
        self.cited = CitedText()
        self.found: list[Citation] = []

    def add(self, text: str) -> None:
        self.text.add(text)
        self.cited.chars = self.text.chars


class Writer:
    """Gathers what this protocol says whole: calls, signed parts' fields, citations."""

    __slots__ = ("_answers", "_calls", "_in_pieces", "_malformed", "_refused", "_signed", "_thoughts")

    def __init__(self) -> None:
        self._calls: dict[int, _Call] = {}
        self._in_pieces: set[int] = set()  # blocks of calls that came in pieces over this wire
        self._signed: dict[int, Fields] = {}  # what stands beside the part of a block
        self._answers: dict[int, _Answer] = {}
        self._malformed: dict[int, str] = {}
        self._refused: set[int] = set()
        self._thoughts: dict[int, _Thought] = {}

    def plain(self, chunk: TextDelta) -> bool:
        """Whether the delta's text is all there is to say."""
        if chunk.block in self._signed:
            return False
        self._answer(chunk.candidate).add(chunk.text)
        return True

    def _answer(self, candidate: int) -> _Answer:
        found = self._answers.get(candidate)
        if found is None:
            found = self._answers[candidate] = _Answer()
        return found

    def piece(self, chunk: Chunk) -> Piece | None:
        """The part that carries `chunk`; None where nothing is to be said yet, or at all."""
        match chunk:
            case TextDelta():
                self._answer(chunk.candidate).add(chunk.text)
                return self._said(chunk, {"text": chunk.text}, _logprobs(chunk))
            case ReasoningDelta():
                if chunk.block in self._thoughts:
                    self._thoughts[chunk.block].chars += len(chunk.reasoning)
                return self._said(chunk, {"text": chunk.reasoning, "thought": True}, {})
            case RefusalDelta():  # text, that its candidate's end tells from an answer
                self._refused.add(chunk.candidate)
                self._answer(chunk.candidate).add(chunk.refusal)
                return self._said(chunk, {"text": chunk.refusal}, {})
            case BlockStart():
                return self._open(chunk)
            case ToolCallDelta():
                return self._arguments(chunk)
            case BlockEnd():
                return self._close(chunk)
            case Citation():
                answer = self._answer(chunk.candidate)
                answer.found += answer.cited.take(chunk)
                return None
            case _:
                return _media(chunk)

    def end(self, candidate: int, word: str) -> Fields:
        """What goes out with the candidate's end, whose finishReason would be `word`."""
        fields: Fields = {"finishReason": refusal_word(word) if candidate in self._refused else word}
        open_calls = [block for block, call in self._calls.items() if call.candidate == candidate]
        parts = [self._whole(self._calls.pop(block)) for block in open_calls]  # blocks that nobody closed
        if any(parts):
            fields["content"] = {"parts": [part for part in parts if part is not None]}
        answer = self._answer(candidate)
        grounding = grounding_body([*answer.found, *answer.cited.rest()], answer.text)
        answer.found = []
        if grounding is not None:
            fields["groundingMetadata"] = grounding
        if candidate in self._malformed:
            fields["finishMessage"] = self._malformed.pop(candidate)
            fields["finishReason"] = "MALFORMED_FUNCTION_CALL" if word == "STOP" else word
        return fields

    def _said(
        self, chunk: TextDelta | ReasoningDelta | RefusalDelta, part: Fields, beside: Fields
    ) -> Piece | None:
        signed = self._signed.pop(chunk.block, None) if self._signed else None
        kept = own(chunk.vendor)
        part = {**part, **(signed or {}), **extras(kept)}
        part.pop("logprobsResult", None)
        more = bool(kept.get(MORE))
        if not part["text"] and len(part) == 1 + ("thought" in part) and not beside and not more:
            return None
        return Piece(chunk.candidate, part, more, beside)

    def _open(self, chunk: BlockStart) -> Piece | None:
        kept = own(chunk.vendor)
        if chunk.kind == "opaque":
            return Piece(chunk.candidate, kept["part"], bool(kept.get(MORE))) if kept else None
        if chunk.kind != "tool-call":
            if chunk.kind == "reasoning":
                self._thoughts[chunk.block] = _Thought(chunk.vendor)
            if chunk.kind == "text":
                self._answer(chunk.candidate).cited.open(chunk.block)
            if kept and chunk.kind in ("text", "reasoning"):
                thought = {"thought": True} if chunk.kind == "reasoning" else {}
                self._signed[chunk.block] = {**thought, **kept}
            return None
        if "partial" not in kept:
            self._calls[chunk.block] = _Call(chunk)
            return None
        self._in_pieces.add(chunk.block)
        part = {"functionCall": kept["partial"], **extras(kept)}
        return Piece(chunk.candidate, part, bool(kept.get(MORE)))

    def _arguments(self, chunk: ToolCallDelta) -> Piece | None:
        kept = own(chunk.vendor)
        if chunk.block in self._in_pieces:
            if "functionCall" not in kept:  # its event went out when the call began
                return None
            part = {"functionCall": kept["functionCall"], **extras(kept)}
            return Piece(chunk.candidate, part, bool(kept.get(MORE)))
        call = self._calls.get(chunk.block)
        if call is None:  # a source that forgot to open its block
            call = self._calls[chunk.block] = _Call(
                BlockStart(chunk.block, "tool-call", candidate=chunk.candidate)
            )
        call.room -= len(chunk.arguments)
        if call.room >= 0:
            call.pieces.append(chunk.arguments)
        return None

    def _close(self, chunk: BlockEnd) -> Piece | None:
        answer = self._answer(chunk.candidate)
        answer.found += answer.cited.close(chunk.block)
        thought = self._thoughts.pop(chunk.block, None)
        signature = thought.signature(chunk) if thought is not None else {}
        if signature:
            return Piece(chunk.candidate, {"text": "", "thought": True, **signature})
        signed = self._signed.pop(chunk.block, None)
        if signed is not None:  # nothing but what stands beside the text
            return Piece(chunk.candidate, {"text": "", **extras(signed)}, bool(signed.get(MORE)))
        call = self._calls.pop(chunk.block, None)
        if call is None:
            return None
        part = self._whole(call)
        return Piece(chunk.candidate, part, bool(call.kept.get(MORE))) if part is not None else None

    def _whole(self, call: _Call) -> Fields | None:
        arguments = "".join(call.pieces)
        part = call_part(call.id, call.name, arguments, call.kept) if call.room >= 0 else None
        if part is None:
            self._malformed[call.candidate] = malformed(call.name, arguments)
        return part


def _logprobs(chunk: TextDelta) -> Fields:
    given = own(chunk.vendor).get("logprobsResult")
    if given is not None:
        return {"logprobsResult": given}
    tokens = answer_tokens(chunk.tokens)
    return {"logprobsResult": logprobs_body(tokens)} if tokens else {}


def _media(chunk: Chunk) -> Piece | None:
    match chunk:
        case ImageDelta() if not chunk.partial:
            kept = own(chunk.vendor)
            part = data_part(chunk.data, chunk.media_type or "image/png", kept)
        case AudioDelta():
            kept = own(chunk.vendor)
            kind = kept.get("mimeType") or media_type_of(chunk.format, chunk.sample_rate_hz, chunk.channels)
            part = data_part(chunk.data, kind, kept)
        case TranscriptDelta() if chunk.committed:
            kept = own(chunk.vendor)
            said = {"text": chunk.text, **({"languageCode": chunk.language} if chunk.language else {})}
            part = {"audioTranscription": {**kept.get("audioTranscription", {}), **said}}
        case _:
            return None
    return Piece(chunk.candidate, part, bool(kept.get(MORE)))
