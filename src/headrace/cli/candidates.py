"""What a shell offers behind `--model`, `--provider` and `headrace models pull`."""

from __future__ import annotations

import click

from headrace.errors import HeadraceError


def model_ids(_ctx: click.Context, _param: click.Parameter, begun: str) -> list[str]:
    """The ids and aliases that begin so, without asking anybody."""
    from headrace.dispatch.runtime import Runtime

    try:
        runtime = Runtime()
        known = [*runtime.aliases, *(card.id for card in runtime.models())]
    except HeadraceError:  # a configuration that cannot be read: a command says so, a completion cannot
        return []
    return sorted({name for name in known if name.startswith(begun)})


def provider_names(_ctx: click.Context, _param: click.Parameter, begun: str) -> list[str]:
    """The providers whose names begin so."""
    from headrace.dispatch.runtime import Runtime

    try:
        rows = Runtime().providers()
    except HeadraceError:  # see `model_ids`
        return []
    return sorted(row.name for row in rows if row.name.startswith(begun))


def stored_names(_ctx: click.Context, _param: click.Parameter, begun: str) -> list[str]:
    """The names in the model store that begin so."""
    from headrace.runners import weights

    return [row.name for row in weights.ROWS if row.name.startswith(begun)]
