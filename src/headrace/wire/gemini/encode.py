"""Chunks -> the events of a streamed answer."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from headrace.core.chunk import (
    Cancelled,
    CandidateEnd,
    Chunk,
    Failure,
    Finish,
    Start,
    TextDelta,
    UsageReport,
    VendorPart,
)
from headrace.errors import StreamCancelledException, Truncated
from headrace.wire.gemini.bodies import merge
from headrace.wire.gemini.failure import event_fields
from headrace.wire.gemini.finish import reason_word
from headrace.wire.gemini.schema import MORE, WIRE_NAME, Fields, own
from headrace.wire.gemini.usage import usage_body
from headrace.wire.gemini.writer import Piece, Writer

_json = msgspec.json.encode
_EMPTY = {"text": ""}  # clients do not take an event without a part for an answer


class GeminiEncoder:
    """A stage: chunks -> the bytes of streamed `GenerateContentResponse` objects.

    id, model: what every event says; what is empty is the source's own. array: a JSON array as it comes
    without `alt=sse`, instead of an event stream. Every event carries the usage known so far. The last one
    waits for the Finish, so that it has the usage; that of an answer that came over this wire does not. What
    came in one event of this wire goes out in one. Calls go out whole, unless they came in pieces over this
    wire. A Failure becomes what the vendor says in its place: a finishReason, a blocked prompt, an error.
    """

    __slots__ = (
        "_after",
        "_array",
        "_before",
        "_done",
        "_ended",
        "_head",
        "_held",
        "_lead",
        "_pending",
        "_sent",
        "_top",
        "_trail",
        "_unsent_usage",
        "_usage",
        "_writer",
    )

    def __init__(self, *, id: str = "", model: str = "", array: bool = False) -> None:
        self._head: Fields = {"modelVersion": model, "responseId": id}
        self._array = array
        self._writer = Writer()
        self._pending: dict[int, Fields] = {}  # candidates of the event being gathered
        self._top: Fields = {}  # its own fields beside those
        self._held = False  # an end waits for the usage
        self._usage: Fields | None = None
        self._unsent_usage = False
        self._ended = False  # whether a finishReason was given
        self._sent = False
        self._done = False
        self._cache()

    def _cache(self) -> None:
        """What surrounds the candidates in the ordinary event."""
        self._lead = b"data: " if not self._array else b",\r\n" if self._sent else b"["
        self._trail = b"" if self._array else b"\r\n\r\n"
        self._before = self._lead + b'{"candidates":['
        rest = {name: value for name, value in self._head.items() if value}
        if self._usage is not None:
            rest = {"usageMetadata": self._usage, **rest}
        self._after = (b"]," + _json(rest)[1:] if rest else b"]}") + self._trail

    def feed(self, batch: Sequence[Chunk]) -> list[bytes]:
        """The events for `batch`."""
        out: list[bytes] = []
        for chunk in batch:
            if self._done:
                break
            if (
                type(chunk) is TextDelta
                and chunk.vendor is None
                and not chunk.tokens
                and self._writer.plain(chunk)
            ):
                self._text(chunk, out)
            else:
                self._other(chunk, out)
        return out

    def close(self) -> list[bytes]:
        """An input without a terminal is reported to the client as truncated."""
        if self._done:
            return []
        return self.feed([Failure.of(Truncated("the source ended without a terminal"))])

    def _text(self, chunk: TextDelta, out: list[bytes]) -> None:
        if self._pending or self._top:
            self._piece(Piece(chunk.candidate, {"text": chunk.text}), out)
            return
        out.append(
            b'%b{"content":{"parts":[{"text":%b}],"role":"model"},"index":%d}%b'
            % (self._before, _json(chunk.text), chunk.candidate, self._after)
        )
        self._wrote()

    def _wrote(self) -> None:
        self._unsent_usage = False
        if not self._sent:
            self._sent = True
            self._cache()

    def _other(self, chunk: Chunk, out: list[bytes]) -> None:
        match chunk:
            case Start():
                self._start(chunk)
            case UsageReport():
                self._usage = usage_body(chunk.usage)
                self._unsent_usage = True
                self._cache()
            case CandidateEnd():
                self._candidate_end(chunk, out)
            case VendorPart():
                self._vendor(chunk, out)
            case Finish() | Failure() | Cancelled():
                self._terminal(chunk, out)
            case _:
                piece = self._writer.piece(chunk)
                if piece is not None:
                    self._piece(piece, out)

    def _start(self, start: Start) -> None:
        head = self._head
        head["modelVersion"] = head["modelVersion"] or start.model
        head["responseId"] = head["responseId"] or start.id
        head.update({name: value for name, value in own(start.vendor).items() if name not in (*head, MORE)})
        self._cache()

    def _piece(self, piece: Piece, out: list[bytes]) -> None:
        if self._held:
            self._flush(out)
        candidate = self._of(piece.candidate)
        merge(candidate, piece.beside)
        if piece.part is not None:
            candidate.setdefault("content", {"parts": [], "role": "model"})["parts"].append(piece.part)
        if not piece.more:
            self._flush(out)

    def _of(self, index: int) -> Fields:
        return self._pending.setdefault(index, {})

    def _vendor(self, chunk: VendorPart, out: list[bytes]) -> None:
        fields = own(chunk.part)
        if not fields:
            return
        if self._held:
            self._flush(out)
        for candidate in fields.get("candidates", ()):
            merge(self._of(candidate.get("index", 0)), candidate)
        self._top.update({name: value for name, value in fields.items() if name not in ("candidates", MORE)})
        if not fields.get(MORE):
            self._flush(out)

    def _candidate_end(self, chunk: CandidateEnd, out: list[bytes]) -> None:
        candidate = self._of(chunk.candidate)
        self._ended = True
        word = reason_word(chunk.finish_reason, chunk.raw_reason)
        merge(candidate, self._writer.end(chunk.candidate, word))
        if chunk.vendor is None or chunk.vendor.wire != WIRE_NAME:
            self._held = True
        elif not own(chunk.vendor).get(MORE):
            self._flush(out)

    def _flush(self, out: list[bytes]) -> None:
        """Write the event that was gathered."""
        body: Fields = {}
        for index, fields in sorted(self._pending.items()):
            content = fields.pop("content", None) or {"parts": [], "role": "model"}
            content["parts"] = content["parts"] or [_EMPTY]
            body.setdefault("candidates", []).append({"content": content, **fields, "index": index})
        body.update(self._top)
        if self._usage is not None:
            body["usageMetadata"] = self._usage
        body.update({name: value for name, value in self._head.items() if value})
        out.append(self._lead + _json(body) + self._trail)
        self._pending = {}
        self._top = {}
        self._held = False
        self._wrote()

    def _terminal(self, chunk: Finish | Failure | Cancelled, out: list[bytes]) -> None:
        if isinstance(chunk, Finish):
            if not self._ended:
                self._candidate_end(CandidateEnd(chunk.finish_reason, chunk.raw_reason), out)
            if self._pending or self._top or self._unsent_usage:
                self._flush(out)
            self._done = True
            if self._array:
                out.append(b"]")  # never the first: the end is an event
            return
        if self._pending or self._top:
            self._flush(out)
        self._done = True
        if isinstance(chunk, Cancelled):
            chunk = Failure.of(StreamCancelledException(chunk.why or "the stream was cancelled"))
        out.append(self._lead + _json(event_fields(chunk)) + (b"]" if self._array else self._trail))
