"""The quirks that a row sets, held to those that its wire knows: a misspelt one is an error, no silence."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

import msgspec

from headrace.errors import ConfigError
from headrace.providers.row import ProviderRow
from headrace.wire import wire_named


def checked_quirks(row: ProviderRow) -> Mapping[str, Any]:
    """The row's quirks. Raises: ConfigError for one that its wire does not know, or whose value is wrong."""
    known = wire_named(row.wire).quirks
    for name, value in row.quirks.items():
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(known) or 'none'}"
            raise _wrong(row, name, f"unknown quirk of {row.wire}: {hint}")
        kind = known[name].kind
        try:
            msgspec.convert(value, kind.type)
        except msgspec.ValidationError:
            raise _wrong(row, name, f"expected {kind.words}") from None
    return row.quirks


def _wrong(row: ProviderRow, quirk: str, why: str) -> ConfigError:
    field = f"providers.{row.name}.quirks.{quirk}"
    return ConfigError(f"{field}: {why}", field=field)
