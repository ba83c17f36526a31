"""The short cut past JSON for what most events are: the same bytes around another piece of text."""

from __future__ import annotations

import re

# Inside a JSON string: no quote, no escape, no control character.
_plain = re.compile(rb'[^"\\\x00-\x1f]+').fullmatch
# Random letters that hide how long the text is, another value in each event.
_FILLER = b',"obfuscation":"'
_MOST = 64  # patterns of one stream: where each event is of its own, learning is in vain


class Surroundings:
    """Learns from one event what stands around its text; reads the text of the next that is like it.

    key: what stands before the text, such as `"content":"`. An event whose bytes are the same but for plain
    text in that place (and the filler's) means the same but for that text, whatever its fields are: nothing
    is parsed twice. One longer than `max_bytes` is no such event.
    """

    __slots__ = ("_after", "_before", "_end", "_key", "_learnt", "_max", "_start", "_tail", "known")

    def __init__(self, key: bytes, max_bytes: int) -> None:
        self._key = key
        self._max = max_bytes
        self._before = self._after = self._end = b""
        self._start = self._tail = 0
        self._learnt = 0
        self.known = False

    def learn(self, data: bytes) -> bool:
        """Take `data`, a framed event that says one piece of text and nothing else, as the pattern.

        False where its text is not plain: then what was known stands.
        """
        if self._learnt >= _MOST:
            return False
        before, key, rest = data.partition(self._key)
        said, quote, after = rest.partition(b'"')
        # A key twice may be the text's own; an escape in the text ends it in the wrong place.
        if not key or not quote or self._key in after or not _plain(said):
            return False
        after, filler, rest = after.partition(_FILLER)
        letters, end_quote, end = rest.partition(b'"')
        if filler and (not end_quote or not _plain(letters)):
            return False
        self._before, self._start = before + key, len(before + key)
        self._after = quote + after + filler
        self._end = end_quote + end if filler else self._after
        self._tail = 0 if filler else len(self._end)
        self._learnt += 1
        self.known = True
        return True

    def text(self, data: bytes) -> str | None:
        """The text of an event of the known pattern, None for any other event."""
        if not data.startswith(self._before) or not data.endswith(self._end) or len(data) > self._max:
            return None
        said = data[self._start : -self._tail] if self._tail else self._beside_filler(data)
        if _plain(said) is None:
            return None
        try:
            return said.decode()
        except UnicodeDecodeError:
            return None

    def _beside_filler(self, data: bytes) -> bytes:
        """The text where a filler follows; empty where anything else differs."""
        at = data.find(b'"', self._start)
        after = self._after
        if at < 0 or not data.startswith(after, at):
            return b""
        return data[self._start : at] if _plain(data[at + len(after) : -len(self._end)]) else b""

    def forget(self) -> None:
        """The pattern does not hold any longer."""
        self.known = False
