"""`headrace models`: what can be asked, and the weights of local models."""

from __future__ import annotations

from collections.abc import Sequence

import click
import msgspec

from headrace.cli.terminal import clean, clean_json
from headrace.core.model import ModelCard

LOCAL = "local/"


@click.group("models", invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """List the models, pull one, or say where its file is.

    Lists what is known without asking anybody: local and simulated models, and those that the configuration
    names. A provider's other models can be asked all the same: PROVIDER/NAME.

    \b
    Examples:
      headrace models
      headrace models --json | jq -r .id
      headrace models pull smollm2-135m-instruct
    """
    if ctx.invoked_subcommand is not None:
        if as_json:
            raise click.UsageError("--json belongs to the list, not to a command behind it")
        return
    from headrace.dispatch.runtime import Runtime

    cards = Runtime().models()
    if as_json:
        for card in cards:
            click.echo(clean_json(msgspec.json.encode(_plain(card)).decode()))
    else:
        _print_table(cards)


@command.command("pull")
@click.argument("name")
def pull(name: str) -> None:
    """Fetch the weights of the local model NAME; what is here and sound is left as it is."""
    from headrace.cli.pulling import pull_shown

    click.echo(pull_shown(_local_name(name)))


@command.command("path")
@click.argument("name")
def path(name: str) -> None:
    """Print where the weights of the local model NAME are."""
    from headrace.errors import RunnerError
    from headrace.runners import store
    from headrace.runners.weights import row_named

    row = row_named(_local_name(name))
    found = store.installed(row.name)
    if found is None:
        raise RunnerError(f"{row.name} is not here. Run: {row.command}", code="E500")
    click.echo(found)


def _local_name(name: str) -> str:
    """NAME, local/NAME or an alias of one -> NAME."""
    from headrace.config import load_config
    from headrace.dispatch.runtime import DEFAULT_ALIASES

    aliases = {**DEFAULT_ALIASES, **load_config().aliases}
    return aliases.get(name, name).removeprefix(LOCAL)


def _plain(card: ModelCard) -> dict[str, object]:
    """Every field, those that hold their default too."""
    return {name: getattr(card, name) for name in card.__struct_fields__}


def _print_table(cards: Sequence[ModelCard]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("MODEL", "CAN", "CONTEXT", "STATE", "ALIAS"):
        table.add_column(title, no_wrap=True, justify="right" if title == "CONTEXT" else "left")
    for card in cards:
        context = f"{card.context_tokens:,}" if card.context_tokens else "-"
        state = Text(card.state, "" if card.state == "ready" else "yellow")
        cells = (card.id, ", ".join(card.capabilities), context, state, ", ".join(card.aliases))
        table.add_row(*(Text(clean(cell)) if isinstance(cell, str) else cell for cell in cells))
    console = Console()
    if not console.is_terminal:
        console.width = 10_000  # a pipe has no width: whole ids
    console.print(table)
