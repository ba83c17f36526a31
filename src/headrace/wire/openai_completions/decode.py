"""Bytes of a streamed answer -> chunks: framing, JSON, the end."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from typing import Any

import msgspec

from headrace.core.chunk import Chunk, Failure, Finish, Start, TextDelta, UsageReport, VendorPart
from headrace.core.opaque import Opaque
from headrace.core.usage import Usage
from headrace.errors import Truncated, Unavailable
from headrace.wire.base import NO_QUIRKS
from headrace.wire.event_decoder import MAX_EVENT_BYTES, EventDecoder
from headrace.wire.failing import bad_index, broken
from headrace.wire.openai_completions.candidate import Candidate
from headrace.wire.openai_completions.event import Extras, read_oddly
from headrace.wire.openai_completions.schema import MAX_CANDIDATES, WIRE_NAME, CompletionBody
from headrace.wire.openai_completions.usage import usage_from
from headrace.wire.openai_error import failure_from_response
from headrace.wire.plain import may_be_deep
from headrace.wire.reading import UNREADABLE
from headrace.wire.terminator import BRACKET, is_done

_LENIENT_AFTER = 3  # events in a row with unknown fields: then the strict reading is not tried any more
_read = msgspec.json.Decoder(CompletionBody).decode


class CompletionsDecoder(EventDecoder):
    """A stage: bytes in any split -> chunks. Eager, linear, never raises; inert after its terminal.

    The end: `[DONE]`, or end of input after every candidate's finish_reason (then not `clean`); end of input
    before is a Failure `truncated`; `[DONE]` with nothing before it too. What comes after `[DONE]` is not
    read. Unknown fields are kept in `vendor` or as `VendorPart`.
    """

    __slots__ = (
        "_candidates",
        "_fingerprint",
        "_numbers",
        "_odd",
        "_started",
        "_usage",
    )

    def __init__(
        self, _quirks: Mapping[str, Any] = NO_QUIRKS, *, max_event_bytes: int = MAX_EVENT_BYTES
    ) -> None:
        super().__init__(failure_from_response, max_event_bytes)
        self._candidates: dict[int, Candidate] = {}
        self._numbers = count()
        self._fingerprint: str | None = None
        self._usage: Usage | None = None
        self._odd = 0
        self._started = False

    def _closed(self, out: list[Chunk]) -> None:
        if self._candidates and all(one.reason is not None for one in self._candidates.values()):
            self._finish(False, out)
            return
        said = f"the stream ended after {self._events} events without a finish_reason"
        self._end(Failure.of(Truncated(said)), out)

    def _event(self, data: bytes, name: bytes, out: list[Chunk]) -> None:
        if data[0] == BRACKET and is_done(data):
            self._terminator(out)
            return
        self._events += 1
        try:
            if self._odd >= _LENIENT_AFTER or name == b"error" or may_be_deep(data):
                raise msgspec.ValidationError
            body = _read(data)
            if body.error:
                raise msgspec.ValidationError
        except UNREADABLE:
            self._odd_event(data, name, out)
            return
        if not self._plain(body, out):
            self._body(body, None, data, out)

    def _plain(self, body: CompletionBody, out: list[Chunk]) -> bool:
        """Whether the event was a piece of an open block and nothing else: the ordinary case."""
        choices = body.choices
        if (
            not choices
            or len(choices) != 1
            or body.usage is not None
            or body.system_fingerprint != self._fingerprint
        ):
            return False
        choice = choices[0]
        to = self._candidates.get(choice.index)
        if to is None or not to.open or choice.logprobs is not None or choice.finish_reason is not None:
            return False
        if choice.text:
            out.append(TextDelta(to.block, choice.text, (), to.index))
        return True

    def _odd_event(self, data: bytes, name: bytes, out: list[Chunk]) -> None:
        read = read_oddly(data, name.decode("utf-8", "replace"), self._events)
        if isinstance(read, Failure):
            self._end(read, out)
            return
        body, extras = read
        self._odd = self._odd + 1 if extras else 0
        self._body(body, extras, data, out)

    def _body(self, body: CompletionBody, extras: Extras | None, data: bytes, out: list[Chunk]) -> None:
        if not self._started or extras is not None or body.system_fingerprint != self._fingerprint:
            self._about(body, extras.body if extras is not None else {}, out)
        try:
            for at, choice in enumerate(body.choices or ()):
                to = self._candidates.get(choice.index) or self._candidate(choice.index)
                to.take(choice, extras.choices.get(at) if extras is not None else None, out)
                if to.reason == "error":
                    said = f"the provider ended the answer with finish_reason {to.raw_reason!r}"
                    self._end(Failure.of(Unavailable(said, code=to.raw_reason)), out)
                    return
            if body.usage:
                self._count(body.usage, out)
        except (msgspec.ValidationError, ValueError) as error:
            self._end(broken(data, self._events, str(error)), out)

    def _candidate(self, index: int) -> Candidate:
        if not 0 <= index < MAX_CANDIDATES:
            raise ValueError(bad_index(index, MAX_CANDIDATES))
        found = self._candidates[index] = Candidate(index, self._numbers)
        return found

    def _about(self, body: CompletionBody, odd: dict[str, Any], out: list[Chunk]) -> None:
        """Start the reply, or pass on the event's own fields that are new."""
        own = dict(odd)
        if body.system_fingerprint is not None and body.system_fingerprint != self._fingerprint:
            own["system_fingerprint"] = body.system_fingerprint
        self._fingerprint = body.system_fingerprint
        vendor = Opaque(WIRE_NAME, own) if own else None
        if self._started:
            if vendor is not None:
                out.append(VendorPart(vendor))
            return
        self._started = True
        out.append(Start(body.id or "", body.model or "", int(body.created or 0), vendor))

    def _count(self, data: dict[str, Any], out: list[Chunk]) -> None:
        usage = usage_from(data)
        if usage != self._usage:
            self._usage = usage
            out.append(UsageReport(usage))

    def _terminator(self, out: list[Chunk]) -> None:
        if self._candidates:
            self._finish(True, out)
            return
        said = "the provider ended the stream without an answer: [DONE] came first"
        self._end(Failure.of(Truncated(said, code="empty_response")), out)

    def _finish(self, clean: bool, out: list[Chunk]) -> None:
        for candidate in self._candidates.values():
            if candidate.reason is None:
                clean = False
                candidate.end("", None, out)
        first = self._candidates[min(self._candidates)]
        self._end(Finish(first.reason or "stop", first.raw_reason, clean), out)
