"""The two tables of `headrace models`: what can be named, and the providers behind which there is more."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from headrace.cli.terminal import clean, has_colour
from headrace.core.model import ModelCard
from headrace.errors import AuthError
from headrace.providers.row import ProviderRow, key_of


def model_table(cards: Iterable[ModelCard]) -> str:
    """A line for each card, as stdout takes it."""
    rows = []
    for card in cards:
        context = f"{card.context_tokens:,}" if card.context_tokens else "-"
        state = Text(card.state, "" if card.state == "ready" else "yellow")
        rows.append((card.id, ", ".join(card.capabilities), context, state, ", ".join(card.aliases)))
    return drawn(("MODEL", "CAN", "CONTEXT", "STATE", "ALIAS"), rows)


def provider_facts(row: ProviderRow) -> dict[str, str]:
    """What is shown of a provider. `key` is set, missing or none (it needs none); never the key itself."""
    try:
        key = "none" if key_of(row) is None else "set"
    except AuthError:
        key = "missing"
    return {
        "provider": row.name,
        "wire": row.wire,
        "base_url": row.shown_url,
        "api_key_env": " or ".join(row.key_names),
        "key": key,
    }


def provider_table(providers: Iterable[Mapping[str, str]]) -> str:
    """A line for each provider: any model name there can be asked as PROVIDER/NAME."""
    rows = [
        (
            f"{facts['provider']}/NAME",
            facts["wire"],
            facts["base_url"],
            _key(facts),
        )
        for facts in providers
    ]
    return drawn(("ANY MODEL OF", "WIRE", "ADDRESS", "KEY"), rows)


def _key(facts: Mapping[str, str]) -> Text:
    variable, state = facts["api_key_env"], facts["key"]
    if variable and state == "none":
        state = "not set, not needed"
    return Text(clean(f"{variable} {state}".lstrip()), "yellow" if state == "missing" else "")


def drawn(titles: Sequence[str], rows: Iterable[Sequence[str | Text]]) -> str:
    """A table as stdout takes it; texts are cleaned of what would steer a terminal."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in titles:
        table.add_column(title, no_wrap=True, justify="right" if title == "CONTEXT" else "left")
    for cells in rows:
        table.add_row(*(Text(clean(cell)) if isinstance(cell, str) else cell for cell in cells))
    # Without a colour system there is no bold either.
    console = Console(color_system="auto" if has_colour(sys.stdout) else None)
    if not console.is_terminal:
        console.width = 10_000  # a pipe has no width: whole ids
    with console.capture() as captured:  # rich has an exit code of its own for a reader that went away
        console.print(table)
    return captured.get()
