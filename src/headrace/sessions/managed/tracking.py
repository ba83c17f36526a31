"""Telling a user's trackers. What they raise is counted and logged once, and harms no stream."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from headrace.core.chunk import Failure, Finish, Terminal
from headrace.errors import StreamCancelledException
from headrace.sessions.managed.formatters import text_of
from headrace.sessions.managed.protocols import RequestTracker, StreamTracker
from headrace.sessions.managed.types import StreamChunk, StreamContext, StreamError, StreamMetrics
from headrace.stream.shape import Tap


class Tracking:
    """The trackers of one manager; None where there is no such one."""

    def __init__(self, requests: RequestTracker | None, streams: StreamTracker | None) -> None:
        self._requests = requests
        self._streams = streams
        self._tap: Tap[Callable[[], Any]] = Tap(lambda tell: tell())

    @property
    def errors(self) -> int:
        """How often a tracker raised."""
        return self._tap.errors

    def began(self, context: StreamContext) -> None:
        requests, streams = self._requests, self._streams
        if requests is not None:
            self._tap.show(lambda: requests.record_request(context.endpoint, context.model))
        if streams is not None:
            self._tap.show(
                lambda: streams.start_stream(
                    stream_id=context.stream_id,
                    model=context.model,
                    prompt_tokens=context.prompt_tokens,
                    temperature=context.temperature,
                    max_tokens=context.max_tokens,
                    client_id=context.client_id,
                )
            )

    def came(self, stream_id: str, chunks: Sequence[StreamChunk]) -> None:
        streams = self._streams
        if streams is None:
            return
        for chunk in chunks:
            text = text_of(chunk.data)
            if text:
                self._tap.show(lambda text=text: streams.record_token(stream_id=stream_id, token=text))  # type: ignore[misc]

    def ended(
        self, context: StreamContext, terminal: Terminal, metrics: StreamMetrics, finish_reason: str
    ) -> None:
        """terminal: a Failure where it did not end well, a cancelled one too."""
        well = isinstance(terminal, Finish)
        error = StreamError.of(terminal) if isinstance(terminal, Failure) else None
        requests, streams = self._requests, self._streams
        if requests is not None:
            self._tap.show(lambda: requests.record_tokens(context.endpoint, metrics.total_tokens))
            if well:
                took_s = (metrics.total_duration_ms() or 0.0) / 1000
                self._tap.show(lambda: requests.record_response(context.endpoint, took_s))
            else:
                code = error.error_code if error is not None else "stream_cancelled"
                self._tap.show(lambda: requests.record_error(context.endpoint, code))
        if streams is not None:
            which = {"stream_id": context.stream_id, "client_id": context.client_id}
            if well:
                self._tap.show(lambda: streams.complete_stream(finish_reason=finish_reason, **which))
            else:
                self._tap.show(lambda: _ended_badly(streams, terminal, which))


def _ended_badly(streams: StreamTracker, terminal: Terminal, which: dict[str, str]) -> None:
    """A tracker with a `fail_stream`, which the documented ones have not, is told failures apart."""
    failed = isinstance(terminal, Failure) and terminal.kind != StreamCancelledException.kind
    if failed and hasattr(streams, "fail_stream"):
        streams.fail_stream(failure=terminal, **which)
        return
    message = terminal.message if isinstance(terminal, Failure) else "the stream was cancelled"
    streams.cancel_stream(error_message=message, **which)
