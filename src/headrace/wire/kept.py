"""What one wire keeps opaque: its own again on its own ground, left out on any other's, and said so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import msgspec

from headrace.core.excerpt import excerpt
from headrace.core.message import Message, OpaquePart, Part
from headrace.core.opaque import Opaque

Fields = dict[str, Any]
MAX_WARNINGS = 64  # of one request: it may hold any number of fields that nobody knows
_MORE = "there is more that has no effect than is told here"
# The fields of an object that chunks carry themselves; with each that is an object the same of it, else None.
Known: TypeAlias = Mapping[str, "Known | None"]


def own_of(vendor: Opaque | None, wire: str) -> Fields:
    """The data of what came over `wire`; empty for any other's."""
    if vendor is None or vendor.wire != wire or not isinstance(vendor.data, dict):
        return {}
    return vendor.data


def own_fields(vendor: Opaque | None, wire: str, warnings: list[str]) -> Fields:
    """A request's fields that we do not model, where they speak `wire`; a warning for each other."""
    if vendor is not None and vendor.wire != wire and isinstance(vendor.data, dict):
        warn_each(warnings, (left_out(name, vendor.wire) for name in vendor.data))
    return own_of(vendor, wire)


def add_own(body: Fields, vendor: Opaque | None, wire: str, warnings: list[str]) -> None:
    """Put such fields into a request's body, behind what is modelled."""
    own = own_fields(vendor, wire, warnings)
    body.update({name: value for name, value in own.items() if name not in body})


def understood(messages: Iterable[Message], wire: str, warnings: list[str]) -> list[Message]:
    """The messages without the opaque parts of other wires; one that held nothing else is left out whole."""
    taken: list[Message] = []
    for message in messages:
        parts = tuple(part for part in message.parts if not _is_foreign(part, wire, warnings))
        if len(parts) == len(message.parts):
            taken.append(message)
        elif parts:
            taken.append(msgspec.structs.replace(message, parts=parts))
    return taken


def _is_foreign(part: Part, wire: str, warnings: list[str]) -> bool:
    if not isinstance(part, OpaquePart) or part.vendor.wire == wire:
        return False
    warn(warnings, f"a part of the {part.vendor.wire} protocol's own was left out: no other understands it")
    return True


def left_out(name: str, wire: str) -> str:
    """The warning for a field of another wire's."""
    return f"{excerpt(name)} was left out: it belongs to the {wire} protocol"


def only_here(name: str) -> str:
    """The warning for a field that no other wire has."""
    return f"{excerpt(name)} has an effect only at a provider that speaks this protocol"


def warn(warnings: list[str], said: str) -> None:
    """Say it, once. Of very many things the first are said, and that there are more."""
    if len(warnings) < MAX_WARNINGS:
        if said not in warnings:
            warnings.append(said)
    elif len(warnings) == MAX_WARNINGS and said not in warnings:
        warnings.append(_MORE)


def warn_each(warnings: list[str], said: Iterable[str]) -> None:
    """Say each, once."""
    for one in said:
        warn(warnings, one)


def left_over(value: Fields, known: Known) -> Fields:
    """What of a JSON object is not known, in the objects it stands in. See `put_back`."""
    left: Fields = {}
    for name, one in value.items():
        if name not in known:
            left[name] = one
            continue
        within = known[name]
        if within is not None and isinstance(one, dict):
            more = left_over(one, within)
            if more:
                left[name] = more
    return left


def put_back(body: Fields, kept: Fields) -> Fields:
    """The object with what was left over of it in its place; what it says itself stands."""
    merged = {**body, **{name: kept[name] for name in kept if name not in body}}
    for name, one in kept.items():
        told = body.get(name)
        if isinstance(one, dict) and isinstance(told, dict):
            merged[name] = put_back(told, one)
    return merged
