"""Envelopes -> what goes to readers: server-sent events, lines of JSON, plain text.

JSON has no bytes: they go out as base64.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from headrace.sessions.managed.types import StreamChunk, StreamError

_encoder = msgspec.json.Encoder()


def text_of(data: Any) -> str:
    """The text of an envelope's data: of a streamed chat or completion, a transcript, or `data` itself."""
    if isinstance(data, str):
        return data
    if not isinstance(data, Mapping):
        return ""
    for place in (data, *(choice for choice in _listed(data.get("choices")) if not choice.get("index"))):
        for piece in (place, place.get("delta")):
            if isinstance(piece, Mapping):
                for name in ("content", "text", "transcript"):
                    if isinstance(piece.get(name), str):
                        return str(piece[name])
    return ""


def _listed(choices: Any) -> list[Mapping[str, Any]]:
    return [one for one in choices if isinstance(one, Mapping)] if isinstance(choices, list) else []


def _json(value: Any) -> str:
    return _encoder.encode(value).decode("utf-8")


class SSEFormatter:
    """Server-sent events: the data of each envelope as JSON, and `[DONE]`."""

    @staticmethod
    def format(chunk: StreamChunk) -> str:
        """`data: {...}` and a blank line."""
        return f"data: {_json(chunk.data)}\n\n"

    @staticmethod
    def format_error(error: StreamError) -> str:
        """An event whose data has an `error`, in the form that OpenAI's clients raise at."""
        fields: dict[str, Any] = {"message": error.message, "type": error.severity, "code": error.error_code}
        fields["recoverable"] = error.recoverable
        if error.retry_after_seconds is not None:
            fields["retry_after_seconds"] = error.retry_after_seconds
        return f"data: {_json({'error': fields})}\n\n"

    @staticmethod
    def format_done() -> str:
        """The terminator."""
        return "data: [DONE]\n\n"


class JSONLinesFormatter:
    """A line of JSON an envelope, whose `type` is data, error or done."""

    @staticmethod
    def format(chunk: StreamChunk) -> str:
        """The envelope with all its fields."""
        return _line(
            "data",
            sequence=chunk.sequence_number,
            chunk_id=chunk.chunk_id,
            chunk_type=chunk.chunk_type,
            data=chunk.data,
            token_count=chunk.token_count,
            is_first=chunk.is_first,
            is_last=chunk.is_last,
        )

    @staticmethod
    def format_error(error: StreamError) -> str:
        """The error with all its fields."""
        return _line("error", **msgspec.structs.asdict(error))

    @staticmethod
    def format_done() -> str:
        """The last line: what was whole has no error before it."""
        return _line("done")


def _line(kind: str, **fields: Any) -> str:
    return _json({"type": kind, **fields}) + "\n"


class PlainTextFormatter:
    """The text alone; joined, it is the answer's. It has no word for an error: that is raised."""

    @staticmethod
    def format(chunk: StreamChunk) -> str:
        """The text of the first candidate, empty where the chunk has none."""
        return text_of(chunk.data)

    @staticmethod
    def format_error(_error: StreamError) -> str:
        """Nothing."""
        return ""

    @staticmethod
    def format_done() -> str:
        """Nothing."""
        return ""
