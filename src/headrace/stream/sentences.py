"""Sentences out of a text that is still coming, losing nothing.

Rules for any language that marks its sentences, no model and no word list beyond common abbreviations:
a sentence ends after `.`, `!`, `?`, an ellipsis (or their like in other scripts) with closing quotes and
brackets, where white space follows and what comes next can begin a sentence; after CJK full stops with no
white space needed; and at an empty line. Decimals, versions and addresses have no white space after the dot.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

# Sentences a stream reads ahead: fewer than words, each may be long.
MAX_SENTENCES = 16

_CLOSERS = r"[\"'’”»›)\]}＂＇」』）】》〉*_`]*"
_BLANK_LINE = r"\n[^\S\n]*\n\s*"
_CJK_END = rf"[。！？｡．…]*[。！？｡．]+[。！？｡．…]*{_CLOSERS}\s*"
_SPACED_END = rf"[.!?…؟۔।॥։።၊။។‽]+{_CLOSERS}\s*"
_END = re.compile(rf"(?P<blank>{_BLANK_LINE})|(?P<cjk>{_CJK_END})|(?P<mark>{_SPACED_END})")
_LAST_WORD = re.compile(r"(?<!\w)(?:[^\W\d_]\.)*[^\W_]+$")

# Never the end of a sentence: something always follows.
_TITLES = """
    dr mr mrs ms mx prof rev fr sr st gen col capt lt sgt hon pres gov sen rep messrs mme mlle
    hr dipl ing sra srta dra e.g i.e cf vs viz al eg ie resp bzw z.b d.h u.a
"""
# Not the end where a number follows.
_BEFORE_NUMBER = """
    no nos nr nº p pp pg fig figs vol vols ch sec art eq eqs para par ca approx abb bd kap tab
    jan feb mar apr jun jul aug sep sept oct nov dec
"""
_ABBREVIATIONS, _COUNTERS = frozenset(_TITLES.split()), frozenset(_BEFORE_NUMBER.split())


class Sentences:
    """Text -> sentences, each with the white space after it.

    A sentence is given out when the first character of the next one is seen, or at the close. One longer than
    `max_chars` is cut at its last white space, so that no text is held without bound.
    """

    def __init__(self, max_chars: int = 2000) -> None:
        if max_chars < 1:
            raise ValueError(f"max_chars must be at least 1, not {max_chars}")
        self._max = max_chars
        self._held = ""  # bounded by max_chars, so joining it to what comes stays linear
        self._seen = 0  # no sentence ends before this offset
        self._over = False

    def feed(self, batch: Sequence[str]) -> list[str]:
        sentences: list[str] = []
        if not self._over:
            for text in batch:
                # In slices, so that one huge piece costs no more than many small ones.
                for at in range(0, len(text), self._max):
                    self._held += text[at : at + self._max]
                    self._take(sentences)
        return sentences

    def close(self) -> list[str]:
        self._over = True
        last, self._held = self._held, ""
        return [last] if last else []

    def _take(self, sentences: list[str]) -> None:
        while True:
            end = self._next_end()
            if end is None and len(self._held) > self._max:
                end = self._forced_end()
            if end is None:
                return
            sentences.append(self._held[:end])
            self._held = self._held[end:]
            self._seen = 0

    def _next_end(self) -> int | None:
        """Where the first sentence ends; None while that cannot be told."""
        text = self._held
        # One character beyond is all that a verdict may look at, whatever else has come already.
        stop = min(len(text), self._max + 1)
        while (found := _END.search(text, self._seen, stop)) is not None:
            end = found.end()
            if end >= stop:  # what follows is not known yet: look again from here
                self._seen = found.start()
                return None
            if _ends(text, found, text[end]):
                return end
            self._seen = end
        # A blank line may have begun in the last white space; nothing else can reach back.
        new = text[self._seen : stop]
        begun = new.find("\n", len(new.rstrip()))
        self._seen = stop if begun < 0 else self._seen + begun
        return None

    def _forced_end(self) -> int:
        space = max(self._held.rfind(white, 0, self._max) for white in " \n\t")
        return space + 1 if space > 0 else self._max


def _ends(text: str, found: re.Match[str], after: str) -> bool:
    """Whether the marks in `found` end a sentence, where `after` is the first character behind them."""
    if found["mark"] is None:
        return True
    marks = found["mark"]
    bare = marks.rstrip()
    if bare == marks:
        return False  # no white space: 3.14, example.com, v1.2
    if marks.count("\n") > 1:
        return True
    closed = bare[-1] not in ".!?…؟۔।॥։።၊။។‽"
    if after.islower():
        return bare[0] in "!?" and not closed  # "Really?" he said; e.g. this; well... maybe
    if bare == ".":
        return not _abbreviated(text[max(0, found.start() - 40) : found.start()], after)
    return True


def _abbreviated(before: str, after: str) -> bool:
    """Whether the dot behind `before` belongs to its last word."""
    last = _LAST_WORD.search(before)
    if last is None:
        return False
    word = last[0].lower()
    if word.isdigit():
        return not before[: last.start()].strip()  # "1. First": a list's number
    if len(word) == 1 and last[0].isupper():
        return last[0] != "I"  # J. Smith
    if word in _ABBREVIATIONS or "." in word:
        return True
    return word in _COUNTERS and after.isdigit()
