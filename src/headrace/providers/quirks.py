"""The ways in which places that speak one wire differ, by name. A row lists those it needs.

A quirk is read by the wire (`build` and `rebody` get the row's), so what it does stands there; here stands
what may be set and what it means, so that a misspelt one is an error and not a silence.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from headrace.errors import ConfigError
from headrace.providers.row import ProviderRow

# wire -> quirk -> (type, meaning).
QUIRKS: dict[str, dict[str, tuple[type, str]]] = {
    "openai_chat": {},
}


def checked_quirks(row: ProviderRow) -> Mapping[str, Any]:
    """The row's quirks. Raises: ConfigError for one that its wire does not know or whose type is wrong."""
    known = QUIRKS.get(row.wire, {})
    for name, value in row.quirks.items():
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(known) or 'none'}"
            raise _wrong(row, name, f"unknown quirk of {row.wire}: {hint}")
        if type(value) is not known[name][0]:
            raise _wrong(row, name, f"expected {known[name][0].__name__}")
    return row.quirks


def _wrong(row: ProviderRow, quirk: str, why: str) -> ConfigError:
    field = f"providers.{row.name}.quirks.{quirk}"
    return ConfigError(f"{field}: {why}", field=field)
