"""What lists of models have in common, whatever their protocol: they are read like anything from outside."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from headrace.core.model import ModelCard
from headrace.errors import WireError
from headrace.wire.plain import read_plain
from headrace.wire.reading import UNREADABLE

Fields = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ModelPage:
    """A part of a list. cards: ids as the vendor says them. next_path: of the next page, empty: the last."""

    cards: tuple[ModelCard, ...]
    next_path: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """How a wire asks for its models. path: of the first page, under the base URL.

    read: the body of a page -> the page. Raises WireError. at: the provider's base URL -> that of its list,
    where a vendor has it on another host of its own.
    """

    path: str
    read: Callable[[bytes], ModelPage]
    at: Callable[[str], str] = lambda base_url: base_url


def entries(body: bytes, name: str) -> tuple[list[Fields], Fields]:
    """The models' objects of a list, and the object whose field `name` it is (a bare list has none).

    What is no object in it is left out. Raises WireError for what is no list.
    """
    tree = read_json(body)
    whole = tree if isinstance(tree, dict) else {}
    found = whole.get(name) if isinstance(tree, dict) else tree
    if not isinstance(found, list):
        raise WireError(f"a model list without {name}", code="bad_model_list")
    return [each for each in found if isinstance(each, dict)], whole


def read_json(body: bytes) -> Any:
    """The body as plain data. Raises WireError."""
    try:
        return read_plain(body)
    except UNREADABLE:
        raise WireError("a model list that is not JSON", code="bad_model_list") from None


def number(entry: Fields, *names: str) -> int:
    """The first of these fields that holds a whole number above 0, else 0."""
    values = (entry.get(name) for name in names)
    return next((value for value in values if type(value) is int and value > 0), 0)


def text(entry: Fields, *names: str) -> str:
    """The first of these fields that holds a text, else an empty one."""
    values = (entry.get(name) for name in names)
    return next((value for value in values if isinstance(value, str) and value), "")
