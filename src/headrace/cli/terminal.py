"""What may reach a terminal: colours where somebody sees them, and nothing from outside that steers it."""

from __future__ import annotations

import os
import sys
from typing import Any, TextIO

import click

# Explicit direction (Unicode 16, UAX 9, 2.1-2.2 and 2.4): it makes a line read otherwise than it is written.
# Marks that only say how one letter runs (U+200E, U+200F) stay, as right-to-left text needs them.
_BIDI = (*range(0x202A, 0x202F), *range(0x2066, 0x206A))
_C1 = range(0x7F, 0xA0)  # and DEL before them
_C0 = [code for code in range(0x20) if chr(code) not in "\n\t"]
_REMOVED = dict.fromkeys((*_C0, *_C1, *_BIDI))
# C0 cannot stand in JSON, but in binary framing around it; a CR ends lines of event streams.
_ESCAPED = {code: f"\\u{code:04x}" for code in (*_C1, *_BIDI, *_C0) if code != 0x0D}


def clean(text: str) -> str:
    """`text` without control characters (line ends and tabs stay) and without directional overrides.

    Everything that a model, a provider or a file wrote goes through here on its way to a terminal: it must
    not move the cursor, rename the window or hide what a line says.
    """
    return text.translate(_REMOVED)


def one_line(text: str) -> str:
    """`text` cleaned, on one line."""
    return clean(" ".join(text.split()))


def clean_json(line: str) -> str:
    """JSON with the same characters written as escapes: the same value, harmless where it is shown."""
    return line.translate(_ESCAPED)


def note(text: str, **style: Any) -> None:
    """One line beside the answer, on stderr, cleaned, in click's `style` (fg, bold, dim, ...)."""
    sys.stderr.write(paint(clean(text), sys.stderr, **style) + "\n")
    sys.stderr.flush()


def has_colour(stream: TextIO) -> bool:
    """Whether `stream` is a terminal that may be coloured (https://no-color.org, and TERM=dumb)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def paint(text: str, stream: TextIO, **style: Any) -> str:
    """`text` in click's `style` (fg, bold, dim, ...) for `stream`; plain where it takes no colour."""
    return click.style(text, **style) if style and has_colour(stream) else text
