"""The beginning of a text from outside, as a message quotes it."""

from __future__ import annotations

MAX_NAME_CHARS = 64  # of a name or a word: a field's, a tool's, a type's
CUT = "..."  # stands where a text was cut; what looks for pieces of keys looks before it


def excerpt(text: str, max_chars: int = MAX_NAME_CHARS) -> str:
    """The text, or where it is longer its first `max_chars` characters and the mark `CUT`."""
    return text if len(text) <= max_chars else text[:max_chars] + CUT
