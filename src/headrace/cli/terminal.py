"""Colours, only where somebody sees them."""

from __future__ import annotations

import os
from typing import Any, TextIO

import click


def has_colour(stream: TextIO) -> bool:
    """Whether `stream` is a terminal that may be coloured (https://no-color.org, and TERM=dumb)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def paint(text: str, stream: TextIO, **style: Any) -> str:
    """`text` in click's `style` (fg, bold, dim, ...) for `stream`; plain where it takes no colour."""
    return click.style(text, **style) if has_colour(stream) else text
