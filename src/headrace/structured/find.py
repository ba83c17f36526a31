"""Where the JSON begins in an answer: models put words before it, and a fence around it."""

from __future__ import annotations

import re

# A brace in prose is hardly ever followed by a quote; a bracket begins a line, or holds what prose does not.
# White space is bounded: what may be a beginning is held until it is known.
_BEGINS = {
    "{": re.compile(r'\{(?=[ \t\r\n]{0,255}["}])'),
    "[": re.compile(r'(?<=\n)[ \t]{0,255}\[|\[(?=[ \t\r\n]{0,255}[\[{"\]])'),
}
_UNDECIDED = re.compile(r"(?:\n[ \t]*|[{\[][ \t\r\n]*)$")
_HELD = 256
_SPACE = " \t\r\n\ufeff"


class JsonFinder:
    """Text as it comes -> the text from where the JSON begins.

    marks: what it may begin with, of "{" and "[". Where the first thing said is one of them, or `marks` is
    empty, it begins there. Otherwise what comes before is prose: an object begins at the first "{" that a
    quote or "}" follows, an array at the first "[" that begins a line or that "[", "{", a quote or "]"
    follows, white space aside. What was skipped is kept in no other form than the reader's own text.
    """

    def __init__(self, marks: str = "{[") -> None:
        self.found = False
        self._marks = marks
        self._begun = False
        self._held = ""  # the end of the prose, while it may be a beginning

    def feed(self, text: str) -> str:
        """The JSON in `text`, empty while none has begun."""
        if self.found:
            return text
        if not self._begun:
            text = text.lstrip(_SPACE)
            if not text:
                return ""
            self._begun = True
            if not self._marks or text[0] in self._marks:
                self.found = True
                return text
        return self._search(self._held + text)

    def _search(self, text: str) -> str:
        matches = [found for mark in self._marks if (found := _BEGINS[mark].search(text))]
        if matches:
            self.found = True
            first = min(matches, key=lambda match: match.end())
            return text[first.end() - 1 :]
        undecided = _UNDECIDED.search(text)
        held = text[undecided.start() :] if undecided else ""
        self._held = held if len(held) <= _HELD else ""
        return ""
