"""Bytes of an answer of /api/chat or /api/generate, streamed or whole -> chunks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from headrace.core.chunk import (
    CandidateEnd,
    Chunk,
    Failure,
    Finish,
    Start,
    TextDelta,
    Token,
    UsageReport,
    VendorPart,
)
from headrace.core.opaque import Opaque
from headrace.errors import Truncated
from headrace.framing.ndjson import MAX_LINE_BYTES, NdjsonDecoder
from headrace.wire.base import NO_QUIRKS
from headrace.wire.failing import broken
from headrace.wire.ollama.blocks import Blocks
from headrace.wire.ollama.failure import failure_from_line, failure_from_response
from headrace.wire.ollama.finish import reason_from
from headrace.wire.ollama.logprobs import tokens_from
from headrace.wire.ollama.schema import WIRE_NAME, Line
from headrace.wire.ollama.sifted import read_line, sifted
from headrace.wire.ollama.usage import usage_from
from headrace.wire.plain import read_plain
from headrace.wire.reading import UNREADABLE
from headrace.wire.times import seconds_of

Fields = dict[str, Any]

_UNSAID = Opaque(WIRE_NAME, {})  # older servers give no done_reason


class OllamaDecoder:
    """A stage: bytes in any split -> chunks. Eager, linear, never raises; inert after its terminal.

    The end is the line that says `done`; end of input before it is a Failure `truncated`. Unknown fields are
    kept: under "line" and "message" in the vendor's part of the first chunk of their line. `created_at` is
    kept of the first line and the last.
    """

    __slots__ = ("_blocks", "_done", "_frames", "_lines", "_started")

    def __init__(
        self, _quirks: Mapping[str, Any] = NO_QUIRKS, *, max_line_bytes: int = MAX_LINE_BYTES
    ) -> None:
        self._frames = NdjsonDecoder(max_line_bytes)
        self._blocks = Blocks()
        self._lines = 0
        self._started = False
        self._done = False

    def feed(self, batch: Sequence[bytes]) -> list[Chunk]:
        """The chunks that `batch` makes complete."""
        out: list[Chunk] = []
        for data in batch:
            if self._done:
                break
            self._framed(self._frames.feed(data), out)
        return out

    def close(self) -> list[Chunk]:
        """The end of input: the last line, where it had no end; before `done` it is a Failure."""
        out: list[Chunk] = []
        if self._done:
            return out
        for last in self._frames.close():
            if isinstance(last, bytes) and _whole(last):
                self._framed((last,), out)
        if not self._done:
            said = f"the stream ended after {self._lines} lines without one that says done"
            self._fail(Failure.of(Truncated(said)), out)
        return out

    def _framed(self, lines: Sequence[bytes | Failure], out: list[Chunk]) -> None:
        for line in lines:
            if self._done:
                return
            if isinstance(line, Failure):
                self._fail(line, out)
            else:
                self._line(line, out)

    def _line(self, data: bytes, out: list[Chunk]) -> None:
        self._lines += 1
        try:
            line = read_line(data)
        except UNREADABLE:
            self._odd_line(data, out)
            return
        if not self._plain(line, out):
            self._read(line, {}, data, out)

    def _plain(self, line: Line, out: list[Chunk]) -> bool:
        """Whether the line was a piece of the open text block and nothing else: the ordinary case."""
        if self._blocks.kind != "text" or line.done or line.logprobs is not None or line.error is not None:
            return False
        message = line.message
        if message is None:
            text = line.response
            if line.thinking or line.tool_calls or line.image:
                return False
        else:
            text = message.content
            if message.thinking or message.tool_calls or message.images:
                return False
        if not text:
            return False
        out.append(TextDelta(self._blocks.block, text))
        return True

    def _odd_line(self, data: bytes, out: list[Chunk]) -> None:
        """A line that does not fit: unknown fields are set aside, anything else breaks the wire."""
        try:
            parsed = read_plain(data)
            if not isinstance(parsed, dict):
                raise msgspec.ValidationError("not a JSON object")
            if parsed.get("error"):
                self._fail(failure_from_line(parsed["error"], parsed.get("status"), data), out)
                return
            line, own = sifted(parsed, data)
        except UNREADABLE as error:
            self._fail(self._broken(data, str(error)), out)
            return
        self._read(line, own, data, out)

    def _broken(self, data: bytes, why: str) -> Failure:
        if self._lines == 1 and data[:1] == b"<":
            return failure_from_response(200, {}, data, "")
        return broken(data, self._lines, why)

    def _read(self, line: Line, own: Fields, data: bytes, out: list[Chunk]) -> None:
        if line.error:
            self._fail(failure_from_line(line.error, None, data), out)
            return
        if not self._started:
            self._start(line, out)
        try:
            left = _Left(own, tokens_from(line.logprobs))
            self._content(line, left, out)
        except ValueError as error:
            self._fail(broken(data, self._lines, f"what it holds cannot be read ({error})"), out)
            return
        if line.done:
            self._finish(line, left.own, out)
        elif left.own:
            out.append(VendorPart(Opaque(WIRE_NAME, left.own)))

    def _start(self, line: Line, out: list[Chunk]) -> None:
        self._started = True
        own: Fields = {"created_at": line.created_at} if line.created_at else {}
        own |= {name: value for name in ("remote_model", "remote_host") if (value := getattr(line, name))}
        vendor = Opaque(WIRE_NAME, own) if own else None
        out.append(Start("", line.model, seconds_of(line.created_at), vendor))

    def _content(self, line: Line, left: _Left, out: list[Chunk]) -> None:
        message = line.message
        if message is None:
            thinking, text, calls = line.thinking, line.response, line.tool_calls
            images = [line.image] if line.image else None
        else:
            thinking, text, calls, images = (
                message.thinking,
                message.content,
                message.tool_calls,
                message.images,
            )
        blocks = self._blocks
        if thinking:
            blocks.think(thinking, () if text else left.take_tokens(), left.vendor(), out)
        if text or left.tokens:
            blocks.say(text or "", left.take_tokens(), left.vendor(), out)
        for place, call in enumerate(calls or ()):
            blocks.call(call, left.of_call(place), out)
        for image in images or ():
            blocks.image(image, out)

    def _finish(self, line: Line, own: Fields, out: list[Chunk]) -> None:
        self._blocks.end_turn(out)
        end: Fields = {"created_at": line.created_at} if line.created_at else {}
        if line.context is not None:
            end["context"] = line.context
        if end or own:
            out.append(VendorPart(Opaque(WIRE_NAME, {**own, "end": end})))
        usage = usage_from(line)
        if usage is not None:
            out.append(UsageReport(usage))
        raw = line.done_reason or ""
        reason = reason_from(raw, self._blocks.called)
        self._done = True
        out.append(CandidateEnd(reason, raw, vendor=None if raw else _UNSAID))
        out.append(Finish(reason, raw))

    def _fail(self, failure: Failure, out: list[Chunk]) -> None:
        if not self._done:
            self._done = True
            out.append(failure)


class _Left:
    """Unknown fields and tokens of a line that still need a place: the first delta that fits.

    Those of its calls go with the calls.
    """

    __slots__ = ("_calls", "own", "tokens")

    def __init__(self, own: Fields, tokens: tuple[Token, ...]) -> None:
        self._calls: list[Fields] = own.pop("calls", [])
        self.own = own
        self.tokens = tokens

    def of_call(self, place: int) -> Fields:
        return self._calls[place] if self._calls else {}

    def take_tokens(self) -> tuple[Token, ...]:
        tokens, self.tokens = self.tokens, ()
        return tokens

    def vendor(self) -> Opaque | None:
        own, self.own = self.own, {}
        return Opaque(WIRE_NAME, own) if own else None


def _whole(last: bytes) -> bool:
    """Whether a last line without an end is whole JSON, and not the beginning of a line."""
    try:
        msgspec.json.decode(last)
    except UNREADABLE:
        return last.lstrip()[:1] == b"<"
    return True
