"""The table of `headrace keys list`."""

from __future__ import annotations

import time
from collections.abc import Mapping

from rich.text import Text

from headrace.cli.tables import drawn, table_of
from headrace.config.door import KeySettings
from headrace.server.keys import Key


def key_table(keys: Mapping[str, KeySettings]) -> str:
    """A line for each key, as stdout takes it."""
    now_s = time.time()
    rows = [
        (
            id,
            key.name,
            key.owner or id,
            ", ".join(key.models) or "all",
            str(key.priority),
            key.expires.date().isoformat() if key.expires else "-",
            _state(Key(id, key), now_s),
        )
        for id, key in keys.items()
    ]
    titles = ("KEY", "NAME", "OWNER", "MODELS", "PRIORITY", "EXPIRES", "STATE")
    return drawn(table_of(titles, rows, right=("PRIORITY",)))


def _state(key: Key, now_s: float) -> Text:
    if key.settings.revoked:
        return Text("revoked", "yellow")
    return Text("good") if key.is_good(now_s) else Text("expired", "yellow")
