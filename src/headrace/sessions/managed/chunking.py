"""Text in pieces for streaming, and how big they should be. Joining the pieces gives the text back."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Sequence

# White space goes with what follows it; a mark that is neither letter nor digit is a token of its own, with
# what combines with it (accents, joiners, variation selectors). Every character of any text matches.
_COMBINING = "\u0300-\u036f\u200c\u200d\u20d0-\u20ff\ufe00-\ufe0f\U0001f3fb-\U0001f3ff"
_TOKEN = re.compile(rf"\s*(?:\w[\w{_COMBINING}]{{0,63}}|[^\w\s](?:[{_COMBINING}]|(?<=\u200d)[^\w\s])*)|\s+")


class TokenChunker:
    """Splits text into words and marks, and these into chunks. Nothing is lost: `"".join(...)` is the text.

    min_chunk_size, max_chunk_size: tokens in a chunk. Chunks have `max_chunk_size`; a last one below
    `min_chunk_size` goes with the one before it.
    """

    def __init__(self, min_chunk_size: int = 1, max_chunk_size: int = 10) -> None:
        if not 1 <= min_chunk_size <= max_chunk_size:
            raise ValueError("1 <= min_chunk_size <= max_chunk_size must hold")
        self.min_chunk_size = min_chunk_size
        self.max_chunk_size = max_chunk_size

    def tokenize(self, text: str) -> list[str]:
        """Words and marks, each with the white space before it; white space at the end comes by itself."""
        return _TOKEN.findall(text)

    def each_token(self, text: str) -> Iterator[str]:
        """The same one by one: a long text costs no list."""
        return (found[0] for found in _TOKEN.finditer(text))

    def chunk_tokens(self, tokens: Sequence[str]) -> list[list[str]]:
        """Tokens in lists of the size of a chunk."""
        size = self.max_chunk_size
        chunks = [list(tokens[at : at + size]) for at in range(0, len(tokens), size)]
        if len(chunks) > 1 and len(chunks[-1]) < self.min_chunk_size:
            last = chunks.pop()
            chunks[-1] += last
        return chunks

    def chunk_text(self, text: str) -> list[str]:
        """The text in chunks."""
        return ["".join(tokens) for tokens in self.chunk_tokens(self.tokenize(text))]


class AdaptiveChunker:
    """How many tokens a chunk should have, so that chunks come about `target_chunk_delay_ms` apart.

    Told each delay that was seen, it grows the size by one where the latest delays are, on average, well
    below the target, and shrinks it by one where they are well above.
    """

    def __init__(
        self,
        initial_chunk_size: int = 5,
        target_chunk_delay_ms: float = 50.0,
        *,
        min_chunk_size: int = 1,
        max_chunk_size: int = 15,
    ) -> None:
        if not 1 <= min_chunk_size <= initial_chunk_size <= max_chunk_size:
            raise ValueError("1 <= min_chunk_size <= initial_chunk_size <= max_chunk_size must hold")
        if not target_chunk_delay_ms > 0:
            raise ValueError(f"target_chunk_delay_ms must be more than 0, not {target_chunk_delay_ms}")
        self.target_chunk_delay_ms = target_chunk_delay_ms
        self._least, self._most = min_chunk_size, max_chunk_size
        self._size = initial_chunk_size
        self._delays_ms: deque[float] = deque(maxlen=_LATEST)

    def adjust_chunk_size(self, actual_delay_ms: float) -> int:
        """Take the delay before the latest chunk; the size for the next."""
        if actual_delay_ms < 0:
            raise ValueError(f"actual_delay_ms must be at least 0, not {actual_delay_ms}")
        self._delays_ms.append(actual_delay_ms)
        share = sum(self._delays_ms) / len(self._delays_ms) / self.target_chunk_delay_ms
        if share < 1 - _TOLERANCE:
            self._size = min(self._size + 1, self._most)
        elif share > 1 + _TOLERANCE:
            self._size = max(self._size - 1, self._least)
        return self._size

    def get_chunk_size(self) -> int:
        """Tokens for the next chunk."""
        return self._size


_LATEST = 10  # delays that count
_TOLERANCE = 0.2
