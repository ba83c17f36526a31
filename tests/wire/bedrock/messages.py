"""Amazon's binary messages for the suite and the ledger, which know only the JSON that they carry."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from headrace.framing.eventstream import EventStreamDecoder, Message, encode_message
from headrace.testing.conformance import Event, Separation

# A member that only one type of event has -> the type.
_TELLING = {
    "role": "messageStart",
    "start": "contentBlockStart",
    "delta": "contentBlockDelta",
    "stopReason": "messageStop",
    "usage": "metadata",
}


@dataclass(frozen=True)
class _Framed(Event):
    """A message. With other data it has another length and other checksums, and the same headers."""

    headers: Mapping[str, Any] = field(default_factory=dict)

    def saying(self, data: bytes) -> Event:
        return _Framed(encode_message(self.headers, data), data, self.headers)


def _split(stream: bytes) -> list[Event]:
    events: list[Event] = []
    for one in EventStreamDecoder().feed(stream):
        assert isinstance(one, Message), one
        events.append(_Framed(encode_message(one.headers, one.payload), one.payload, one.headers))
    return events


def _frame(data: bytes) -> Event:
    """The message of it: its type is the one whose member it has, or one that there is not."""
    try:
        said = json.loads(data)
    except (ValueError, RecursionError):
        said = None
    names = list(said) if isinstance(said, dict) else []
    type = next((_TELLING[name] for name in names if name in _TELLING), "later")
    headers = {":event-type": type, ":content-type": "application/json", ":message-type": "event"}
    return _Framed(encode_message(headers, data), data, headers)


def _placed(events: Sequence[Event], place: int, event: Event) -> list[Event]:
    return [*events[:place], event, *events[place:]]


EVENT_STREAM = Separation("eventstream", _split, _frame, _placed)
