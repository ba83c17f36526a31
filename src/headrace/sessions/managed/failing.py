"""How a managed stream failed -> the exception that its readers get."""

from __future__ import annotations

from headrace.core.chunk import Failure
from headrace.errors import (
    Gap,
    SlowReader,
    StreamCancelledException,
    StreamGenerationException,
    StreamingError,
    StreamTimeoutException,
)
from headrace.sessions.managed.types import StreamError
from headrace.stream.push import Raised

# What a reader tells apart by the class; all else is the generation's failure, with its cause.
_TOLD_APART = (StreamTimeoutException, StreamCancelledException, SlowReader, Gap)


def exception_of(failure: Failure, stream_id: str) -> StreamingError:
    """The documented exception. Its cause is the typed error, or what a generator of the user's raised."""
    cause = failure.exception if isinstance(failure, Raised) else failure.error()
    if isinstance(cause, _TOLD_APART):
        cause.stream_id = stream_id
        return cause
    error = StreamGenerationException(
        failure.message,
        stream_id=stream_id,
        error=StreamError.of(failure),
        code=failure.code,
        retryable=failure.retryable,
        http_status=failure.http_status,
    )
    error.__cause__ = cause
    return error


def value_of(failure: Failure) -> StreamError:
    """The failure that a reader got, as a value."""
    error = failure.exception if isinstance(failure, Raised) else None
    known = error.error if isinstance(error, StreamGenerationException) else None
    return known if isinstance(known, StreamError) else StreamError.of(failure)
