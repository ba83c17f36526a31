"""The values of managed streams: what is asked, the envelopes, what went wrong, what was measured."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from headrace.core.chunk import Failure
from headrace.core.usage import Usage
from headrace.errors import StreamCancelledException, StreamTimeoutException


class StreamType(StrEnum):
    """What a stream is of. REALTIME is refused: it is not there yet."""

    CHAT = "chat"
    COMPLETION = "completion"
    AUDIO = "audio"
    REALTIME = "realtime"


class StreamStatus(StrEnum):
    """How a stream is. paused: nobody who reads it keeps up, and its source is held."""

    INITIALIZING = "initializing"
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    TIMEOUT = "timeout"


class ErrorSeverity(StrEnum):
    """info: somebody wished it so. warning: asking again may help. critical: it will not."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"


class StreamContext(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is known of a stream before its first chunk, as its generator and the trackers are told it.

    endpoint: the path that was asked. timeout_seconds: for the whole stream, None: no limit.
    chunk_delay_seconds: least time between two chunks. prompt_tokens, temperature, max_tokens: the request's,
    None where it did not say. client_id: who asked, empty where unknown.
    """

    stream_id: str
    stream_type: StreamType
    model: str = ""
    endpoint: str = ""
    timeout_seconds: float | None = None
    chunk_delay_seconds: float = 0.0
    prompt_tokens: int | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    client_id: str = ""


class StreamChunk(msgspec.Struct, frozen=True, omit_defaults=True):
    """The envelope of one piece.

    sequence_number: from 0, without a gap; readers of any number see the same ones. data: plain data (what
    JSON has, and bytes); of the generators here, a streamed object of OpenAI's. token_count: tokens in it, as
    the model tells; 1 for a piece of which it does not. is_last: where the generator can tell; that a stream
    is whole shows in its iteration ending without an error.
    """

    chunk_id: str
    sequence_number: int
    data: Any
    chunk_type: str = "data"
    token_count: int = 0
    is_first: bool = False
    is_last: bool = False


_CODES = {StreamTimeoutException.kind: "stream_timeout", StreamCancelledException.kind: "stream_cancelled"}


class StreamError(msgspec.Struct, frozen=True, omit_defaults=True):
    """What went wrong, as a value. The exceptions of streams are in `headrace.errors`.

    recoverable: whether the same request may succeed later. retry_after_seconds: where somebody said so.
    """

    error_code: str
    message: str
    severity: ErrorSeverity = ErrorSeverity.ERROR
    recoverable: bool = False
    retry_after_seconds: float | None = None

    @classmethod
    def of(cls, failure: Failure) -> StreamError:
        """A failure as this value."""
        if failure.kind == StreamCancelledException.kind:
            severity = ErrorSeverity.INFO
        elif failure.kind == StreamTimeoutException.kind:
            severity = ErrorSeverity.ERROR
        else:
            severity = ErrorSeverity.WARNING if failure.retryable else ErrorSeverity.CRITICAL
        return cls(
            _CODES.get(failure.kind) or failure.code or failure.kind,
            failure.message,
            severity,
            failure.retryable,
            failure.detail.get("retry_after_s"),
        )


class StreamMetrics(msgspec.Struct, omit_defaults=True):
    """What was measured of a stream; None where nothing was.

    Times are Unix seconds, and their differences those of a monotonic clock. completion_time: when it ended,
    however it did. total_tokens: as the chunks count them; once the source has reported its usage, that.
    total_bytes: of the records in the log. backpressure_events: how often its source was held back.
    """

    stream_id: str
    start_time: float
    first_chunk_time: float | None = None
    last_chunk_time: float | None = None
    completion_time: float | None = None
    total_chunks: int = 0
    total_tokens: int = 0
    total_bytes: int = 0
    backpressure_events: int = 0
    usage: Usage | None = None

    def time_to_first_chunk_ms(self) -> float | None:
        """Milliseconds from the start to the first chunk."""
        return _ms(self.start_time, self.first_chunk_time)

    def total_duration_ms(self) -> float | None:
        """Milliseconds from the start to the end."""
        return _ms(self.start_time, self.completion_time)

    def tokens_per_second(self) -> float | None:
        """All tokens over the time from the first chunk to the last; None where that is none."""
        took_ms = None if self.first_chunk_time is None else _ms(self.first_chunk_time, self.last_chunk_time)
        return self.total_tokens * 1000 / took_ms if took_ms else None


def _ms(since_s: float, until_s: float | None) -> float | None:
    return None if until_s is None else (until_s - since_s) * 1000
