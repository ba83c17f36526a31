"""The two tables of `headrace models`: what can be named, and the providers behind which there is more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rich.text import Text

from headrace.cli.tables import drawn, table_of
from headrace.cli.terminal import clean
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
    return drawn(table_of(("MODEL", "CAN", "CONTEXT", "STATE", "ALIAS"), rows, right=("CONTEXT",)))


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
    return drawn(table_of(("ANY MODEL OF", "WIRE", "ADDRESS", "KEY"), rows))


def _key(facts: Mapping[str, str]) -> Text:
    variable, state = facts["api_key_env"], facts["key"]
    if variable and state == "none":
        state = "not set, not needed"
    return Text(clean(f"{variable} {state}".lstrip()), "yellow" if state == "missing" else "")
