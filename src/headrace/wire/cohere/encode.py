"""Chunks -> the events of a streamed chat."""

from __future__ import annotations

import msgspec

from headrace.core.chunk import BlockEnd, BlockStart, CandidateEnd, Citation, Failure
from headrace.wire.block_encoder import BlockEncoder
from headrace.wire.cohere.event_bodies import (
    KINDS,
    TEXTS,
    begun,
    cited,
    ended,
    is_plan,
    message_start,
    piece,
)
from headrace.wire.cohere.failure import error_event
from headrace.wire.cohere.finish import reason_word
from headrace.wire.cohere.schema import STOP, WIRE_NAME, Fields, own
from headrace.wire.cohere.usage import usage_body
from headrace.wire.kept import put_back
from headrace.wire.one_block import Delta
from headrace.wire.terminator import DONE

_json = msgspec.json.encode
_TEXT = (
    b'event: content-delta\ndata: {"type":"content-delta","index":%d,"delta":{"message":{"content":{"text":'
)


class ChatEncoder(BlockEncoder):
    """A stage: chunks -> SSE bytes of a streamed chat, ending in `message-end` and `[DONE]`.

    id: what `message-start` says; empty: the source's own. Content and calls have each their own count. A
    Failure becomes a `message-end` that says so. What came over this wire and is not modelled goes back where
    it was. What this protocol has no place for is left out: the model, sound, images, steps, verdicts, tokens
    without ids. What is billed is told only where it came over this wire.
    """

    __slots__ = ("_before_text", "_calls", "_cited", "_contents", "_id", "_index", "_open", "_text_index")

    def __init__(self, *, id: str = "") -> None:
        super().__init__(WIRE_NAME, KINDS, TEXTS)
        self._id = id
        self._contents = self._calls = self._cited = 0  # how many have begun
        self._open = BlockStart(-1, "text")  # the block that was begun last
        self._index = 0  # the vendor's for it, of content or of calls
        self._text_index = 0  # the vendor's for the last text
        self._before_text = b""  # of its ordinary piece

    def _begin(self) -> None:
        if not self._begun:
            self._begun = True
            self._write(message_start(self._id or self._start.id, own(self._start.vendor)))

    def _text(self, text: str) -> bytes:
        return b"%b%b}}}}\n\n" % (self._before_text, _json(text))

    def _start_block(self, start: BlockStart) -> None:
        self._open = start
        if start.kind == "tool-call":
            self._index, self._calls = self._calls, self._calls + 1
        elif not is_plan(start):
            self._index, self._contents = self._contents, self._contents + 1
        if start.kind in TEXTS:
            self._text_index, self._before_text = self._index, _TEXT % self._index
        self._write(begun(start, self._index))

    def _piece(self, chunk: Delta | Citation) -> None:
        if not isinstance(chunk, Citation):
            self._write(piece(chunk, self._open, self._index))

    def _stop_block(self, end: BlockEnd) -> None:
        self._write(ended(self._open, end, self._index))

    def _cite(self, source: Citation) -> None:
        """A source stands anywhere: it names the content that it is for."""
        events = cited(source, self._cited, self._text_index)
        self._cited += bool(events)
        for event in events:
            self._write(event)

    def _start_opaque(self, own: Fields) -> int:
        index, self._contents = self._contents, self._contents + 1
        self._write({**own, "type": "content-start", "index": index})
        return index

    def _opaque_piece(self, index: int, own: Fields) -> None:
        self._write({**own, "type": "content-delta", "index": index})

    def _stop_opaque(self, index: int, own: Fields) -> None:
        self._write({**own.get(STOP, {}), "type": "content-end", "index": index})

    def _vendor(self, event: Fields) -> None:
        if isinstance(event.get("type"), str):
            self._write(event)

    def _finish(self, end: CandidateEnd) -> None:
        """Why it ended, and the counts."""
        delta: Fields = {"finish_reason": reason_word(end.finish_reason, end.raw_reason)}
        if self._usage is not None:
            delta["usage"] = usage_body(self._usage.usage)
        self._write(put_back({"type": "message-end", "delta": delta}, own(end.vendor)))
        self._out.append(DONE)

    def _fail(self, failure: Failure) -> None:
        self._out += [error_event(failure), DONE]

    def _write(self, event: Fields | None) -> None:
        if event is not None:
            self._begin()
            self._out.append(b"event: %b\ndata: %b\n\n" % (str(event["type"]).encode(), _json(event)))
