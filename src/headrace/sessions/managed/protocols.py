"""What users may bring: generators, formatters, trackers. Each matches by structure."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Protocol, runtime_checkable

from headrace.sessions.managed.types import StreamChunk, StreamContext, StreamError


@runtime_checkable
class StreamingGenerator(Protocol):
    """Makes the chunks of a stream out of a whole response; an `async def` with `yield` is one.

    The manager gives every chunk its `sequence_number` and `is_first`. The generator is closed where it waits
    when the stream is cancelled or its time is over.
    """

    def generate(self, context: StreamContext, full_response: Any) -> AsyncIterator[StreamChunk]:
        """The chunks, as they are made."""


@runtime_checkable
class ChunkFormatter(Protocol):
    """Writes envelopes for those who read. Its functions may be static: then the class itself is one."""

    def format(self, chunk: StreamChunk) -> str:
        """One chunk."""

    def format_error(self, error: StreamError) -> str:
        """How the stream failed; empty where the format has no word for it: then it is raised."""

    def format_done(self) -> str:
        """The end of it."""


class RequestTracker(Protocol):
    """What a manager tells its `metrics_tracker`: requests, tokens and errors by endpoint."""

    def record_request(self, endpoint: str, model: str) -> object:
        """A stream has begun."""

    def record_tokens(self, endpoint: str, count: int) -> object:
        """So many tokens came, of a stream that has ended."""

    def record_response(self, endpoint: str, latency_seconds: float) -> object:
        """A stream has ended well, so long after its beginning."""

    def record_error(self, endpoint: str, error_code: str) -> object:
        """A stream has ended otherwise."""


class StreamTracker(Protocol):
    """What a manager tells its `streaming_metrics_tracker`: each stream, token by token."""

    def start_stream(
        self,
        stream_id: str,
        model: str,
        prompt_tokens: int | None,
        temperature: float | None,
        max_tokens: int | None,
        client_id: str,
    ) -> object:
        """A stream has begun."""

    def record_token(self, stream_id: str, token: str) -> object:
        """A chunk with this text came, now."""

    def complete_stream(self, stream_id: str, finish_reason: str, client_id: str) -> object:
        """It has ended well."""

    def cancel_stream(self, stream_id: str, error_message: str, client_id: str) -> object:
        """It has ended otherwise."""
