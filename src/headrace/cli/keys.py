"""`headrace keys`: the API keys of the server."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import msgspec

from headrace.cli.terminal import clean_json
from headrace.config import load_config
from headrace.config.keys import new_key, read_keys, revoke_key
from headrace.config.load import keys_path

_CONFIG = click.option("--config", metavar="FILE", help="Which headrace.toml says where keys are kept.")


@click.group("keys")
def command() -> None:
    """Make, list and revoke the API keys of the server.

    They are kept as SHA-256 digests in headrace-keys.json beside the configuration, or where its
    [server] keys_file says. A running server sees a change within a second or so.

    \b
    Examples:
      headrace keys new --name laptop
      headrace keys new --name batch --owner lab --model "openai/*" --priority 9
      headrace keys list
      headrace keys revoke key_1a2b3c4d
    """


@command.command("new")
@click.option("--name", default="", help="What to call it in lists.")
@click.option("--owner", default="", help="Whose streams its streams are; keys of one owner share them.")
@click.option("--model", "models", multiple=True, help="A model it may ask, or a pattern; all by default.")
@click.option("--priority", type=click.IntRange(0, 9), default=5, show_default=True, help="0 goes first.")
@click.option("--requests-per-minute", type=click.IntRange(1), help="How many requests it may send.")
@click.option("--tokens-per-minute", type=click.IntRange(1), help="How many tokens its answers may take.")
@click.option("--max-streams", type=click.IntRange(1), help="How many of its answers may be under way.")
@click.option("--events-per-s", type=click.FloatRange(0, min_open=True), help="How fast each stream may be.")
@click.option("--expires", type=click.DateTime(), help="When it ends, in UTC.")
@_CONFIG
def new(config: str | None, models: tuple[str, ...], expires: datetime | None, **facts: Any) -> None:
    """Make a key and print it: it is shown this once."""
    path = _path(config)
    until = expires.replace(tzinfo=UTC) if expires is not None else None
    if until is not None and until <= datetime.now(UTC):
        raise click.BadParameter(
            f"{until:%Y-%m-%d %H:%M:%S} UTC has passed already", param_hint="'--expires'"
        )
    id, key = new_key(path, models=models, expires=until, **facts)
    click.echo(key)
    click.echo(f"{id} is in {path}; the key itself is kept nowhere: copy it now", err=True)


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@_CONFIG
def list_(config: str | None, as_json: bool) -> None:
    """List the keys that are known, revoked ones too."""
    found = {**load_config(config).keys, **read_keys(_path(config))}
    if as_json:
        for id, key in found.items():
            click.echo(clean_json(msgspec.json.encode({"id": id, **msgspec.to_builtins(key)}).decode()))
        return
    from headrace.cli.key_table import key_table

    sys.stdout.write(key_table(found))
    sys.stdout.flush()


@command.command("revoke")
@click.argument("id")
@_CONFIG
def revoke(config: str | None, id: str) -> None:
    """Refuse a key from now on, by its id."""
    revoke_key(_path(config), id)
    click.echo(f"{id} is revoked", err=True)


def _path(config: str | None) -> Path:
    return keys_path(load_config(config))
