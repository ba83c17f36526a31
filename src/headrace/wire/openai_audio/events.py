"""What both encoders of this wire write alike."""

from __future__ import annotations

import msgspec

from headrace.core.chunk import Cancelled, Failure, Word
from headrace.core.excerpt import excerpt
from headrace.errors import ContentBlocked, StreamCancelledException
from headrace.wire.openai_audio.schema import Fields
from headrace.wire.openai_error import error_body

MAX_REFUSAL_CHARS = 1000


def event_bytes(fields: Fields) -> bytes:
    """One event."""
    return b"data: %b\n\n" % msgspec.json.encode(fields)


def error_event(failure: Failure) -> bytes:
    """The failure as the last event of a stream: clients raise at it."""
    return b"data: %b\n\n" % error_body(failure)


def as_failure(terminal: Failure | Cancelled) -> Failure:
    """A bad end as a failure."""
    if isinstance(terminal, Failure):
        return terminal
    return Failure.of(StreamCancelledException(terminal.why or "the stream was cancelled"))


def refused(text: str) -> Failure:
    """The failure for a model that refused: neither a transcript nor sound is what it said."""
    said = f"the model refused: {excerpt(text, MAX_REFUSAL_CHARS)}"
    return Failure.of(ContentBlocked(said, code="refusal"))


def more_refusal(held: str, more: str) -> str:
    """A refusal as far as it is worth holding."""
    return held + more[: max(0, MAX_REFUSAL_CHARS + 1 - len(held))]


def segment_body(segment: Word, id: str) -> Fields:
    """A segment as the vendor's diarized ones are written."""
    return {
        "id": id,
        "start": segment.start_s,
        "end": segment.end_s,
        "text": segment.text,
        "speaker": segment.speaker,
    }
