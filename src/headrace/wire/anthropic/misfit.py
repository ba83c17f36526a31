"""An answer that is no event stream: recognised by how it begins, reported by what it holds."""

from __future__ import annotations

import msgspec

from headrace.core.chunk import Failure
from headrace.errors import WireError
from headrace.wire.anthropic.failure import failure_from_event, failure_from_response
from headrace.wire.anthropic.schema import UNREADABLE

MAX_HELD_BYTES = 65536
_BLANK = b" \t\r\n\xef\xbb\xbf"


class Misfit:
    """Holds the beginning of an answer that starts like a JSON document or a page.

    A line of an event stream begins with a field's name or a colon, so one that begins with `{`, `[` or `<`
    is something else: a whole message, an error, an HTML page.
    """

    __slots__ = ("_held", "found", "settled")

    def __init__(self) -> None:
        self._held = bytearray()
        self.found = False
        self.settled = False  # it is an event stream

    @property
    def full(self) -> bool:
        """Whether more is held than is worth waiting for."""
        return len(self._held) > MAX_HELD_BYTES

    def take(self, data: bytes) -> bool:
        """Whether `data` belongs to a misfit and is held here."""
        begun = data if self.found else data.lstrip(_BLANK)
        if begun and not self.found:
            self.found = begun[:1] in (b"{", b"[", b"<")
            self.settled = not self.found
        if self.found:
            self._held += begun  # without leading blanks: they may have come in a read of their own
        return self.found

    def failure(self) -> Failure:
        """What came, as the failure it is."""
        held = bytes(self._held[:MAX_HELD_BYTES])
        try:
            data = msgspec.json.decode(held)
        except UNREADABLE:
            return failure_from_response(200, {}, held, "")
        if isinstance(data, dict) and data.get("type") == "message":
            said = "a whole message came where a stream was asked for"
            return Failure.of(WireError(said, code="not_a_stream"))
        return failure_from_event(data)
