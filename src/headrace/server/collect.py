"""A source's pushes -> one body, for a client that does not stream."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

import msgspec

from headrace.core.chunk import Cancelled, Chunk, Failure, Finish, Terminal, UsageReport
from headrace.core.fold import ReplyFold
from headrace.core.model import Source
from headrace.core.reply import Reply
from headrace.core.usage import Usage
from headrace.errors import StreamCancelledException, StreamingError, Truncated
from headrace.metrics.counters import Tally
from headrace.server.exchange import Exchange, Fields
from headrace.server.problem import INTERNAL, respond_problem
from headrace.sessions.produce import Report

_GONE = Cancelled("the client went away")
_EMPTY = Failure.of(Truncated("the model ended without an answer", code="empty_response"))
_JSON = msgspec.json.Encoder()
logger = logging.getLogger("headrace.server")


class CollectSink:
    """Gathers a whole reply and answers with one body; any failure is a real HTTP status.

    model: its id, for the tally. body: the reply in the client's protocol, or why it cannot be said in it.
    fields: response headers.
    max_bytes: of the reply's chunks, written as JSON; past that the source is cancelled and the answer
    is a 502. has_answer: whether a reply that ended well says anything.
    """

    __slots__ = (
        "_body",
        "_exchange",
        "_fields",
        "_fold",
        "_has_answer",
        "_left_bytes",
        "_max_bytes",
        "_model",
        "_report",
        "_source",
        "_told_usage",
    )

    def __init__(
        self,
        exchange: Exchange,
        model: str,
        body: Callable[[Reply], bytes | Failure],
        report: Report,
        *,
        max_bytes: int,
        fields: Fields,
        has_answer: Callable[[Reply], bool] = lambda reply: bool(reply.candidates),
    ) -> None:
        self._exchange: Exchange | None = exchange
        self._model = model
        self._body = body
        self._report = report
        self._max_bytes = self._left_bytes = max_bytes
        self._fields = fields
        self._has_answer = has_answer
        self._fold = ReplyFold()
        self._told_usage: Usage | None = None
        self._source: Source[Chunk] | None = None

    def begin(self, source: Source[Chunk]) -> None:
        """Start the source and answer the exchange when it has ended."""
        assert self._exchange is not None
        self._source = source
        self._exchange.listener = self
        source.start(self)

    def push(self, batch: Sequence[Chunk], /) -> None:
        if self._exchange is None:
            return
        # As JSON every kind of chunk counts all that it holds, an empty one too; 0.1 us for a small one.
        self._left_bytes -= len(_JSON.encode(batch))
        for chunk in batch:
            if type(chunk) is UsageReport:
                self._told_usage = chunk.usage
        if self._left_bytes < 0:
            self._give_up(_too_large(self._max_bytes))
        else:
            self._fold.feed(batch)

    def end(self, terminal: Terminal, /) -> None:
        self._source = None
        if isinstance(terminal, Cancelled):
            why = terminal.why or "the answer was cancelled"
            self._give_up(Failure.of(StreamCancelledException(why, http_status=503)), terminal)
        elif isinstance(terminal, Failure):
            self._give_up(terminal)
        elif self._exchange is not None:
            try:
                self._fold.feed((terminal,))
                reply = self._fold.reply()
                body = self._body(reply) if self._has_answer(reply) else _EMPTY
            except Exception:
                logger.exception("the body of an answer failed")  # the client would wait for ever
                body = INTERNAL
            self._complete(body, terminal)

    def on_pause(self) -> None:
        """Nothing is written before the end."""

    def on_resume(self) -> None:
        """Nothing is written before the end."""

    def on_lost(self) -> None:
        self._settle(_GONE, lost=True)

    def on_shutdown(self, failure: Failure) -> None:
        self._give_up(failure)

    def _complete(self, body: bytes | Failure, terminal: Finish) -> None:
        if isinstance(body, Failure):
            self._give_up(body)
            return
        exchange = self._settle(terminal)
        if exchange is not None:
            exchange.respond(200, self._fields, body)

    def _give_up(self, failure: Failure, terminal: Terminal | None = None) -> None:
        """Answer with `failure`; the tally says `terminal` where that is not the same."""
        exchange = self._settle(terminal or failure)
        if exchange is not None:
            respond_problem(exchange, failure)

    def _settle(self, terminal: Terminal, *, lost: bool = False) -> Exchange | None:
        """The exchange, once; None when it has been answered. What was gathered is let go of."""
        exchange, self._exchange = self._exchange, None
        source, self._source = self._source, None
        self._fold = ReplyFold()
        if exchange is None:
            return None
        exchange.listener = None
        duration_s = exchange.wheel.now_s() - exchange.began_s
        self._report(Tally(self._model, terminal, duration_s, None, self._told_usage, lost))
        if source is not None:
            source.cancel()
        return exchange


def _too_large(max_bytes: int) -> Failure:
    message = (
        f"the answer is larger than max_reply_bytes, {max_bytes} bytes: ask for it as a stream, or for less"
    )
    return Failure.of(StreamingError(message, code="reply_too_large"))
