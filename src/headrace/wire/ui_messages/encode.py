"""Chunks -> the events of a UI message stream, version 1."""

from __future__ import annotations

from collections.abc import Sequence

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
from headrace.wire.terminator import DONE
from headrace.wire.ui_messages.failure import abort_event, error_event
from headrace.wire.ui_messages.finish import finish_part
from headrace.wire.ui_messages.metadata import WIRE_NAME, own
from headrace.wire.ui_messages.parts import DERIVED, event_of, file_part
from headrace.wire.ui_messages.usage import usage_body
from headrace.wire.ui_messages.writer import Writer

_json = msgspec.json.encode
# Objects of a provider's events that repeat the request: the system prompt and the tools are not the page's.
_ECHOES = ("response", "session")


class UiEncoder:
    """A stage: chunks -> SSE bytes of message parts, ending in `[DONE]`.

    says: the message's id, its model and when it began. message_id: of the message that the answer goes on
    with, which a page would else begin anew. `start` goes out with the first content, so nothing
    leaves before the answer begins; a further Start begins a further step. A refusal is a text part that is
    marked as one; sound and transcripts, steps, verdicts, opaque blocks, vendors' own events and results
    of calls that were not in the stream are `data-*` parts; log probabilities, what a vendor says of the
    answer as a whole, and candidates beyond the first have no place. Events that came over this wire go out
    as they came, but for text outside a step, which gets one.
    """

    __slots__ = ("_done", "_end", "_usage", "_writer")

    def __init__(self, says: Says, message_id: str = "") -> None:
        self._writer = Writer(says, message_id)
        self._end: CandidateEnd | None = None
        self._usage: Usage | None = None
        self._done = False

    def feed(self, batch: Sequence[Chunk]) -> list[bytes]:
        """The events for `batch`."""
        writer = self._writer
        out = writer.out = []
        for chunk in batch:
            if self._done:
                break
            if type(chunk) is TextDelta and chunk.vendor is None and not chunk.candidate:
                part = writer.parts.get(chunk.block)
                if part is not None and part.family == "text" and chunk.text:
                    part.text.add(chunk.text)
                    out.append(b"%b%b}\n\n" % (part.before, _json(chunk.text)))
                    continue
            if not getattr(chunk, "candidate", 0):
                self._other(chunk)
        return out

    def close(self) -> list[bytes]:
        """An input without a terminal is reported to the client as truncated."""
        if self._done:
            return []
        return self.feed([Failure.of(Truncated("the source ended without a terminal"))])

    def _other(self, chunk: Chunk) -> None:
        writer = self._writer
        match chunk:
            case TextDelta():
                writer.said(chunk.block, "text", chunk.text, chunk.vendor)
            case ReasoningDelta():
                writer.said(chunk.block, "reasoning", chunk.reasoning, chunk.vendor)
            case RefusalDelta():
                writer.said(chunk.block, "refusal", chunk.refusal, chunk.vendor)
            case ToolCallDelta():
                writer.arguments(chunk)
            case BlockStart():
                writer.open(chunk)
            case BlockEnd():
                writer.close(chunk)
            case Finish() | Failure() | Cancelled():
                self._terminal(chunk)
            case _:
                self._mark(chunk)

    def _mark(self, chunk: Chunk) -> None:
        match chunk:
            case Start():
                self._writer.message(chunk)
            case UsageReport():
                self._count(chunk)
            case CandidateEnd():
                self._end = chunk
            case Citation() if chunk.vendor == DERIVED:
                pass  # the end of its text says it
            case Citation():
                self._writer.cite(chunk)
            case Step() | Verdict():
                self._writer.data(chunk)
            case ToolResult():
                self._writer.result(chunk)
            case VendorPart():
                self._vendor(chunk)
            case _:
                self._media(chunk)

    def _media(self, chunk: Chunk) -> None:
        match chunk:
            case ImageDelta():
                self._writer.image(chunk)
            case AudioDelta():
                self._writer.opened(chunk.block, "audio")
                kept = own(chunk.vendor)
                if "mediaType" in kept:  # it came as a file, whole
                    self._writer.send(file_part(chunk.data, kept["mediaType"], chunk.vendor))
                else:
                    self._writer.data(chunk, chunk.block)
            case TranscriptDelta():
                self._writer.opened(chunk.block, "transcript")
                self._writer.data(chunk, chunk.block)

    def _count(self, report: UsageReport) -> None:
        """Usage is told at the end; what came over this wire by an event of its own goes out as one."""
        event = own(report.vendor)
        if event:
            self._writer.kept(event)
        self._usage = None if event else report.usage

    def _vendor(self, chunk: VendorPart) -> None:
        data = chunk.part.data
        if chunk.part.wire == WIRE_NAME:
            self._writer.kept(data)
        elif not _repeats_the_request(chunk.part):
            self._writer.data(chunk, chunk.block)

    def _terminal(self, chunk: Finish | Failure | Cancelled) -> None:
        self._done = True
        out = self._writer.out
        if isinstance(chunk, Finish):
            self._writer.finish()
            end = self._end or CandidateEnd(chunk.finish_reason, chunk.raw_reason)
            out += [event_of(finish_part(end, self._usage)), DONE]
            return
        if self._usage is not None:  # what has come has cost all the same
            metadata = {"usage": usage_body(self._usage)}
            out.append(event_of({"type": "message-metadata", "messageMetadata": metadata}))
        if isinstance(chunk, Failure):
            out.append(error_event(chunk))
        else:
            out.append(abort_event(chunk.why or "the stream was cancelled"))


def _repeats_the_request(part: Opaque) -> bool:
    data = part.data
    event = data.get("event", data) if isinstance(data, dict) else None
    return isinstance(event, dict) and any(isinstance(event.get(name), dict) for name in _ECHOES)
