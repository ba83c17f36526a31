"""Tables as the commands print them."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from headrace.cli.terminal import clean, has_colour


def table_of(
    titles: Sequence[str], rows: Iterable[Sequence[str | Text]], *, right: Sequence[str] = ()
) -> Table:
    """Rows under titles, each cell cleaned of what steers a terminal. right: titles of columns of numbers."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in titles:
        table.add_column(title, no_wrap=True, justify="right" if title in right else "left")
    for cells in rows:
        table.add_row(*(Text(clean(cell)) if isinstance(cell, str) else cell for cell in cells))
    return table


def console_of() -> Console:
    """For stdout as it is: coloured where somebody sees it, whole lines into a pipe."""
    # Without a colour system there is no bold either.
    console = Console(color_system="auto" if has_colour(sys.stdout) else None)
    if not console.is_terminal:
        console.width = 10_000  # a pipe has no width: whole ids
    return console


def drawn(*things: RenderableType) -> str:
    """What stdout takes."""
    console = console_of()
    with console.capture() as captured:  # rich has an exit code of its own for a reader that went away
        console.print(*things, sep="\n")
    return captured.get()
