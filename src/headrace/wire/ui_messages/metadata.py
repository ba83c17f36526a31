"""`providerMetadata`: what wires keep opaque, as the protocol carries it, both ways.

It is a map of maps, by provider. Ours holds {wire: data} of one wire, and beside it, under "headrace", marks
of our own for what the protocol has no word for. What is none of ours (another server's providers, fields
that are not modelled) is kept as this wire's own: the part's further fields, to be written as they came.

A reader of the package keeps for each part what was said last; an empty map takes back what was said.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, TypeGuard

from headrace.core.opaque import Opaque
from headrace.wire import WIRES
from headrace.wire.kept import own_of

WIRE_NAME = "ui_messages"
FIELD = "providerMetadata"
MARKS = "headrace"
Part = dict[str, Any]
NO_MARKS: Mapping[str, Any] = {}


def own(vendor: Opaque | None) -> Part:
    """The data of what came over this wire; empty for any other."""
    return own_of(vendor, WIRE_NAME)


def is_own(vendor: Opaque | None) -> bool:
    """Whether it came over this wire."""
    return vendor is not None and vendor.wire == WIRE_NAME


def with_metadata(
    part: Part, vendor: Opaque | None, marks: Mapping[str, Any] = NO_MARKS, *, field: str = FIELD
) -> Part:
    """The part with what its vendor's wire keeps opaque, such as a signature, and with our marks."""
    metadata: Part = {}
    if is_own(vendor):
        beside = own(vendor)
        part.update({name: value for name, value in beside.items() if name != FIELD})
        metadata.update(beside.get(FIELD) or {})
    elif says(vendor):
        metadata[vendor.wire] = vendor.data
    if marks:
        metadata[MARKS] = dict(marks)
    if metadata:
        part[field] = metadata
    return part


def says(vendor: Opaque | None) -> TypeGuard[Opaque]:
    """Whether there is anything to be told. Of another wire, nothing is something too: a mark of its own."""
    return vendor is not None and isinstance(vendor.data, dict) and (bool(vendor.data) or not is_own(vendor))


def read_beside(part: Part, known: Collection[str]) -> tuple[Opaque | None, Part]:
    """(what a part says beyond its `known` fields, our marks)."""
    extra = {name: value for name, value in part.items() if name not in known}
    metadata = extra.pop(FIELD, None)
    vendor, marks = read_metadata(metadata)
    if extra:
        if isinstance(metadata, dict) and metadata:
            extra[FIELD] = _without_marks(metadata)
        return Opaque(WIRE_NAME, extra), marks
    return vendor, marks


def read_metadata(metadata: Any) -> tuple[Opaque | None, Part]:
    """(what the metadata keeps opaque, our marks); of one of our wires where it is that alone."""
    if not isinstance(metadata, dict) or not metadata:
        return None, {}
    marks = metadata.get(MARKS)
    rest = _without_marks(metadata)
    read = marks if isinstance(marks, dict) else {}
    if len(rest) == 1:
        ((wire, data),) = rest.items()
        if wire in WIRES and wire != WIRE_NAME and isinstance(data, dict):
            return Opaque(wire, data), read
    return (Opaque(WIRE_NAME, {FIELD: rest}) if rest else None), read


def _without_marks(metadata: Part) -> Part:
    return {name: value for name, value in metadata.items() if name != MARKS}
