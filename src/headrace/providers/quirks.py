"""The ways in which places that speak one wire differ, by name. A row lists those it needs.

A quirk is read by the wire (`build` and `rebody` get the row's), so what it does is told there; here stands
what may be set, so that a misspelt one is an error and not a silence.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from headrace.errors import ConfigError
from headrace.providers.row import ProviderRow

# wire -> quirk -> its type. `tuple` is a list of texts.
QUIRKS: dict[str, dict[str, type]] = {
    "openai_chat": {
        "max_tokens_field": str,  # "max_tokens" or "max_completion_tokens"
        "no_stream_options": bool,  # refuses `stream_options`
        "no_developer_role": bool,  # "developer" must be sent as "system"
        "reasoning_effort": bool,  # false: refuses the field
        "reasoning_field": str,  # the message field for reasoning of earlier turns
        "reasoning_beside_output": bool,  # its output tokens leave out reasoning
        "extra": tuple,  # settings beyond the standard that it takes, of top_k, min_p
        "drop": tuple,  # body fields that it refuses
    },
    "openai_audio": {
        "no_stream": bool,  # refuses `stream`, or streams in a protocol of its own
        "voice": str,  # asked for where the request names none
        "drop": tuple,  # fields that it refuses
    },
}


def checked_quirks(row: ProviderRow) -> Mapping[str, Any]:
    """The row's quirks. Raises: ConfigError for one that its wire does not know or whose type is wrong."""
    known = QUIRKS.get(row.wire, {})
    for name, value in row.quirks.items():
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(known) or 'none'}"
            raise _wrong(row, name, f"unknown quirk of {row.wire}: {hint}")
        if not _fits(value, known[name]):
            expected = "a list of texts" if known[name] is tuple else known[name].__name__
            raise _wrong(row, name, f"expected {expected}")
    return row.quirks


def _fits(value: Any, kind: type) -> bool:
    if kind is tuple:
        return isinstance(value, list | tuple) and all(isinstance(each, str) for each in value)
    return type(value) is kind


def _wrong(row: ProviderRow, quirk: str, why: str) -> ConfigError:
    field = f"providers.{row.name}.quirks.{quirk}"
    return ConfigError(f"{field}: {why}", field=field)
