"""`headrace models`: what can be asked, and the weights of local models."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import click
import msgspec

from headrace.cli.candidates import provider_names, stored_names
from headrace.cli.terminal import clean_json
from headrace.core.model import ModelCard

if TYPE_CHECKING:
    from headrace.dispatch.runtime import Runtime

LOCAL = "local/"


@click.group("models", invoke_without_command=True)
@click.option("--all", "all_", is_flag=True, help="The built-in providers too.")
@click.option(
    "--provider",
    metavar="NAME",
    shell_complete=provider_names,
    help="Ask this provider which models it has.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.pass_context
def command(ctx: click.Context, all_: bool, provider: str | None, as_json: bool) -> None:
    """List the models, pull one, or say where its file is.

    Lists what is known without asking anybody: local and simulated models, those that the configuration
    names, and the providers it configures. Any model of a provider can be asked: PROVIDER/NAME. With
    --provider it asks that one for its list.

    \b
    Examples:
      headrace models
      headrace models --all
      headrace models --provider ollama
      headrace models --json | jq -r '.id // empty'
      headrace models pull smollm2-135m-instruct
    """
    if ctx.invoked_subcommand is not None:
        if as_json or all_ or provider:
            given = "--all, --provider and --json belong to the list, not to a command behind it"
            raise click.UsageError(given)
        return
    if provider and all_:
        raise click.UsageError("--provider asks one provider, --all lists them: give one of the two")
    from headrace.cli.model_tables import model_table, provider_facts, provider_table
    from headrace.dispatch.runtime import Runtime

    runtime = Runtime()
    if provider:
        cards, providers = asyncio.run(_offered(runtime, provider)), []
    else:
        mine = runtime.settings.providers
        cards = runtime.models()
        providers = [provider_facts(row) for row in runtime.providers() if all_ or row.name in mine]
    if as_json:
        for line in (*map(_plain, cards), *providers):
            click.echo(clean_json(msgspec.json.encode(line).decode()))
        return
    sys.stdout.write(model_table(cards))
    if providers:
        sys.stdout.write("\n" + provider_table(providers))
    sys.stdout.flush()


async def _offered(runtime: Runtime, provider: str) -> list[ModelCard]:
    async with runtime:
        return await runtime.offered(provider)


@command.command("pull")
@click.argument("name", shell_complete=stored_names)
def pull(name: str) -> None:
    """Fetch the weights of a local model.

    What is here and sound is left as it is; what is damaged is replaced. Prints where the file is.
    """
    from headrace.cli.pulling import pull_shown

    click.echo(pull_shown(_local_name(name)))


@command.command("path")
@click.argument("name", shell_complete=stored_names)
def path(name: str) -> None:
    """Print where a local model's weights are."""
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
