"""What the commands that read recordings share: their options, and files or a pipe as batches."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import click

from headrace.cli.reframe import FRAMINGS, Framing, Reframe
from headrace.cli.terminal import clean_json
from headrace.core.chunk import Chunk
from headrace.core.stage import pipe
from headrace.wire.base import Wire

PIECE_BYTES = 64 * 1024
Command = TypeVar("Command", bound=Callable[..., Any])


def read_options(command: Command) -> Command:
    """--framing, --exit-status and FILES."""
    for option in (
        click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, allow_dash=True)),
        click.option("-e", "--exit-status", is_flag=True, help="Exit with 1 when a stream did not end well."),
        click.option(
            "--framing",
            type=click.Choice(FRAMINGS),
            default="auto",
            show_default=True,
            help="SSE, one event a line, a JSON array of events, or Amazon's binary messages.",
        ),
    ):
        command = option(command)
    return command


def decoded(name: str, wire: Wire, framing: Framing) -> Iterator[Sequence[Chunk]]:
    """The chunks of a recording as they become complete; `-` is standard input."""
    stage = pipe(Reframe(framing, wire.framings), wire.decoder())
    with _opened(name) as file:
        # read1 gives what is there, so that a pipe is decoded while it fills.
        read = getattr(file, "read1", file.read)
        while data := read(PIECE_BYTES):
            yield stage.feed([data])
    yield stage.close()


def write_out(data: bytes) -> None:
    """Write to stdout at once; where that is a terminal, without what steers it.

    data: UTF-8 JSON, framed as text or (Amazon's binary messages) not.
    """
    if not data:
        return
    out = sys.stdout
    out.buffer.write(clean_json(data.decode("utf-8", "replace")).encode() if out.isatty() else data)
    out.buffer.flush()


def _opened(name: str) -> AbstractContextManager[BinaryIO]:
    return nullcontext(sys.stdin.buffer) if name == "-" else Path(name).open("rb")
