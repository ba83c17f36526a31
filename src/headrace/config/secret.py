"""A value that must not show: not in a repr, a log, an error, a JSON body or a pickle."""

from __future__ import annotations

from typing import NoReturn


class Secret:
    """Holds a key. Only `reveal()` gives it, so every place that does can be found by that word.

    It is no Struct, dataclass or str on purpose: JSON encoders refuse it.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself, for the one place that sends it."""
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __repr__(self) -> str:
        return "***"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret cannot be pickled")
