"""Chunks -> the messages of a streamed conversation."""

from __future__ import annotations

from functools import lru_cache

import msgspec

from headrace.core.chunk import (
    BlockEnd,
    BlockStart,
    CandidateEnd,
    Chunk,
    Citation,
    Failure,
    ImageDelta,
    VendorPart,
)
from headrace.framing.eventstream import encode_headers, framed
from headrace.wire.bedrock.event_bodies import (
    DELTA,
    END,
    KINDS,
    START,
    TEXTS,
    Named,
    begun,
    cited,
    ended,
    image_begun,
    piece,
)
from headrace.wire.bedrock.failure import exception
from headrace.wire.bedrock.finish import REASONS, reason_word
from headrace.wire.bedrock.schema import STOP, WIRE_NAME, Fields, own
from headrace.wire.bedrock.usage import usage_body
from headrace.wire.block_encoder import BlockEncoder
from headrace.wire.kept import put_back
from headrace.wire.one_block import Delta

_json = msgspec.json.encode
_TEXT = b'{"contentBlockIndex":%d,"delta":{"text":'


@lru_cache(maxsize=64)
def _headers(name: str) -> bytes:
    return encode_headers(
        {":event-type": name, ":content-type": "application/json", ":message-type": "event"}
    )


class ConverseEncoder(BlockEncoder):
    """A stage: chunks -> binary messages of a streamed conversation, ending in `messageStop` and `metadata`.

    The protocol names neither the answer nor its model. `metadata` comes where usage is known, or came over
    this wire; how long an answer took is not known here, so it tells no metrics but those that came. A
    Failure becomes an exception, the last message. What came over this wire and is not modelled goes back
    where it was. What this protocol has no place for is left out: sound, previews of images, steps, verdicts,
    tokens.
    """

    __slots__ = ("_before_text", "_index", "_kept", "_started")
    says_tokens = False

    def __init__(self) -> None:
        super().__init__(WIRE_NAME, KINDS, TEXTS)
        self._index = -1  # the vendor's, of the last block
        self._started = False  # whether what begins the open block is written
        self._before_text = b""  # of the open text's ordinary piece
        self._kept: Fields = {}  # of a metadata without usage

    def _other(self, chunk: Chunk) -> None:
        if isinstance(chunk, ImageDelta) and chunk.partial:
            return
        if isinstance(chunk, VendorPart) and 0 <= chunk.block == self._order.number:
            if own(chunk.part):  # of an image, where it came as no bytes
                self._opaque_piece(self._index, own(chunk.part))
            return
        super()._other(chunk)

    def _begin(self) -> None:
        if not self._begun:
            self._begun = True
            self._write(("messageStart", put_back({"role": "assistant"}, own(self._start.vendor))))

    def _text(self, text: str) -> bytes:
        return framed(_headers(DELTA), b"%b%b}}" % (self._before_text, _json(text)))

    def _start_block(self, start: BlockStart) -> None:
        self._index += 1
        self._before_text = _TEXT % self._index
        event = begun(start, self._index)
        self._started = event is not None or start.kind != "image"
        self._write(event)

    def _piece(self, chunk: Delta | Citation) -> None:
        if isinstance(chunk, Citation):
            self._write(cited(chunk, self._index))
            return
        if not self._started and isinstance(chunk, ImageDelta):
            self._started = True
            self._write(image_begun(chunk, self._index))
        self._write(piece(chunk, self._index))

    def _stop_block(self, end: BlockEnd) -> None:
        if not self._started:  # an image that never came
            self._index -= 1
            return
        for event in ended(end, self._index):
            self._write(event)

    def _cite(self, source: Citation) -> None:
        if cited(source, 0) is not None:
            self._take(source)

    def _start_opaque(self, own: Fields) -> int:
        self._index += 1
        self._write((START, put_back({"contentBlockIndex": self._index}, own)))
        return self._index

    def _opaque_piece(self, index: int, own: Fields) -> None:
        self._write((DELTA, put_back({"contentBlockIndex": index}, own)))

    def _stop_opaque(self, index: int, own: Fields) -> None:
        self._write((END, put_back({"contentBlockIndex": index}, own.get(STOP, {}))))

    def _vendor(self, event: Fields) -> None:
        for name, body in event.items():
            if name == "metadata":
                self._kept = body
            else:
                self._write((name, body))

    def _finish(self, end: CandidateEnd) -> None:
        """Why it ended, and the counts."""
        body: Fields = {"stopReason": reason_word(end.finish_reason, end.raw_reason)}
        kept = own(end.vendor)
        if end.stop_sequence and not kept:
            body["additionalModelResponseFields"] = {"stop_sequence": end.stop_sequence}
        self._write(("messageStop", put_back(body, kept)))
        told = self._usage
        if told is not None:
            self._write(("metadata", put_back({"usage": usage_body(told.usage)}, own(told.vendor))))
        elif self._kept:
            self._write(("metadata", self._kept))

    def _fail(self, failure: Failure) -> None:
        if REASONS.get(failure.code) == "error":  # a stop reason of this wire's that says there is no answer
            self._finish_blocks()
            self._finish(self._end or CandidateEnd("error", failure.code))
        else:
            self._out.append(exception(failure))

    def _write(self, event: Named | None) -> None:
        if event is not None:
            self._begin()
            name, body = event
            self._out.append(framed(_headers(name), _json(body)))
