"""Same wire in and out: whole events pass as they came, checked and counted, never rewritten."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from headrace.core.chunk import Failure, Finish, Terminal
from headrace.core.usage import Usage
from headrace.errors import Truncated
from headrace.framing.frames import Frame, FrameSplitter
from headrace.wire.base import NO_QUIRKS
from headrace.wire.failing import bad_index, broken
from headrace.wire.misfit import Misfit
from headrace.wire.openai_chat.event import ended_badly, read_oddly
from headrace.wire.openai_chat.failure import error_event
from headrace.wire.openai_chat.finish import reason_from
from headrace.wire.openai_chat.misfit import read_misfit
from headrace.wire.openai_chat.says import only_thinks, says
from headrace.wire.openai_chat.schema import CONTENT, MAX_CANDIDATES, UNREADABLE, ChunkBody
from headrace.wire.openai_chat.usage import usage_from
from headrace.wire.surroundings import Surroundings
from headrace.wire.terminator import BRACKET, DONE, is_done


class _Function(msgspec.Struct, gc=False):
    name: str | None = None
    arguments: str | dict[str, Any] | None = None


class _Custom(msgspec.Struct, gc=False):
    name: str | None = None
    input: str | None = None


class _Call(msgspec.Struct, gc=False):
    index: int | None = None
    function: _Function | None = None
    custom: _Custom | None = None


class _Audio(msgspec.Struct, gc=False):
    data: str | None = None
    transcript: str | None = None


class _Delta(msgspec.Struct, gc=False):
    content: str | list[Any] | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    reasoning_details: list[Any] | None = None
    refusal: str | None = None
    tool_calls: list[_Call] | None = None
    function_call: _Function | None = None
    audio: _Audio | None = None
    images: list[Any] | None = None


class _Choice(msgspec.Struct, gc=False):
    delta: _Delta | None = None
    index: int = 0
    finish_reason: str | None = None


class _Event(msgspec.Struct, gc=False):
    """The fields a relay looks at; the decoder skips the rest, checking only that it is JSON."""

    choices: list[_Choice] | None = None
    usage: dict[str, Any] | None = None
    x_groq: dict[str, Any] | None = None
    error: Any = None


_ODD = _Event()  # stands for an event that does not fit: it is read again as plain data
_read = msgspec.json.Decoder(_Event).decode
_ONLY_0 = {0}


class ChatRelay:
    """A stage: bytes in any split -> the bytes to forward and, last, one terminal.

    An event leaves when it is whole and good, so a client never sees half of one; an event that breaks the
    wire or is an error does not leave: it is the `Failure`. The verdict is the decoder's own, of what both
    read. A relay is cheap because it does not read all: not the base64 of sound and images, not how many
    calls are open (it keeps none), not the fields beside the answer (log probabilities, annotations, ids),
    so what is wrong in there, such as a number that no double holds, is the client's to see.

    include_usage: whether the client asked for the event that carries usage alone (it is left out where not).
    usage: what the provider reported, once it has. content_events: events with a part of the answer in them.
    """

    __slots__ = (
        "_around",
        "_beside",
        "_done",
        "_ended",
        "_events",
        "_frames",
        "_include_usage",
        "_max_event_bytes",
        "_misfit",
        "_ordinary",
        "_reasons",
        "_seen",
        "content_events",
        "reasoning_events",
        "usage",
    )

    def __init__(
        self,
        include_usage: bool,
        quirks: Mapping[str, Any] = NO_QUIRKS,
        *,
        max_event_bytes: int = 16 * 2**20,
    ) -> None:
        self._beside = bool(quirks.get("reasoning_beside_output"))
        self.content_events = 0
        self.reasoning_events = 0
        self.usage: Usage | None = None
        self._include_usage = include_usage
        self._max_event_bytes = max_event_bytes
        self._frames = FrameSplitter(max_event_bytes)
        self._misfit: Misfit | None = Misfit(read_misfit)
        self._seen: set[int] = set()
        self._ended: set[int] = set()
        self._reasons: dict[int, str] = {}  # of each candidate that has ended, also if it went on
        self._events = 0
        self._done = False
        self._around = Surroundings(CONTENT, max_event_bytes)
        self._ordinary = False  # in the middle of candidate 0's answer, with nothing held

    def feed(self, batch: Sequence[bytes]) -> Sequence[bytes | Terminal]:
        """What `batch` makes ready to forward."""
        if self._ordinary and len(batch) == 1:
            if self._around.known and self._around.text(batch[0]) is not None:
                self._events += 1
                self.content_events += 1
                return batch
            if self._piece(batch[0]):
                return batch
        out = self._any(batch)
        # 0 has begun and is alone, nobody has ended, no frame is held: what comes next is likely a piece.
        self._ordinary = (
            not self._done
            and self._misfit is None
            and not self._ended
            and self._seen == _ONLY_0
            and not self._frames.held_bytes
        )
        return out

    def _piece(self, data: bytes) -> bool:
        """Whether a read is one ordinary event with one piece of text, which passes: the short cut.

        It is what nearly every read of a slow stream is. Anything else is left to the general way.
        """
        if data[:6] != b"data: " or data[-2:] != b"\n\n" or b"\r" in data:
            return False
        size = len(data)
        if data.find(b"\n") != size - 2 or size > self._max_event_bytes:
            return False
        try:
            event = _read(data[6:-2])
        except UNREADABLE:
            return False
        choices = event.choices
        if choices is None or len(choices) != 1 or not _only_text(choices[0]):
            return False
        if event.usage is not None or event.error or event.x_groq is not None:
            return False
        self._around.learn(data)
        self._events += 1
        self.content_events += 1
        return True

    def _any(self, batch: Sequence[bytes]) -> list[bytes | Terminal]:
        out: list[bytes | Terminal] = []
        for data in batch:
            if self._done:
                break
            if self._misfit is not None and not self._fits(data, out):
                continue
            bodies = self._frames.bodies(data)
            if bodies is None:
                self._framed(self._frames.feed(data), out)
            else:
                self._whole(bodies, data, out)
        return out

    def _whole(self, bodies: list[bytes], data: bytes, out: list[bytes | Terminal]) -> None:
        """A read of ordinary events: mostly all pass, and it is forwarded as the one piece it came in."""
        kept: list[bytes] | None = None  # None while all have passed
        terminal: Terminal | None = None
        for place, body in enumerate(bodies):
            verdict = self._look(body, "") if body else True
            if verdict is True:
                if kept is not None:
                    kept.append(body)
                continue
            kept = bodies[:place] if kept is None else kept
            if verdict is not False:
                terminal = verdict
                if isinstance(verdict, Finish):
                    kept.append(body)
                break
        if kept is None:
            out.append(data)
        elif kept:
            out.append(b"".join([b"data: %b\n\n" % body for body in kept]))
        if terminal is not None:
            self._done = True
            out.append(terminal)

    def _framed(self, frames: Sequence[Frame | Failure], out: list[bytes | Terminal]) -> None:
        for frame in frames:
            verdict = (
                frame if isinstance(frame, Failure) else not frame.data or self._look(frame.data, frame.event)
            )
            if isinstance(frame, Frame) and (verdict is True or isinstance(verdict, Finish)):
                out.append(frame.raw)
            if not isinstance(verdict, bool):
                self._done = True
                out.append(verdict)
                return

    def close(self) -> list[bytes | Terminal]:
        """The end of input. A missing `[DONE]` is written for the client where the answer was whole."""
        if self._done:
            return []
        self._done = True
        if self._misfit is not None and self._misfit.found:
            return [self._misfit.failure()]
        if self._seen and self._seen == self._ended:
            return [DONE, self._finish(False)]
        said = f"the stream ended after {self._events} events without a finish_reason"
        return [Failure.of(Truncated(said))]

    def failed(self, failure: Failure) -> bytes:
        """The failure as the last bytes of a stream that has begun."""
        return error_event(failure)

    def _fits(self, data: bytes, out: list[bytes | Terminal]) -> bool:
        misfit = self._misfit
        if misfit is None or not misfit.take(data):
            self._misfit = None if misfit is not None and misfit.settled else misfit
            return True
        if misfit.full:
            self._done = True
            out.append(misfit.failure())
        return False

    def _look(self, data: bytes, name: str) -> bool | Terminal:
        """Whether an event may pass, or the terminal that it is. data: not empty."""
        if data[0] == BRACKET and is_done(data):
            return self._terminator()
        self._events += 1
        event: _Event | ChunkBody
        try:
            event = _read(data)
        except UNREADABLE:
            event = _ODD
        if event.choices is None or event.error or name == "error":
            read = read_oddly(data, name, self._events)
            if isinstance(read, Failure):
                return read
            event = read[0]
        for choice in event.choices or ():
            failure = self._choice(choice, data)
            if failure is not None:
                return failure
        if event.usage is not None or event.x_groq is not None:
            return self._count(event, data)
        return True

    def _choice(self, choice: Any, data: bytes) -> Failure | None:
        index: int = choice.index
        if index not in self._seen:
            if not 0 <= index < MAX_CANDIDATES:
                return broken(data, self._events, bad_index(index, MAX_CANDIDATES))
            self._seen.add(index)
        delta = choice.delta
        if delta is not None and says(delta):
            self.content_events += 1
            if only_thinks(delta):
                self.reasoning_events += 1
            if self._ended:
                self._ended.discard(index)
        return self._end(index, choice.finish_reason) if choice.finish_reason else None

    def _count(self, event: _Event | ChunkBody, data: bytes) -> bool | Failure:
        """Take the usage; the event that carries nothing else passes only to a client that asked for it."""
        usage = event.usage or (event.x_groq.get("usage") if event.x_groq else None)
        if not usage:
            return True
        try:
            self.usage = usage_from(usage, reasoning_beside_output=self._beside)
        except msgspec.ValidationError as error:
            return broken(data, self._events, str(error))
        return bool(event.choices) or self._include_usage

    def _end(self, index: int, raw: str) -> Failure | None:
        if reason_from(raw) == "error":
            return ended_badly(raw)
        self._ended.add(index)
        self._reasons[index] = raw
        return None

    def _terminator(self) -> Terminal:
        if not self._ended and not self.content_events:
            said = "the provider ended the stream without an answer: [DONE] came first"
            return Failure.of(Truncated(said, code="empty_response"))
        return self._finish(len(self._seen) == len(self._reasons))

    def _finish(self, clean: bool) -> Finish:
        raw = self._reasons.get(min(self._seen), "")
        return Finish(reason_from(raw) if raw else "stop", raw, clean)


def _only_text(choice: _Choice) -> bool:
    delta = choice.delta
    if choice.index or choice.finish_reason or delta is None:
        return False
    content = delta.content
    return bool(content) and type(content) is str
