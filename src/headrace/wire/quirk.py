"""How a wire says in which ways a provider may differ from it: its quirks, each with its kind of value.

A wire's folder declares its own as `QUIRKS` in `quirks.py` and puts them into its `WIRE`. What is not
declared there cannot be set, and a test holds that each one is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeAlias

import msgspec


@dataclass(frozen=True, slots=True)
class Kind:
    """What a quirk's value must be. type: as msgspec checks it. words: as people read it."""

    type: Any
    words: str


FLAG = Kind(bool, "true or false")
COUNT = Kind(Annotated[int, msgspec.Meta(gt=0)], "a whole number above 0")
TEXT = Kind(str, "a text")
TEXTS = Kind(tuple[str, ...], "a list of texts")
TEMPLATE = Kind(Annotated[str, msgspec.Meta(pattern=r"\{\}")], "a text with {} in it")


_literal: Any = Literal  # of names that a type checker does not know


def one_of(*names: str) -> Kind:
    """One of these texts."""
    return Kind(_literal[names], f"one of {', '.join(names)}" if len(names) > 1 else names[0])


def some_of(*names: str) -> Kind:
    """A list of some of these texts."""
    return Kind(tuple[_literal[names], ...], f"a list of some of {', '.join(names)}")


@dataclass(frozen=True, slots=True)
class Quirk:
    """One way in which a provider may differ. meaning: one line, for the reference page."""

    kind: Kind
    meaning: str


Quirks: TypeAlias = Mapping[str, Quirk]

DROP = Quirk(TEXTS, "body fields that it refuses")
REFUSED = "{} was left out: this provider does not take it"


def drop_refused(body: dict[str, Any], names: Iterable[str], warnings: list[str]) -> None:
    """Leave out of a body the fields that a provider refuses, with a warning for each that was there."""
    warnings += [REFUSED.format(name) for name in names if body.pop(name, None) is not None]
