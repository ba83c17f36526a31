"""What came where a stream of chunks was expected: a whole answer, an error, an HTML page."""

from __future__ import annotations

from collections.abc import Mapping

from headrace.core.chunk import Failure
from headrace.errors import WireError
from headrace.wire.openai_chat.failure import failure_from_event, failure_from_response
from headrace.wire.openai_chat.schema import UNREADABLE
from headrace.wire.plain import read_plain


def read_misfit(status: int, headers: Mapping[str, str], body: bytes, provider: str) -> Failure:
    """The failure that `body` tells; it came with a good status."""
    try:
        data = read_plain(body)
    except UNREADABLE:
        return failure_from_response(status, headers, body, provider)
    if isinstance(data, dict) and "choices" in data and not data.get("error"):
        said = f"a whole {data.get('object') or 'answer'} came where a stream was asked for"
        return Failure.of(WireError(said, code="not_a_stream"))
    return failure_from_event(data)
