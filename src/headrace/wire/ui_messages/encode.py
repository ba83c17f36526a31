"""Chunks -> the events of a UI message stream, version 1."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from typing import Any

import msgspec

from headrace.core.chunk import (
    AudioDelta,
    BlockEnd,
    BlockStart,
    Cancelled,
    CandidateEnd,
    Chunk,
    Citation,
    Failure,
    Finish,
    FinishReason,
    ImageDelta,
    ReasoningDelta,
    RefusalDelta,
    Start,
    Step,
    TextDelta,
    ToolCallDelta,
    ToolResult,
    TranscriptDelta,
    UsageReport,
    VendorPart,
    Verdict,
)
from headrace.core.opaque import Opaque
from headrace.core.usage import Usage
from headrace.errors import Truncated
from headrace.wire.base import Says
from headrace.wire.ui_messages.parts import (
    Part,
    call_part,
    citation_part,
    data_part,
    file_part,
    finish_part,
    result_part,
    with_metadata,
)

_json = msgspec.json.encode
DONE = b"data: [DONE]\n\n"
_KINDS = {"text": "text", "refusal": "text", "reasoning": "reasoning", "tool-call": "tool-call"}


class _Block:
    """An open block. arguments: of a tool call."""

    __slots__ = ("arguments", "id", "kind", "name", "vendor")

    def __init__(self, kind: str, id: str, name: str = "", vendor: Opaque | None = None) -> None:
        self.kind = kind
        self.id = id
        self.name = name
        self.vendor = vendor
        self.arguments: list[str] = []


class UiEncoder:
    """A stage: chunks -> SSE bytes of message parts, ending in `[DONE]`.

    says: the message's id. `start` goes out with the first content, so nothing leaves before the answer
    begins; a further Start begins a further step. A refusal is a text block; sound and transcripts, steps,
    verdicts and vendors' own events are `data-*` parts; candidates beyond the first have no place.
    """

    __slots__ = ("_blocks", "_done", "_id", "_reason", "_sources", "_step", "_usage")

    def __init__(self, says: Says) -> None:
        self._id = says.id
        self._blocks: dict[int, _Block] = {}
        self._sources = 0
        self._step = 0  # 0: nothing was sent, 1: a step is open, 2: it is ended and another may begin
        self._reason: FinishReason = "stop"
        self._usage: Usage | None = None
        self._done = False

    def feed(self, batch: Sequence[Chunk]) -> list[bytes]:
        """The events for `batch`."""
        out: list[bytes] = []
        for chunk in batch:
            if self._done:
                break
            if type(chunk) is TextDelta and not chunk.candidate:
                self._said(chunk.block, "text", chunk.text, chunk.vendor, out)
            elif not getattr(chunk, "candidate", 0):
                self._other(chunk, out)
        return out

    def close(self) -> list[bytes]:
        """An input without a terminal is reported to the client as truncated."""
        if self._done:
            return []
        return self.feed([Failure.of(Truncated("the source ended without a terminal"))])

    def _other(self, chunk: Chunk, out: list[bytes]) -> None:
        match chunk:
            case ReasoningDelta():
                self._said(chunk.block, "reasoning", chunk.reasoning, chunk.vendor, out)
            case RefusalDelta():
                self._said(chunk.block, "text", chunk.refusal, chunk.vendor, out)
            case ToolCallDelta():
                self._arguments(chunk, out)
            case BlockStart() if chunk.kind in _KINDS:
                self._open(chunk.block, _KINDS[chunk.kind], chunk.id, chunk.name, chunk.vendor, out)
            case BlockEnd():
                self._close(chunk.block, chunk.vendor, out)
            case Finish() | Failure() | Cancelled():
                self._terminal(chunk, out)
            case _:
                self._mark(chunk, out)

    def _mark(self, chunk: Chunk, out: list[bytes]) -> None:
        match chunk:
            case Start():
                self._id = self._id or chunk.id
                if self._step == 1:
                    self._end_step(out)
            case UsageReport():
                self._usage = chunk.usage
            case CandidateEnd():
                self._reason = chunk.finish_reason
            case _:
                part = self._part(chunk)
                if part is not None:
                    self._send(part, out)

    def _part(self, chunk: Chunk) -> Part | None:
        match chunk:
            case Citation():
                self._sources += 1
                return citation_part(chunk, self._sources)
            case ImageDelta():
                return None if chunk.partial else file_part(chunk.data, chunk.media_type, chunk.vendor)
            case AudioDelta():
                sound = {"data": b64encode(chunk.data).decode(), "format": chunk.format}
                return data_part("audio", sound, transient=True)
            case TranscriptDelta():
                return data_part("transcript", {"text": chunk.text, "committed": chunk.committed})
            case Step():
                return data_part("step", msgspec.to_builtins(chunk))
            case Verdict():
                return data_part("verdict", msgspec.to_builtins(chunk))
            case ToolResult():
                return result_part(chunk)
            case VendorPart():
                return data_part("vendor", {chunk.part.wire: chunk.part.data}, transient=True)
        return None

    def _send(self, part: Part, out: list[bytes]) -> None:
        if self._step != 1:
            self._begin_step(out)
        out.append(_event(part))

    def _begin_step(self, out: list[bytes]) -> None:
        if self._step == 0:
            start: Part = {"type": "start"}
            if self._id:
                start["messageId"] = self._id
            out.append(_event(start))
        self._step = 1
        out.append(_event({"type": "start-step"}))

    def _open(
        self, block: int, kind: str, id: str, name: str, vendor: Opaque | None, out: list[bytes]
    ) -> _Block:
        opened = _Block(kind, id or (f"call_{block}" if kind == "tool-call" else str(block)), name, vendor)
        self._blocks[block] = opened
        if kind == "tool-call":
            part: Part = {"type": "tool-input-start", "toolCallId": opened.id, "toolName": name}
        else:
            opened.id = str(block)  # unique in the message, whatever the vendor calls it
            part = {"type": f"{kind}-start", "id": opened.id}
        self._send(with_metadata(part, vendor), out)
        return opened

    def _said(self, block: int, kind: str, text: str, vendor: Opaque | None, out: list[bytes]) -> None:
        opened = self._blocks.get(block) or self._open(block, kind, "", "", None, out)
        if text or vendor is not None:
            part: Part = {"type": f"{opened.kind}-delta", "id": opened.id, "delta": text}
            out.append(_event(with_metadata(part, vendor)))

    def _arguments(self, chunk: ToolCallDelta, out: list[bytes]) -> None:
        opened = self._blocks.get(chunk.block) or self._open(chunk.block, "tool-call", "", "", None, out)
        opened.arguments.append(chunk.arguments)
        if chunk.arguments:
            part = {"type": "tool-input-delta", "toolCallId": opened.id, "inputTextDelta": chunk.arguments}
            out.append(_event(part))

    def _close(self, block: int, vendor: Opaque | None, out: list[bytes]) -> None:
        opened = self._blocks.pop(block, None)
        if opened is None:
            return
        if opened.kind == "tool-call":
            call = call_part(opened.id, opened.name, "".join(opened.arguments), opened.vendor or vendor)
            out.append(_event(call))
        else:
            out.append(_event(with_metadata({"type": f"{opened.kind}-end", "id": opened.id}, vendor)))

    def _end_step(self, out: list[bytes]) -> None:
        for block in list(self._blocks):
            self._close(block, None, out)
        self._step = 2
        out.append(_event({"type": "finish-step"}))

    def _terminal(self, chunk: Finish | Failure | Cancelled, out: list[bytes]) -> None:
        self._done = True
        if isinstance(chunk, Finish):
            if self._step == 0:  # an answer of nothing is a message all the same
                self._begin_step(out)
            if self._step == 1:
                self._end_step(out)
            out.append(_event(finish_part(self._reason, self._usage)))
            out.append(DONE)
        elif isinstance(chunk, Failure):
            out.append(error_event(chunk))
        else:
            out.append(_event({"type": "abort", "reason": chunk.why or "the stream was cancelled"}) + DONE)


def error_event(failure: Failure) -> bytes:
    """The failure as the last events of a stream: the error, at which clients raise, then the terminator."""
    return _event({"type": "error", "errorText": failure.message or failure.kind}) + DONE


def error_body(failure: Failure) -> bytes:
    """The body of an answer with an error status: the package shows its text as it is."""
    said: dict[str, Any] = {"message": failure.message, "code": failure.code or failure.kind}
    return _json({"error": said})


def _event(part: Part) -> bytes:
    return b"data: " + _json(part) + b"\n\n"
