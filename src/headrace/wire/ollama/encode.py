"""Chunks -> the lines of a streamed answer of /api/chat or /api/generate.

What these endpoints have no place for is left out: citations, sound, candidates beyond the first, and images
in chat (the official Python client cannot read them there). A refusal goes out as text, and so does what
sound says.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from headrace.core.chunk import (
    BlockEnd,
    BlockStart,
    Cancelled,
    CandidateEnd,
    Chunk,
    Failure,
    Finish,
    ImageDelta,
    ReasoningDelta,
    RefusalDelta,
    Start,
    TextDelta,
    Token,
    ToolCallDelta,
    TranscriptDelta,
    UsageReport,
    VendorPart,
    answer_tokens,
)
from headrace.core.usage import Usage
from headrace.errors import StreamCancelledException, Truncated
from headrace.wire.base import Says
from headrace.wire.ollama.failure import error_event
from headrace.wire.ollama.finish import reason_word
from headrace.wire.ollama.logprobs import token_bodies
from headrace.wire.ollama.schema import WIRE_NAME, own
from headrace.wire.ollama.shape import Shape, call_body
from headrace.wire.ollama.usage import metrics_body
from headrace.wire.times import time_text

Fields = dict[str, Any]
_json = msgspec.json.encode


class OllamaEncoder:
    """A stage: chunks -> NDJSON lines, the last of which says `done`.

    says: the model and the time each line tells; what is empty is the source's own. shape: the endpoint's.
    Tool calls are held until they are whole. A Failure becomes an error line.
    """

    __slots__ = (
        "_after",
        "_before",
        "_calls",
        "_count",
        "_done",
        "_end",
        "_head",
        "_more",
        "_own_time",
        "_reason",
        "_shape",
        "_usage",
    )

    def __init__(self, says: Says, shape: Shape) -> None:
        self._shape = shape
        self._own_time = bool(says.created_s)
        self._head: Fields = {"model": says.model, "created_at": time_text(says.created_s)}
        self._calls: dict[int, tuple[BlockStart, list[str]]] = {}
        self._count = 0
        self._end: Fields = {}  # what the last line says besides
        self._more: Fields = {}  # and its message
        self._reason = ""
        self._usage: Usage | None = None
        self._done = False
        self._cache()

    def _cache(self) -> None:
        """What surrounds the text in the ordinary line."""
        line = _json({**self._head, **self._shape.piece({"content": "\0"}), "done": False})
        self._before, self._after = line.split(b'"\\u0000"')
        self._after += b"\n"

    def feed(self, batch: Sequence[Chunk]) -> list[bytes]:
        """The lines for `batch`."""
        out: list[bytes] = []
        for chunk in batch:
            if self._done:
                break
            if type(chunk) is TextDelta and chunk.vendor is None and not chunk.tokens and not chunk.candidate:
                out.append(self._before + _json(chunk.text) + self._after)
            else:
                self._other(chunk, out)
        return out

    def close(self) -> list[bytes]:
        """An input without a terminal is reported to the client as truncated."""
        if self._done:
            return []
        return self.feed([Failure.of(Truncated("the source ended without a terminal"))])

    def _other(self, chunk: Chunk, out: list[bytes]) -> None:
        if getattr(chunk, "candidate", 0):
            return
        match chunk:
            case TextDelta() | ReasoningDelta() | RefusalDelta():
                self._said(chunk, out)
            case TranscriptDelta():
                if chunk.committed:
                    self._line(self._shape.piece({"content": chunk.text}), out)
            case BlockStart() if chunk.kind == "tool-call":
                self._calls[chunk.block] = (chunk, [])
            case ToolCallDelta():
                opened = BlockStart(chunk.block, "tool-call")
                self._calls.setdefault(chunk.block, (opened, []))[1].append(chunk.arguments)
            case BlockEnd() if chunk.block in self._calls:
                self._call(*self._calls.pop(chunk.block), out)
            case ImageDelta() if not chunk.partial:
                piece = self._shape.image(chunk.data)
                if piece is not None:
                    self._line(piece, out)
            case _:
                self._mark(chunk, out)

    def _mark(self, chunk: Chunk, out: list[bytes]) -> None:
        match chunk:
            case Start():
                self._start(chunk)
            case UsageReport():
                self._usage = chunk.usage
            case VendorPart():
                self._vendor(own(chunk.part), out)
            case CandidateEnd():
                unsaid = chunk.vendor is not None and chunk.vendor.wire == WIRE_NAME  # an older server
                self._reason = "" if unsaid else reason_word(chunk.finish_reason, chunk.raw_reason)
            case Finish() | Failure() | Cancelled():
                self._terminal(chunk, out)

    def _start(self, start: Start) -> None:
        kept = own(start.vendor)
        self._head["model"] = self._head["model"] or start.model
        if not self._own_time:
            self._head["created_at"] = kept.get("created_at") or time_text(start.created_s)
        self._head.update({name: kept[name] for name in ("remote_model", "remote_host") if name in kept})
        self._cache()

    def _said(self, chunk: TextDelta | ReasoningDelta | RefusalDelta, out: list[bytes]) -> None:
        match chunk:
            case TextDelta():
                piece = {"content": chunk.text}
            case ReasoningDelta():
                piece = {"content": "", "thinking": chunk.reasoning}
            case RefusalDelta():
                piece = {"content": chunk.refusal}
        self._line(self._shape.piece(piece), out, own(chunk.vendor), answer_tokens(chunk.tokens))

    def _call(self, opened: BlockStart, arguments: list[str], out: list[bytes]) -> None:
        kept = opened.vendor.data if opened.vendor is not None and opened.vendor.wire == WIRE_NAME else None
        call = call_body(opened.id, opened.name, "".join(arguments), kept, self._count)
        self._count += 1
        self._line(self._shape.piece({"content": "", "tool_calls": [call]}), out)

    def _vendor(self, own: Fields, out: list[bytes]) -> None:
        if "end" in own:
            self._end = {**own.get("line", {}), **own["end"]}
            self._more = own.get("message", {})
            if self._own_time:
                self._end.pop("created_at", None)
        elif own:
            self._line(self._shape.piece({"content": ""}), out, own)

    def _line(
        self, piece: Fields, out: list[bytes], own: Fields | None = None, tokens: tuple[Token, ...] = ()
    ) -> None:
        line: Fields = {**(own.get("line", {}) if own else {}), **self._head, **piece, "done": False}
        if own and "message" in own and "message" in piece:
            line["message"] = {**own["message"], **piece["message"]}
        if tokens:
            line["logprobs"] = token_bodies(tokens)
        out.append(_json(line) + b"\n")

    def _terminal(self, chunk: Finish | Failure | Cancelled, out: list[bytes]) -> None:
        self._done = True
        if isinstance(chunk, Finish):
            for opened, arguments in self._calls.values():  # a source that forgot to end its blocks
                self._call(opened, arguments, out)
            line = {
                **self._head,
                **self._shape.piece({"content": "", **self._more}),
                **self._end,
                "done": True,
            }
            if self._reason:
                line["done_reason"] = self._reason
            out.append(_json({**line, **metrics_body(self._usage)}) + b"\n")
            return
        if isinstance(chunk, Cancelled):
            chunk = Failure.of(StreamCancelledException(chunk.why or "the stream was cancelled"))
        out.append(error_event(chunk))
