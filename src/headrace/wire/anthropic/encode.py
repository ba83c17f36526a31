"""Chunks -> the events of a streamed message."""

from __future__ import annotations

import msgspec

from headrace.core.chunk import (
    BlockEnd,
    BlockStart,
    Cancelled,
    CandidateEnd,
    Chunk,
    Citation,
    Failure,
    Finish,
    TranscriptDelta,
)
from headrace.core.opaque import Opaque
from headrace.wire.anthropic.block_bodies import (
    KINDS,
    TEXTS,
    Fields,
    begun,
    citation,
    noted,
    own,
    piece,
    signed,
)
from headrace.wire.anthropic.failure import error_event
from headrace.wire.anthropic.finish import reason_word
from headrace.wire.anthropic.schema import DELTA, WIRE_NAME
from headrace.wire.anthropic.usage import usage_body
from headrace.wire.block_encoder import BlockEncoder
from headrace.wire.carried import carry, carry_call
from headrace.wire.one_block import Delta

_json = msgspec.json.encode
_TEXT = (
    b"event: content_block_delta\n"
    b'data: {"type":"content_block_delta","index":%d,"delta":{"type":"text_delta","text":'
)
_STOP = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'


class MessagesEncoder(BlockEncoder):
    """A stage: chunks -> SSE bytes of a streamed message, ending in `message_stop`.

    id, model: what `message_start` says; what is empty is the source's own. Counts known by then stand in it,
    the last ones in `message_delta`, which clients take for the truth. A Failure becomes an `error` event,
    the last one. What came over this wire and is not modelled goes back where it was. What this protocol has
    no place for is left out: sound, images, steps, verdicts, tokens. A refusal in words of its own goes out
    as text, with the stop reason `refusal`.
    """

    __slots__ = ("_before_text", "_beside_stop", "_id", "_index", "_model", "_more", "_open", "_refused")
    says_tokens = False

    def __init__(self, *, id: str = "", model: str = "") -> None:
        super().__init__(WIRE_NAME, KINDS, TEXTS)
        self._id = id
        self._model = model
        self._index = -1  # the vendor's, of the last block
        self._open = BlockStart(-1, "text")  # the block that was begun last
        self._before_text = b""  # of the open text's ordinary piece
        self._more: Fields = {}  # of a message_delta that came before the last
        self._beside_stop: Fields = {}  # unknown fields of the last event
        self._refused = False  # whether another wire's refusal was written, as text

    def _other(self, chunk: Chunk) -> None:
        if not isinstance(chunk, TranscriptDelta) or chunk.committed:
            super()._other(chunk)

    def _begin(self) -> None:
        if not self._begun:
            self._begun = True
            beside = noted(self._start.vendor)
            self._write({"type": "message_start", "message": self._message(), **beside})

    def _message(self) -> Fields:
        known = own(self._start.vendor)
        usage = usage_body(self._usage.usage if self._usage is not None else None)
        return {
            "id": self._id or self._start.id,
            "type": "message",
            "role": "assistant",
            "model": self._model or self._start.model,
            "content": [],
            "usage": usage,
            **known,
            "stop_reason": None,
            "stop_sequence": None,
        }

    def _text(self, text: str) -> bytes:
        return b"%b%b}}\n\n" % (self._before_text, _json(text))

    def _start_block(self, start: BlockStart) -> None:
        if start.kind == "tool-call":
            self._carry(carry_call(start.vendor, WIRE_NAME))
        self._index += 1
        self._open = start
        self._refused = self._refused or start.kind == "refusal"
        self._before_text = _TEXT % self._index
        self._of_block("start", self._index, {"content_block": begun(start, self._index)}, start.vendor)

    def _carry(self, needed: str | None) -> None:
        """What another vendor needs back with a call: a block before it that clients send back unread."""
        if needed is not None:
            self._index += 1
            body = {"type": "redacted_thinking", "data": needed}
            self._of_block("start", self._index, {"content_block": body})
            self._of_block("stop", self._index)

    def _piece(self, chunk: Delta | Citation) -> None:
        body: Fields | None
        if isinstance(chunk, Citation):
            more = noted(chunk.vendor, DELTA)
            body = {**more, "type": "citations_delta", "citation": citation(chunk)}
        else:
            body = piece(chunk)
        if body is not None:
            self._of_block("delta", self._index, {"delta": body}, chunk.vendor)

    def _stop_block(self, end: BlockEnd) -> None:
        last = signed(end)
        if last is None and self._open.kind == "reasoning":
            # What another vendor needs back with it.
            needed = carry(end.vendor, WIRE_NAME) or carry(self._open.vendor, WIRE_NAME)
            last = {"delta": {"type": "signature_delta", "signature": needed}} if needed else None
        if last is not None:
            self._of_block("delta", self._index, last)
        self._of_block("stop", self._index, vendor=end.vendor)

    def _start_opaque(self, own: Fields) -> int:
        self._index += 1
        self._own_event("start", self._index, own, "content_block")
        return self._index

    def _opaque_piece(self, index: int, own: Fields) -> None:
        self._own_event("delta", index, own, "delta")

    def _stop_opaque(self, index: int, own: Fields) -> None:
        self._of_block("stop", index, vendor=Opaque(WIRE_NAME, own))

    def _own_event(self, what: str, index: int, fields: Fields, name: str) -> None:
        vendor = Opaque(WIRE_NAME, fields)
        self._of_block(what, index, {name: own(vendor)}, vendor)

    def _cite(self, source: Citation) -> None:
        if citation(source) is not None:
            self._take(source)

    def _vendor(self, event: Fields) -> None:
        kind = event.get("type")
        if kind == "message_delta":
            self._more = event
        elif isinstance(kind, str):
            self._write(event)

    def _terminal(self, chunk: Finish | Failure | Cancelled) -> None:
        if isinstance(chunk, Finish):
            self._beside_stop = noted(chunk.vendor)
        super()._terminal(chunk)

    def _finish(self, end: CandidateEnd) -> None:
        """Why it ended, and the last counts."""
        beside = {**self._more, **own(end.vendor)}
        word = reason_word(end.finish_reason, end.raw_reason)
        if self._refused and word == "end_turn":
            word = "refusal"
        delta = {
            **beside.pop("delta", {}),
            "stop_reason": word,
            "stop_sequence": end.stop_sequence or None,
        }
        told = self._usage
        usage = own(told.vendor) if told is not None else {}
        usage = usage or usage_body(told.usage if told is not None else None)
        self._write({**beside, "type": "message_delta", "delta": delta, "usage": usage})
        if self._beside_stop:
            self._write({"type": "message_stop", **self._beside_stop})
        else:
            self._out.append(_STOP)

    def _fail(self, failure: Failure) -> None:
        self._out.append(error_event(failure))

    def _of_block(
        self, what: str, index: int, body: Fields | None = None, vendor: Opaque | None = None
    ) -> None:
        self._write({"type": f"content_block_{what}", "index": index, **(body or {}), **noted(vendor)})

    def _write(self, event: Fields) -> None:
        self._begin()
        self._out.append(b"event: %b\ndata: %b\n\n" % (event["type"].encode(), _json(event)))
