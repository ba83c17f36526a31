"""An answer that is no event stream: recognised by how it begins, reported by what it holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from headrace.core.chunk import Failure

MAX_HELD_BYTES = 65536
_BLANK = b" \t\r\n\xef\xbb\xbf"

# A wire's own reading of an answer: (status, headers, body, provider) -> the failure.
ReadFailure = Callable[[int, Mapping[str, str], bytes, str], Failure]


def begun(data: bytes) -> bytes:
    """What of an answer's beginning tells what it is: `data` without the blanks before it."""
    return data.lstrip(_BLANK)


def is_odd(beginning: bytes) -> bool:
    """Whether an answer that begins so is no event stream."""
    return beginning[:1] in (b"{", b"[", b"<")


class Misfit:
    """Holds the beginning of an answer that starts like a JSON document or a page.

    A line of an event stream begins with a field's name or a colon, so one that begins with `{`, `[` or `<`
    is something else: a whole answer, an error, an HTML page.
    """

    __slots__ = ("_held", "_read", "found", "settled")

    def __init__(self, read: ReadFailure) -> None:
        self._read = read
        self._held = bytearray()
        self.found = False
        self.settled = False  # it is an event stream

    @property
    def full(self) -> bool:
        """Whether more is held than is worth waiting for."""
        return len(self._held) > MAX_HELD_BYTES

    @property
    def held(self) -> bytes:
        """What came, as far as it is held."""
        return bytes(self._held[:MAX_HELD_BYTES])

    def take(self, data: bytes) -> bool:
        """Whether `data` belongs to a misfit and is held here."""
        if not self.found:
            data = begun(data)  # blanks before it may have come in a read of their own
            self.found = is_odd(data)
            self.settled = bool(data) and not self.found
        if self.found:
            self._held += data
        return self.found

    def failure(self) -> Failure:
        """What came, as the failure it is."""
        return self._read(200, {}, self.held, "")
