"""Amazon's binary messages for the suite and the ledger: an event's JSON says its type, too."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from headrace.framing.eventstream import EventStreamDecoder, Message, encode_message
from headrace.testing.conformance import Event, Separation

TYPE = ":type"  # the member that stands for the header


@dataclass(frozen=True)
class _Framed(Event):
    """A message: other data change its length and its checksums."""

    def saying(self, data: bytes) -> Event:
        return _frame(data)


def _split(stream: bytes) -> list[Event]:
    found = EventStreamDecoder().feed(stream)
    events: list[Event] = []
    for one in found:
        assert isinstance(one, Message), one
        kind = one.text(":message-type")
        said = {TYPE: one.text(f":{kind}-type"), **json.loads(one.payload)}
        events.append(_Framed(encode_message(one.headers, one.payload), json.dumps(said).encode()))
    return events


def _frame(data: bytes) -> Event:
    """The message that says it; what names no type is a piece of a block."""
    try:
        said = json.loads(data)
    except ValueError:
        said = None
    name, payload = "contentBlockDelta", data
    if isinstance(said, dict) and isinstance(said.get(TYPE), str):
        name = said.pop(TYPE)
        payload = json.dumps(said).encode()
    kind = "exception" if name.endswith("Exception") else "event"
    headers = {f":{kind}-type": name, ":content-type": "application/json", ":message-type": kind}
    return _Framed(encode_message(headers, payload), data)


def _placed(events: Sequence[Event], place: int, event: Event) -> list[Event]:
    return [*events[:place], event, *events[place:]]


EVENT_STREAM = Separation("eventstream", _split, _frame, _placed)
