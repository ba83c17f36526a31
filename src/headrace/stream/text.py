"""Text in pieces of a better size, losing nothing: joining the pieces gives the text back.

The pieces depend on the text alone, never on how it was cut when it came.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

# Scripts written without spaces: each character is a word of its own, with the marks that follow it.
_DENSE = (
    "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3031-\u3035\u3041-\u3096\u309d-\u30fa\u30fc-\u30ff\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9d\U0001b000-\U0001b16f\U00020000-\U0003fffd"
)
# Voicing marks, variation selectors and joiners belong to the character before them; so does the
# punctuation that never begins a line.
_AFTER = (
    "\u0300-\u036f\u200c\u200d\u3099\u309a\ufe00-\ufe0f\uff9e\uff9f\U000e0100-\U000e01ef"
    "\u3001\u3002\uff0c\uff0e\uff01\uff1f\uff1a\uff1b\u300d\u300f\uff09\u3011\u300b\u3009"
)
_DENSE_REST = re.compile(f"[{_AFTER}]*")
_SPACED_REST = re.compile(rf"[^\s{_DENSE}]*")
_PIECE = re.compile(rf"\s*(?:([{_DENSE}][{_AFTER}]*)|[^\s{_DENSE}]+)?")
_SPACE, _SPACED, _DENSE_STATE = range(3)


class Words:
    """Text -> words, each with the white space before it; white space at the very end comes by itself.

    A word is given out when the next one begins. Scripts without spaces go character by character. A run
    longer than `max_chars` is cut there, so that no text is held without bound.
    """

    def __init__(self, max_chars: int = 1024) -> None:
        if max_chars < 1:
            raise ValueError(f"max_chars must be at least 1, not {max_chars}")
        self._max = max_chars
        self._held: list[str] = []
        self._size = 0
        self._state = _SPACE
        self._over = False

    def feed(self, batch: Sequence[str]) -> list[str]:
        words: list[str] = []
        if self._over:
            return words
        for text in batch:
            self._add(text, words)
        return words

    def close(self) -> list[str]:
        self._over = True
        last = self._cut()
        return [last] if last else []

    def _add(self, text: str, words: list[str]) -> None:
        at = self._go_on(text, words)
        while at < len(text):
            # What is held, if anything, is a whole word unless it is white space waiting for one.
            if self._state != _SPACE and self._held:
                words.append(self._cut())
            piece = _PIECE.match(text, at)
            if piece is None:  # pragma: no cover - the pattern matches the empty string
                return
            self._grow(piece[0], words)
            if piece[1] is not None:
                self._state = _DENSE_STATE
            else:
                self._state = _SPACE if piece[0].isspace() else _SPACED
            at = piece.end()

    def _go_on(self, text: str, words: list[str]) -> int:
        """Give the held word what belongs to it; how far that reached."""
        if not self._held or self._state == _SPACE:
            return 0
        rest = (_DENSE_REST if self._state == _DENSE_STATE else _SPACED_REST).match(text)
        end = rest.end() if rest else 0
        self._grow(text[:end], words)
        return end

    def _grow(self, text: str, words: list[str]) -> None:
        while self._size + len(text) > self._max:
            room = self._max - self._size
            self._held.append(text[:room])
            words.append(self._cut())
            text = text[room:]
        if text:
            self._held.append(text)
            self._size += len(text)

    def _cut(self) -> str:
        word = "".join(self._held)
        self._held.clear()
        self._size = 0
        return word
