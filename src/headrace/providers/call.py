"""A row, a wire and a transport together: one remote answer as a Source."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeAlias, TypeVar, cast

import msgspec

from headrace.config import Clocks, Secret
from headrace.core.chunk import TERMINALS, Cancelled, Failure, Finish, Terminal
from headrace.core.model import Sink
from headrace.core.stage import Stage
from headrace.errors import HeadraceError, Truncated
from headrace.providers.clock import AnswerClock
from headrace.providers.received import dated
from headrace.providers.scrub import scrubbed
from headrace.transport.http import Call, HttpRequest, Sender
from headrace.transport.wheel import Deadline

T = TypeVar("T")
BodyStage: TypeAlias = Callable[[str], Stage[bytes, Any] | None]
_TERMINAL_TYPES = frozenset(TERMINALS)
MAX_ERROR_BYTES = 65_536
# After the terminal only the body's own end is due: a moment for it buys the connection's next use.
DRAIN_S = 1.0
DRAIN_BYTES = 65_536


class CallPlan(msgspec.Struct, frozen=True):
    """How one model's answers are read.

    failure: (status, headers, body, provider) of an answer that is not a good stream -> the typed failure.
    body_stage: (content type) of a good answer of another type -> the stage that reads it, None for a type
    that is no answer. Only the proper end of its body says that such an answer is complete.
    """

    provider: str
    content_type: str
    failure: Callable[[int, Mapping[str, str], bytes, str], Failure]
    clocks: Clocks
    secrets: tuple[Secret, ...] = ()
    body_stage: BodyStage | None = None


class ProviderSource(Generic[T]):
    """One request to a remote place, as a `Source`; a transport `Receiver` towards the other side.

    stage: bytes -> items and, last, one terminal. is_content: whether a batch holds a part of the answer, the
    only sign of life that the clocks take; asked once of each batch.
    """

    __slots__ = (
        "_body",
        "_call",
        "_clock",
        "_drain",
        "_ends_with_body",
        "_is_content",
        "_now_s",
        "_paused",
        "_plan",
        "_request",
        "_sender",
        "_sink",
        "_stage",
        "_waits",
    )

    def __init__(
        self,
        plan: CallPlan,
        request: HttpRequest,
        sender: Sender,
        stage: Stage[bytes, T | Terminal],
        is_content: Callable[[Sequence[T]], bool],
    ) -> None:
        self._plan = plan
        self._request: HttpRequest | None = request
        self._sender = sender
        self._now_s = sender.wheel.now_s
        self._stage: Stage[bytes, T | Terminal] | None = stage
        self._is_content = is_content
        self._ends_with_body = False
        self._waits = True  # for the first token
        self._paused = False
        self._sink: Sink[T] | None = None  # set from start to the terminal
        self._call: Call | None = None
        self._clock: AnswerClock | None = None
        self._drain: Deadline | None = None
        self._body: _Body | None = None  # what is collected instead of fed: an error's body, or the drain

    def start(self, sink: Sink[T], /) -> None:
        request, self._request = self._request, None
        if request is None:  # cancelled before its start
            asyncio.get_running_loop().call_soon(sink.end, Cancelled("cancelled before it began"))
            return
        self._sink = sink
        self._clock = AnswerClock(self._sender.wheel, self._plan.clocks, self._expired)
        try:
            self._call = self._sender.send(request, self, connect_s=self._plan.clocks.connect_s)
        except HeadraceError as error:
            asyncio.get_running_loop().call_soon(self._end, Failure.of(error))
            return
        if self._paused:
            self.pause()

    def pause(self) -> None:
        self._paused = True
        if self._call is not None and self._sink is not None:
            self._call.pause()
            cast("AnswerClock", self._clock).pause()

    def resume(self) -> None:
        self._paused = False
        if self._call is not None and self._sink is not None:
            self._call.resume()
            cast("AnswerClock", self._clock).resume()

    def cancel(self) -> None:
        self._request = None
        self._end(Cancelled("the reader stopped the answer"))

    # The transport's side.

    def head(self, status: int, headers: Mapping[str, str], /) -> None:
        content_type = headers.get("content-type", "")
        media_type = content_type.partition(";")[0].strip().lower()
        if status == 200 and media_type in ("", self._plan.content_type):
            return
        other = self._plan.body_stage(content_type) if status == 200 and self._plan.body_stage else None
        if other is None:
            self._body = _Body(status, dated(headers))
        elif self._stage is not None:
            self._stage = other
            self._ends_with_body = True

    def data(self, data: bytes, /) -> None:
        stage = self._stage
        if self._body is not None:
            self._collect(self._body, data)
        elif stage is not None:
            batch = stage.feed((data,))
            if not batch:
                return
            if self._waits or type(batch[-1]) in _TERMINAL_TYPES:
                self._give(batch)
                return
            # The ordinary piece of a running answer: no more than the note of its time.
            if self._is_content(batch):  # type: ignore[arg-type]
                self._clock.since_s = self._now_s()  # type: ignore[union-attr]
            self._sink.push(batch)  # type: ignore[union-attr, arg-type]

    def done(self) -> None:
        self._call = None
        self._finish(None)

    def lost(self, failure: Failure, /) -> None:
        self._call = None
        self._finish(failure)

    def _give(self, batch: Sequence[T | Terminal]) -> None:
        """Push a batch; where a terminal is its last, end."""
        last = batch[-1]
        terminal = cast("Terminal", last) if type(last) in _TERMINAL_TYPES else None
        items = cast("Sequence[T]", batch if terminal is None else batch[:-1])
        sink, clock = self._sink, self._clock
        if sink is None or clock is None:
            return
        if items:
            if self._is_content(items):
                if self._waits:
                    self._waits = False
                    clock.answering()
                else:
                    clock.since_s = self._now_s()
            sink.push(items)
        if terminal is not None:
            self._end(terminal)

    def _finish(self, failure: Failure | None) -> None:
        """The exchange is over. failure: the transport's, None for a good end of the body."""
        body, stage = self._body, self._stage
        if self._sink is None:
            self._drop()
        elif body is not None:
            self._end(self._answered(body))
        elif stage is not None:
            cut = failure if self._ends_with_body else None
            rest = list(stage.close()) if cut is None else [cut]
            if not rest or not isinstance(rest[-1], TERMINALS):
                rest.append(
                    failure or Failure.of(Truncated("the answer stopped without saying it was complete"))
                )
            elif failure is not None and not isinstance(rest[-1], Finish):
                rest[-1] = failure  # "reset" says more than "truncated"
            self._give(rest)

    def _collect(self, body: _Body, data: bytes) -> None:
        body.take(data)
        if body.full:
            if self._sink is None:
                self._drop()
            else:
                self._end(self._answered(body))

    def _answered(self, body: _Body) -> Failure:
        return self._plan.failure(body.status, body.headers, bytes(body.data), self._plan.provider)

    def _expired(self, failure: Failure) -> None:
        # An error whose body drips is still that error.
        self._end(failure if self._body is None else self._answered(self._body))

    def _end(self, terminal: Terminal) -> None:
        """Once: the terminal goes out; the connection is given back if it may be, else closed."""
        sink, self._sink = self._sink, None
        if sink is None:
            self._drop_if_cancelled(terminal)
            return
        if self._clock is not None:
            self._clock.stop()
        self._clock = self._stage = None
        if isinstance(terminal, Finish) and self._call is not None:
            self._body = _Body(0, {}, DRAIN_BYTES)
            self._call.resume()
            self._drain = self._sender.wheel.after(DRAIN_S, self._drop)
        else:
            self._drop()
        if isinstance(terminal, Failure):
            terminal = scrubbed(terminal, self._plan.secrets, self._plan.provider)
        sink.end(terminal)

    def _drop_if_cancelled(self, terminal: Terminal) -> None:
        if isinstance(terminal, Cancelled):
            self._drop()

    def _drop(self) -> None:
        call, self._call = self._call, None
        self._body = None
        if self._drain is not None:
            self._drain.cancel()
            self._drain = None
        if call is not None:
            call.cancel()


class _Body:
    """A body that is collected up to a bound."""

    __slots__ = ("_max_bytes", "data", "headers", "status")

    def __init__(self, status: int, headers: Mapping[str, str], max_bytes: int = MAX_ERROR_BYTES) -> None:
        self.status = status
        self.headers = headers
        self.data = bytearray()
        self._max_bytes = max_bytes

    @property
    def full(self) -> bool:
        return len(self.data) >= self._max_bytes

    def take(self, data: bytes) -> None:
        self.data += data[: self._max_bytes - len(self.data)]
