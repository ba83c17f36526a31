"""The three standard streams, made safe to use: none is missing, none raises over a character."""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper
from typing import TextIO

_STREAMS = (("stdin", os.O_RDONLY, "r"), ("stdout", os.O_WRONLY, "w"), ("stderr", os.O_WRONLY, "w"))


def make_safe() -> None:
    """Put right what the caller left odd. Call once, before anything is read or written.

    A stream that was closed (`>&-`) becomes the null device, which also keeps its number from a file or
    socket of ours. What an output's encoding cannot hold is written as `\\xe9` or `\\u65e5`, as Python does
    on stderr; bytes on stdin that are no text are read as U+FFFD.
    """
    for name, flag, mode in _STREAMS:
        if getattr(sys, name) is None:
            # For the process's life, as Python's own three: nobody closes it.
            null = os.open(os.devnull, flag)
            setattr(sys, name, open(null, mode, encoding="utf-8", closefd=False))  # noqa: SIM115
    if isinstance(sys.stdin, TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")
    for stream in (sys.stdout, sys.stderr):
        # surrogateescape, where the locale set it, stays: it gives a file's name back byte for byte.
        if isinstance(stream, TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="backslashreplace")


def unwritten(stream: TextIO) -> OSError | None:
    """Why what is left in `stream` cannot be written; None where it has been.

    Python flushes once more at exit and would then complain in its own way: what cannot be written goes to
    the null device.
    """
    try:
        stream.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        return error
    return None


def as_text(argument: str) -> str:
    """An argument of the command line with U+FFFD for the bytes in it that are no text."""
    return argument.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
