"""Chunks -> the events of a streamed answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

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
from headrace.core.usage import Usage
from headrace.errors import StreamCancelledException, Truncated
from headrace.wire.openai_chat.completion import completion_body
from headrace.wire.openai_chat.delta_bodies import Piece, Writer
from headrace.wire.openai_chat.failure import error_event
from headrace.wire.openai_chat.finish import reason_word
from headrace.wire.openai_chat.schema import WIRE_NAME
from headrace.wire.openai_chat.usage import usage_body
from headrace.wire.terminator import DONE

__all__ = ["ChatEncoder", "completion_body"]

_json = msgspec.json.encode


class ChatEncoder:
    """A stage: chunks -> SSE bytes of `chat.completion.chunk` objects, ending in `[DONE]`.

    id, model, created_s (Unix seconds): what every event says; what is empty is the source's own.
    include_usage: `usage` is null in each event and a last one carries it, where the source told it. The
    role goes out with a candidate's first block, so nothing leaves before the answer begins. A Failure
    becomes an error event and `[DONE]`: clients raise at the error, and those that only look for the
    terminator do not hang. What came over this wire and is not modelled goes back where it was; what other
    wires have and this one has no place for (steps, verdicts) is left out.
    """

    __slots__ = (
        "_after",
        "_before",
        "_done",
        "_head",
        "_include_usage",
        "_roles",
        "_tail",
        "_usage",
        "_writer",
    )

    def __init__(self, *, id: str = "", model: str = "", created_s: int = 0, include_usage: bool) -> None:
        self._include_usage = include_usage
        self._head: dict[str, Any] = {
            "id": id,
            "object": "chat.completion.chunk",
            "created": created_s,
            "model": model,
        }
        self._tail = b',"usage":null}\n\n' if include_usage else b"}\n\n"
        self._roles: set[int] = set()
        self._usage: Usage | None = None
        self._writer = Writer()
        self._done = False
        self._cache()

    def _cache(self) -> None:
        """What surrounds the text of candidate 0 in the ordinary event."""
        self._before = b"data: " + _json(self._head)[:-1] + b',"choices":['
        self._after = b'},"logprobs":null,"finish_reason":null}]' + self._tail

    def feed(self, batch: Sequence[Chunk]) -> list[bytes]:
        """The events for `batch`."""
        out: list[bytes] = []
        cited = self._writer.cited
        for chunk in batch:
            if self._done:
                break
            if type(chunk) is TextDelta and chunk.vendor is None and not chunk.tokens and not chunk.candidate:
                if 0 not in self._roles:
                    self._role(0, out)
                cited.chars += len(chunk.text)
                out.append(
                    b'%b{"index":0,"delta":{"content":%b%b' % (self._before, _json(chunk.text), self._after)
                )
            else:
                self._other(chunk, out)
        return out

    def close(self) -> list[bytes]:
        """An input without a terminal is reported to the client as truncated."""
        if self._done:
            return []
        return self.feed([Failure.of(Truncated("the source ended without a terminal"))])

    def _other(self, chunk: Chunk, out: list[bytes]) -> None:
        match chunk:
            case Start():
                self._start(chunk)
            case UsageReport():
                self._usage = chunk.usage
            case CandidateEnd():
                self._candidate_end(chunk, out)
            case VendorPart():
                if chunk.part.wire == WIRE_NAME and isinstance(chunk.part.data, dict):
                    out.append(self._event(chunk.part.data))
            case Finish() | Failure() | Cancelled():
                self._terminal(chunk, out)
            case _:
                self._piece(chunk, out)

    def _start(self, start: Start) -> None:
        """What was not given is the source's; its vendor's own fields of the answer stand in every event."""
        head = self._head
        head["id"] = head["id"] or start.id
        head["model"] = head["model"] or start.model
        head["created"] = head["created"] or start.created_s
        vendor = start.vendor
        if vendor is not None and vendor.wire == WIRE_NAME and isinstance(vendor.data, dict):
            head.update({name: value for name, value in vendor.data.items() if name not in head})
        self._cache()

    def _piece(self, chunk: Chunk, out: list[bytes]) -> None:
        piece = self._writer.piece(chunk)
        if piece is None:
            return
        if piece.candidate not in self._roles:
            self._role(piece.candidate, out)
        out.append(self._choice(piece))

    def _role(self, candidate: int, out: list[bytes]) -> None:
        self._roles.add(candidate)
        out.append(self._choice(Piece(candidate, {"role": "assistant", "content": ""})))

    def _choice(self, piece: Piece) -> bytes:
        choice = {
            **piece.beside,
            "index": piece.candidate,
            "delta": piece.delta,
            "logprobs": piece.logprobs,
            "finish_reason": piece.finish_reason,
        }
        return b"%b%b]%b" % (self._before, _json(choice), self._tail)

    def _event(self, fields: dict[str, Any]) -> bytes:
        """An event of fields that are not modelled, as complete as clients expect one to be."""
        body: dict[str, Any] = {
            **self._head,
            **{name: fields[name] for name in fields if name not in self._head},
        }
        body["choices"] = [
            {"delta": {}, "finish_reason": None, **choice} if isinstance(choice, dict) else choice
            for choice in fields.get("choices", ())
        ]
        return b"data: " + _json(body)[:-1] + self._tail

    def _candidate_end(self, chunk: CandidateEnd, out: list[bytes]) -> None:
        if chunk.candidate not in self._roles:
            self._role(chunk.candidate, out)
        out += [self._choice(piece) for piece in self._writer.rest(chunk.candidate)]
        kept = chunk.vendor.data if chunk.vendor is not None and chunk.vendor.wire == WIRE_NAME else {}
        word = reason_word(chunk.finish_reason, chunk.raw_reason)
        out.append(self._choice(Piece(chunk.candidate, {}, finish_reason=word, beside=dict(kept))))

    def _terminal(self, chunk: Finish | Failure | Cancelled, out: list[bytes]) -> None:
        self._done = True
        if isinstance(chunk, Finish):
            if self._include_usage and self._usage is not None:
                usage = _json(usage_body(self._usage))
                out.append(b'%b],"usage":%b}\n\n' % (self._before, usage))
            out.append(DONE)
            return
        if isinstance(chunk, Cancelled):
            chunk = Failure.of(StreamCancelledException(chunk.why or "the stream was cancelled"))
        out.append(error_event(chunk))
