"""Chunks -> the events of a streamed answer."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
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
    ImageDelta,
    ReasoningDelta,
    RefusalDelta,
    Start,
    TextDelta,
    ToolCallDelta,
    TranscriptDelta,
    UsageReport,
    VendorPart,
    answer_tokens,
)
from headrace.core.usage import Usage
from headrace.errors import StreamCancelledException, Truncated
from headrace.wire.carried import carry
from headrace.wire.logprobs import token_bodies
from headrace.wire.openai_responses.failure import error_event, error_object
from headrace.wire.openai_responses.finish import incomplete_word
from headrace.wire.openai_responses.schema import WIRE_NAME
from headrace.wire.openai_responses.snapshot import Fields, Snapshot
from headrace.wire.openai_responses.template import filled, own
from headrace.wire.openai_responses.usage import usage_body
from headrace.wire.openai_responses.write import Writer
from headrace.wire.openai_responses.written import WrittenBlock

_json = msgspec.json.encode
_LIFECYCLE = frozenset({"response.created", "response.queued", "response.in_progress"})
_NOTHING: Fields = {}


class ResponsesEncoder:
    """A stage: chunks -> SSE bytes of this protocol's events, numbered from 0 without a gap.

    id, model, created_s (Unix seconds): what the response says; what is empty is the source's own. echo: the
    request's fields that a response repeats. custom: names of the request's custom tools. What came over this
    wire goes back as it came, but for the texts: those are what was written. A Failure becomes `error` and
    `response.failed`. Other wires' steps and verdicts have no place here, nor have second candidates.
    """

    __slots__ = ("_begun", "_done", "_end", "_snapshot", "_usage", "_writer")

    def __init__(
        self,
        *,
        id: str = "",
        model: str = "",
        created_s: int = 0,
        echo: Mapping[str, Any] = _NOTHING,
        custom: frozenset[str] = frozenset(),
    ) -> None:
        ours = {"id": id, "model": model}
        given = {name: value for name, value in ours.items() if value}
        self._snapshot = Snapshot(id, model, created_s, dict(echo), given)
        self._writer = Writer(custom)
        self._usage: Usage | None = None
        self._end: CandidateEnd | None = None
        self._begun = False
        self._done = False

    def feed(self, batch: Sequence[Chunk]) -> list[bytes]:
        """The events for `batch`."""
        out: list[bytes] = []
        writer = self._writer
        blocks = writer.blocks
        for chunk in batch:
            if self._done:
                break
            if type(chunk) is TextDelta and chunk.vendor is None and not chunk.tokens:
                block = blocks.get(chunk.block)
                if block is not None and block.kind == "text":
                    text = chunk.text
                    block.take(text)
                    number = writer.number
                    writer.number = number + 1
                    out.append(
                        b'%b%b,"logprobs":[],"sequence_number":%d}\n\n' % (block.before, _json(text), number)
                    )
                    continue
            self._other(chunk, out)
        return out

    def close(self) -> list[bytes]:
        """An input without a terminal is reported to the client as truncated."""
        if self._done:
            return []
        return self.feed([Failure.of(Truncated("the source ended without a terminal"))])

    def _other(self, chunk: Chunk, out: list[bytes]) -> None:
        if isinstance(chunk, UsageReport):
            self._usage = chunk.usage
            return
        if isinstance(chunk, CandidateEnd):
            self._end = chunk if self._end is None or not chunk.candidate else self._end
            return
        self._begin(chunk, out)
        match chunk:
            case Start():
                pass
            case BlockStart():
                if not chunk.candidate and (chunk.kind != "opaque" or own(chunk.vendor)):
                    self._writer.open(chunk, out)
            case VendorPart():
                self._vendor(chunk, out)
            case BlockEnd():
                self._block_end(chunk, out)
            case Finish():
                self._done = True
                self._finish(chunk, out)
            case Failure() | Cancelled():
                self._done = True
                self._fail(chunk, out)
            case _:
                self._delta(chunk, out)

    def _begin(self, chunk: Chunk, out: list[bytes]) -> None:
        """The first events, once: as they came over this wire, else our own."""
        if self._begun:
            return
        self._begun = True
        snapshot = self._snapshot
        event: Fields = {}
        if isinstance(chunk, Start):
            snapshot.id = snapshot.id or chunk.id
            snapshot.model = snapshot.model or chunk.model
            snapshot.created_s = snapshot.created_s or chunk.created_s
            event = own(chunk.vendor).get("event", event)
        self._writer.name_after(snapshot.id)
        if event:
            self._writer.emit({**event, "response": snapshot.renamed(event["response"])}, out)
            return
        for kind in ("response.created", "response.in_progress"):
            self._writer.emit({"type": kind, "response": snapshot.response("in_progress", [])}, out)

    def _vendor(self, chunk: VendorPart, out: list[bytes]) -> None:
        data = own(chunk.part)
        if not isinstance(data.get("event"), dict):
            return
        event = filled(data, self._writer.content)
        if event["type"] in _LIFECYCLE and isinstance(event.get("response"), dict):
            event = {**event, "response": self._snapshot.renamed(event["response"])}
        self._writer.kept(event, out)

    def _block_end(self, chunk: BlockEnd, out: list[bytes]) -> None:
        block = self._writer.blocks.get(chunk.block)
        if block is None or chunk.candidate:
            return
        data = own(chunk.vendor)
        if "event" in data:
            block.closed = True
            self._writer.kept(filled(data, self._writer.content), out)
        elif chunk.vendor is not None and chunk.vendor.wire == WIRE_NAME:
            block.closed = True  # no event said so where it came from
        else:
            block.carried = carry(chunk.vendor, WIRE_NAME) or block.carried
            self._writer.close(block, out)

    def _delta(self, chunk: Chunk, out: list[bytes]) -> None:
        number: int | None = getattr(chunk, "block", None)
        if number is None or getattr(chunk, "candidate", None):
            return
        writer = self._writer
        match chunk:
            case TextDelta():
                self._text(writer.find(number, "text", out), chunk, out)
            case ReasoningDelta():
                self._said(writer.find(number, "reasoning", out), chunk.reasoning, chunk, out)
            case RefusalDelta():
                self._said(writer.find(number, "refusal", out), chunk.refusal, chunk, out)
            case ToolCallDelta():
                self._said(writer.find(number, "tool-call", out), chunk.arguments, chunk, out)
            case Citation():
                writer.cite(writer.find(number, "text", out), chunk, out)
            case _:
                self._media(chunk, out)

    def _media(self, chunk: Chunk, out: list[bytes]) -> None:
        match chunk:
            case ImageDelta():
                self._writer.image(self._writer.find(chunk.block, "image", out), chunk, out)
            case AudioDelta():
                self._sound("response.audio.delta", b64encode(chunk.data).decode(), chunk, out)
            case TranscriptDelta() if chunk.committed:
                self._sound("response.audio.transcript.delta", chunk.text, chunk, out)

    def _text(self, block: WrittenBlock, chunk: TextDelta, out: list[bytes]) -> None:
        data = own(chunk.vendor)
        given = data.get("extra", _NOTHING).get("logprobs")
        logprobs = given if given is not None else token_bodies(answer_tokens(chunk.tokens))
        block.logprobs += logprobs
        if data.get("silent"):
            block.take(chunk.text)
            return
        self._said(block, chunk.text, chunk, out, {"logprobs": logprobs})

    def _said(
        self,
        block: WrittenBlock,
        text: str,
        chunk: TextDelta | ReasoningDelta | RefusalDelta | ToolCallDelta,
        out: list[bytes],
        more: Fields = _NOTHING,
    ) -> None:
        block.take(text)
        data = own(chunk.vendor)
        if data.get("silent") or block.wrapped:
            return
        extra = data.get("extra", _NOTHING)
        if extra or more:
            event = {"type": f"{block.stem}.delta", **block.place, "delta": text, **more}
            self._writer.emit({**event, **extra}, out)
            return
        writer = self._writer
        out.append(b'%b%b,"sequence_number":%d}\n\n' % (block.before, _json(text), writer.number))
        writer.number += 1

    def _sound(self, kind: str, delta: str, chunk: AudioDelta | TranscriptDelta, out: list[bytes]) -> None:
        extra = own(chunk.vendor).get("extra", _NOTHING)
        self._writer.emit({"type": kind, "delta": delta, **extra}, out)

    def _finish(self, chunk: Finish, out: list[bytes]) -> None:
        data = own(chunk.vendor)
        whole = self._writer.finish(out)  # what was left open ends now
        if "event" in data and not self._writer.foreign and whole:
            event = filled(data, self._writer.content)
            response = self._snapshot.renamed(event["response"])
            if self._usage is not None:
                response["usage"] = usage_body(self._usage)
            self._writer.emit({**event, "response": response}, out)
            return
        end = self._end
        reason = end.finish_reason if end is not None else chunk.finish_reason
        word = incomplete_word(reason, end.raw_reason if end is not None else chunk.raw_reason)
        status = "incomplete" if word else "completed"
        details = {"reason": word} if word else None
        output = self._writer.output()
        response = self._snapshot.response(status, output, self._usage, incomplete_details=details)
        self._writer.emit({"type": f"response.{status}", "response": response}, out)

    def _fail(self, chunk: Failure | Cancelled, out: list[bytes]) -> None:
        if isinstance(chunk, Cancelled):
            chunk = Failure.of(StreamCancelledException(chunk.why or "the stream was cancelled"))
        out.append(error_event(chunk, self._writer.number))
        self._writer.number += 1
        error = error_object(chunk)
        response = self._snapshot.response(
            "failed",
            self._writer.output(),
            self._usage,
            error={"code": error["code"], "message": error["message"]},
        )
        self._writer.emit({"type": "response.failed", "response": response}, out)
