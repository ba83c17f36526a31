"""A failure as the last events of a stream."""

from __future__ import annotations

from headrace.core.chunk import Failure
from headrace.wire.openai_error import error_body
from headrace.wire.terminator import DONE


def error_event(failure: Failure) -> bytes:
    """The error, at which clients raise, then the terminator."""
    return b"data: " + error_body(failure) + b"\n\n" + DONE
