"""One event that is not an ordinary chunk: odd but readable, an error in disguise, or broken."""

from __future__ import annotations

from typing import Any

import msgspec

from headrace.core.chunk import Failure
from headrace.errors import Unavailable
from headrace.wire.failing import broken_text
from headrace.wire.halves import mended, with_halves
from headrace.wire.openai_chat.extras import Extras, read_leniently
from headrace.wire.openai_chat.failure import failure_from_event
from headrace.wire.openai_chat.halves import put_back
from headrace.wire.openai_chat.schema import UNREADABLE, ChunkBody
from headrace.wire.plain import read_plain


def read_oddly(data: bytes, name: str, number: int) -> tuple[ChunkBody, Extras] | Failure:
    """The chunk in the `number`-th event, called `name`, read as plain data; or the failure that it is.

    The chunk's texts are as they came, with halves of characters; everything else is mended.
    """
    text = data.decode("utf-8", "replace")
    named_error = name == "error"
    raw: Any = None  # the data with halves of characters in it, where there are
    try:
        try:
            parsed = read_plain(text)
        except msgspec.DecodeError:
            raw = with_halves(text)
            if raw is None:
                raise
            parsed = mended(raw)
    except UNREADABLE as error:
        if named_error:
            return failure_from_event(text)
        return broken_text(text, number, f"not valid JSON ({error})")
    if named_error or (isinstance(parsed, dict) and _is_error(parsed)):
        return failure_from_event(parsed)
    if not isinstance(parsed, dict):
        return broken_text(text, number, "not a JSON object")
    try:
        chunk, extras = read_leniently(parsed)
    except UNREADABLE as error:
        return broken_text(text, number, str(error))
    if raw is not None:
        put_back(raw, chunk)
    return chunk, extras


def ended_badly(raw: str) -> Failure:
    """The failure for a candidate whose finish_reason says that the provider gave up."""
    said = f"the provider ended the answer with finish_reason {raw!r}"
    return Failure.of(Unavailable(said, code=raw))


def _is_error(data: dict[str, Any]) -> bool:
    """Whether a JSON event is an error, also one that does not say so in an `error` field."""
    if data.get("error"):
        return True
    if data.get("choices") is not None:
        return False
    return (
        data.get("object") == "error" or data.get("type") == "error" or "detail" in data or "message" in data
    )
