"""A chunk's own fields beside its choices: the same in every event mostly, so told only when they are new."""

from __future__ import annotations

from typing import Any

import msgspec

MAX_FIELDS = 64
MAX_VALUE_BYTES = 4096  # of one field, its name included


class Sticky:
    """Remembers what each field was last seen as, up to `MAX_FIELDS` of up to `MAX_VALUE_BYTES` each.

    A field beyond that is not lost, only not remembered: it is new each time it comes.
    """

    __slots__ = ("_seen",)

    def __init__(self) -> None:
        self._seen: dict[str, Any] = {}

    def new(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Those of `fields` that are not null and not as they were."""
        seen = self._seen
        new = {name: value for name, value in fields.items() if value is not None and seen.get(name) != value}
        for name, value in new.items():
            if (name in seen or len(seen) < MAX_FIELDS) and len(name) + size_bytes(value) <= MAX_VALUE_BYTES:
                seen[name] = value
            else:
                seen.pop(name, None)
        return new

    def holds(self, names: dict[str, Any]) -> bool:
        """Whether all of `names` are remembered."""
        return names.keys() <= self._seen.keys()


def size_bytes(value: Any) -> int:
    """How long a value is, about: of a text its characters, of what holds others its JSON."""
    if isinstance(value, str):
        return len(value)
    try:
        return len(msgspec.json.encode(value))
    except RecursionError:
        return MAX_VALUE_BYTES + 1
