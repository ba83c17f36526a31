"""A line with more fields than the schema has: what we know of it, and what we do not."""

from __future__ import annotations

from typing import Any

import msgspec

from headrace.wire.ollama.schema import CallFunction, Line, Message, ToolCall
from headrace.wire.reading import sift

Fields = dict[str, Any]

read_line = msgspec.json.Decoder(Line).decode


def sifted(data: Fields, raw: bytes) -> tuple[Line, Fields]:
    """The line, and what we do not know of it. The strict reading keeps arguments as the text that came."""
    own: Fields = {}
    known, extra = sift(data, Line)
    if extra:
        own["line"] = extra
    message = known.get("message")
    if isinstance(message, dict):
        known["message"], extra = sift(message, Message)
        if extra:
            own["message"] = extra
    for holder in (known, known.get("message")):
        if isinstance(holder, dict) and _calls_in(holder):
            pairs = [_sifted_call(one) for one in holder["tool_calls"]]
            holder["tool_calls"] = [call for call, _ in pairs]
            if any(extra for _, extra in pairs):
                own["calls"] = [extra for _, extra in pairs]
    if not own:
        return read_line(raw), own  # it raises again, and says why
    return read_line(msgspec.json.encode(known)), own


def _calls_in(holder: Fields) -> bool:
    calls = holder.get("tool_calls")
    return isinstance(calls, list) and all(
        isinstance(one, dict) and isinstance(one.get("function"), dict) for one in calls
    )


def _sifted_call(call: Fields) -> tuple[Fields, Fields]:
    """A call, and what we do not know of it and of its function."""
    known, of_call = sift(call, ToolCall)
    known["function"], of_function = sift(known["function"], CallFunction)
    extras = {"call": of_call, "function": of_function}
    return known, {name: extra for name, extra in extras.items() if extra}
