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
)
from headrace.wire.gemini.bodies import call_part, data_part, extras, grounding_body, malformed
from headrace.wire.gemini.logprobs import logprobs_body
from headrace.wire.gemini.schema import MORE, Fields, own
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


class Writer:
    """Gathers what this protocol says whole: calls, signed parts' fields, citations."""

    __slots__ = ("_calls", "_citations", "_in_pieces", "_malformed", "_not_ascii", "_signed")

    def __init__(self) -> None:
        self._calls: dict[int, _Call] = {}
        self._in_pieces: set[int] = set()  # blocks of calls that came in pieces over this wire
        self._signed: dict[int, Fields] = {}  # what stands beside the part of a block
        self._citations: dict[int, list[Citation]] = {}
        self._malformed: dict[int, str] = {}
        self._not_ascii: set[int] = set()

    def plain(self, chunk: TextDelta) -> bool:
        """Whether the delta's text is all there is to say."""
        if not chunk.text.isascii():
            self._not_ascii.add(chunk.candidate)
        return chunk.block not in self._signed

    def piece(self, chunk: Chunk) -> Piece | None:
        """The part that carries `chunk`; None where nothing is to be said yet, or at all."""
        match chunk:
            case TextDelta():
                return self._said(chunk, {"text": chunk.text}, self._logprobs(chunk))
            case ReasoningDelta():
                return self._said(chunk, {"text": chunk.reasoning, "thought": True}, {})
            case RefusalDelta():  # this protocol does not tell a refusal from an answer
                return self._said(chunk, {"text": chunk.refusal}, {})
            case BlockStart():
                return self._open(chunk)
            case ToolCallDelta():
                return self._arguments(chunk)
            case BlockEnd():
                return self._close(chunk)
            case Citation():
                self._citations.setdefault(chunk.candidate, []).append(chunk)
                return None
            case _:
                return _media(chunk)

    def end(self, candidate: int, word: str) -> Fields:
        """What goes out with the candidate's end, whose finishReason would be `word`."""
        fields: Fields = {"finishReason": word}
        open_calls = [block for block, call in self._calls.items() if call.candidate == candidate]
        parts = [self._whole(self._calls.pop(block)) for block in open_calls]  # blocks that nobody closed
        if any(parts):
            fields["content"] = {"parts": [part for part in parts if part is not None]}
        grounding = grounding_body(self._citations.pop(candidate, ()), candidate not in self._not_ascii)
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

    def _logprobs(self, chunk: TextDelta) -> Fields:
        if not chunk.text.isascii():
            self._not_ascii.add(chunk.candidate)
        given = own(chunk.vendor).get("logprobsResult")
        if given is not None:
            return {"logprobsResult": given}
        return {"logprobsResult": logprobs_body(chunk.tokens)} if chunk.tokens else {}

    def _open(self, chunk: BlockStart) -> Piece | None:
        kept = own(chunk.vendor)
        if chunk.kind == "opaque":
            return Piece(chunk.candidate, kept["part"], bool(kept.get(MORE))) if kept else None
        if chunk.kind != "tool-call":
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
