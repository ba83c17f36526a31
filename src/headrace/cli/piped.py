"""What stands on standard input beside a prompt, read by a rule that cannot wait for ever."""

from __future__ import annotations

import os
import select
import stat
import sys

from headrace.cli.terminal import note

WAIT_S = 3.0


def read_stdin() -> str:
    """All of standard input, however long it takes."""
    return sys.stdin.read()


def is_piped() -> bool:
    """Whether stdin is a pipe, a file or a socket; a terminal and the null device are nothing to read."""
    try:
        mode = os.fstat(sys.stdin.fileno()).st_mode
    except (OSError, ValueError):  # no real file behind it
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISREG(mode) or stat.S_ISSOCK(mode)


def read_beside_prompt(wait_s: float) -> str:
    """What is piped in, where it begins (or ends) within `wait_s`; from then on all of it.

    A program that starts us may hand down a pipe of its own that nobody writes to and nobody closes (a
    service, a build, a loop in a script). Such a pipe looks like one that has not begun yet, so we give it
    up after a while and say so.
    """
    if not is_piped():
        return ""
    ready, _, _ = select.select([sys.stdin], [], [], wait_s)
    if ready:
        return read_stdin()
    note(
        f"warning: nothing came on standard input in {wait_s:g} s: asking without it"
        " (--stdin waits for it, --no-stdin does not look)",
        fg="yellow",
    )
    return ""
