"""Bytes of a streamed answer -> chunks: framing, JSON, the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any

import msgspec

from headrace.core.chunk import Chunk, Failure, Finish, Start, TextDelta, UsageReport, VendorPart
from headrace.core.opaque import Opaque
from headrace.core.usage import Usage
from headrace.errors import Truncated
from headrace.wire.base import NO_QUIRKS
from headrace.wire.event_decoder import MAX_EVENT_BYTES, EventDecoder
from headrace.wire.failing import bad_index, broken
from headrace.wire.openai_chat.candidate import MAX_OPEN_CALLS, Candidate, TooManyCalls
from headrace.wire.openai_chat.choice import plain_text, read_choice
from headrace.wire.openai_chat.event import ended_badly, read_oddly
from headrace.wire.openai_chat.extras import Extras
from headrace.wire.openai_chat.halves import Halves
from headrace.wire.openai_chat.misfit import read_misfit
from headrace.wire.openai_chat.schema import CONTENT, MAX_CANDIDATES, UNREADABLE, WIRE_NAME, ChunkBody
from headrace.wire.openai_chat.sources import cite, sources_in
from headrace.wire.openai_chat.usage import usage_from
from headrace.wire.plain import may_be_deep
from headrace.wire.sound import ASKED_FORMAT
from headrace.wire.sticky import Sticky
from headrace.wire.surroundings import Surroundings
from headrace.wire.terminator import BRACKET, is_done

_LENIENT_AFTER = 3  # chunks in a row with unknown fields: then the strict reading is not tried any more

_read = msgspec.json.Decoder(ChunkBody).decode


class ChatDecoder(EventDecoder):
    """A stage: bytes in any split -> chunks. Eager, linear, never raises; inert after its terminal.

    The end: `[DONE]` or end of input after every candidate's finish_reason is a Finish (not `clean` without
    `[DONE]`); end of input before is a Failure `truncated`; `[DONE]` with nothing before it too. What comes
    after `[DONE]` is not read. Unknown fields are kept in `vendor` or as `VendorPart`.
    """

    __slots__ = (
        "_around",
        "_beside",
        "_candidates",
        "_fingerprint",
        "_halves",
        "_held",
        "_like",
        "_numbers",
        "_odd",
        "_ordinary",
        "_other",
        "_place",
        "_sound_format",
        "_sources",
        "_started",
        "_sticky",
        "_tier",
        "_usage",
    )

    def __init__(
        self, quirks: Mapping[str, Any] = NO_QUIRKS, *, max_event_bytes: int = MAX_EVENT_BYTES
    ) -> None:
        super().__init__(read_misfit, max_event_bytes)
        self._beside = bool(quirks.get("reasoning_beside_output"))
        self._sound_format = str(quirks.get(ASKED_FORMAT, ""))
        self._candidates: dict[int, Candidate] = {}
        self._numbers = count()
        self._halves = Halves()
        self._sticky = Sticky()
        self._sources: list[tuple[str, str, str]] = []  # of the answer, as last told
        self._around = Surroundings(CONTENT, max_event_bytes)
        self._ordinary = b""  # the latest event that was a piece of text and nothing else
        self._place = (-1, 0)  # its block and candidate
        self._like = (-1, 0)  # the same of the event that was learnt
        self._other = False  # whether a read held any other event: then what was learnt may not hold
        self._held: dict[str, Any] = {}  # such fields that came before the reply had an id
        self._fingerprint: str | None = None
        self._tier: str | None = None
        self._usage: Usage | None = None
        self._odd = 0
        self._started = False

    def feed(self, batch: Sequence[bytes]) -> list[Chunk]:
        """The chunks that `batch` makes complete."""
        if self._around.known and len(batch) == 1 and not self._frames.held_bytes:
            text = self._around.text(batch[0])
            if text is not None:
                self._events += 1
                block, candidate = self._like
                return [TextDelta(block, text, (), candidate)]
        self._other = False
        out = super().feed(batch)
        if self._other:
            self._around.forget()
        elif (
            len(batch) == 1 and batch[0] == b"data: %b\n\n" % self._ordinary and self._around.learn(batch[0])
        ):
            self._like = self._place  # the next read is likely such an event too
        return out

    def _closed(self, out: list[Chunk]) -> None:
        self._give_up_halves(out)
        if self._candidates and all(one.reason is not None for one in self._candidates.values()):
            self._finish(False, out)
        else:
            self._end(Failure.of(Truncated(self._cut())), out)

    def _cut(self) -> str:
        if not self._started:
            return f"the stream ended after {self._events} events, before the answer began"
        missing = [str(one.index) for one in self._candidates.values() if one.reason is None]
        of = f"candidate {', '.join(missing)}" if missing else "any candidate"
        return f"the stream ended after {self._events} events without a finish_reason for {of}"

    def _event(self, data: bytes, name: bytes, out: list[Chunk]) -> None:
        if data[0] == BRACKET and is_done(data):
            self._other = True
            self._terminator(out)
            return
        self._events += 1
        try:
            if self._odd >= _LENIENT_AFTER or name == b"error" or may_be_deep(data):
                raise msgspec.ValidationError
            chunk = _read(data)
        except UNREADABLE:
            self._odd_event(data, name, out)
            return
        if self._plain(chunk, out):
            self._ordinary = data
        else:
            self._other = True
            self._chunk(chunk, None, data, out)

    def _plain(self, chunk: ChunkBody, out: list[Chunk]) -> bool:
        """Whether the chunk was a piece of an open text block and nothing else: the ordinary case."""
        choices = chunk.choices
        if (
            not choices
            or len(choices) != 1
            or chunk.usage is not None
            or chunk.error is not None
            or chunk.x_groq is not None
            or chunk.system_fingerprint != self._fingerprint
            or chunk.service_tier != self._tier
        ):
            return False
        choice = choices[0]
        to = self._candidates.get(choice.index)
        content = plain_text(choice)
        if to is None or not to.in_text or not content:
            return False
        out.append(TextDelta(to.block, content, (), to.index))
        self._place = (to.block, to.index)
        return True

    def _odd_event(self, data: bytes, name: bytes, out: list[Chunk]) -> None:
        self._other = True
        read = read_oddly(data, name.decode("utf-8", "replace"), self._events)
        if isinstance(read, Failure):
            self._end(read, out)
            return
        chunk, extras = read
        self._odd = self._odd + 1 if extras else 0
        self._halves.join(chunk)
        if self._halves:
            self._odd = _LENIENT_AFTER  # the next event must come this way too: the other half may be in it
        self._chunk(chunk, extras, data, out)

    def _chunk(self, chunk: ChunkBody, extras: Extras | None, data: bytes, out: list[Chunk]) -> None:
        if chunk.error or not self._started or extras is not None or self._changed(chunk):
            if chunk.error:
                self._odd_event(data, b"error", out)
                return
            self._about(chunk, extras.chunk if extras is not None else {}, out)
        try:
            for at, choice in enumerate(chunk.choices or ()):
                candidate = self._candidates.get(choice.index) or self._candidate(choice.index)
                if choice.finish_reason and self._sources:
                    cite(self._sources, candidate, out)
                read_choice(choice, candidate, at, extras, out)
                if choice.finish_reason and candidate.reason == "error":
                    self._end(ended_badly(candidate.raw_reason), out)
                    return
            if chunk.usage is not None or chunk.x_groq is not None:
                self._count(chunk, out)
        except (msgspec.ValidationError, ValueError) as error:
            self._end(broken(data, self._events, str(error)), out)
        except TooManyCalls:
            self._end(broken(data, self._events, f"more than {MAX_OPEN_CALLS} tool calls are open"), out)

    def _candidate(self, index: int) -> Candidate:
        if not 0 <= index < MAX_CANDIDATES:
            raise ValueError(bad_index(index, MAX_CANDIDATES))
        found = self._candidates[index] = Candidate(index, self._numbers, self._sound_format)
        return found

    def _changed(self, chunk: ChunkBody) -> bool:
        """Whether a field of the chunk itself may say something new."""
        return (
            chunk.system_fingerprint != self._fingerprint
            or chunk.service_tier != self._tier
            or chunk.x_groq is not None
        )

    def _about(self, chunk: ChunkBody, odd: dict[str, Any], out: list[Chunk]) -> None:
        """Start the reply, or pass on the chunk's own fields that are new."""
        self._fingerprint = chunk.system_fingerprint
        self._tier = chunk.service_tier
        own = {
            "system_fingerprint": chunk.system_fingerprint,
            "service_tier": chunk.service_tier,
            "provider": chunk.provider,
            "x_groq": chunk.x_groq,
            **odd,
        }
        new = self._sticky.new(own)
        self._sources = sources_in(new) or self._sources
        if self._started:
            if new:
                out.append(VendorPart(Opaque(WIRE_NAME, new)))
            return
        self._held.update(new)
        if not chunk.id and not chunk.choices and self._sticky.holds(self._held):
            return  # Azure's word about the prompt comes before the answer has an id
        self._started = True
        vendor = Opaque(WIRE_NAME, self._held) if self._held else None
        out.append(Start(chunk.id or "", chunk.model or "", int(chunk.created or 0), vendor))

    def _count(self, chunk: ChunkBody, out: list[Chunk]) -> None:
        data = chunk.usage or (chunk.x_groq or {}).get("usage")
        if not data:
            return
        usage = usage_from(data, reasoning_beside_output=self._beside)
        if usage != self._usage:
            self._usage = usage
            out.append(UsageReport(usage))

    def _give_up_halves(self, out: list[Chunk]) -> None:
        for choice in self._halves.rest():
            read_choice(choice, self._candidates[choice.index], 0, None, out)

    def _terminator(self, out: list[Chunk]) -> None:
        self._give_up_halves(out)
        if any(one.speaking or one.reason is not None for one in self._candidates.values()):
            self._finish(True, out)
            return
        said = "the provider ended the stream without an answer: [DONE] came first"
        self._end(Failure.of(Truncated(said, code="empty_response")), out)

    def _finish(self, clean: bool, out: list[Chunk]) -> None:
        for candidate in self._candidates.values():
            clean = clean and bool(candidate.raw_reason)
            if candidate.reason is None or candidate.has_open:
                candidate.end(candidate.raw_reason, out)
        first = self._candidates[min(self._candidates)]
        self._end(Finish(first.reason or "stop", first.raw_reason, clean), out)
