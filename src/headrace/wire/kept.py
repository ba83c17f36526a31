"""What one wire keeps opaque: its own again on its own ground, left out on any other's, and said so."""

from __future__ import annotations

from typing import Any

from headrace.core.opaque import Opaque

Fields = dict[str, Any]


def own_of(vendor: Opaque | None, wire: str) -> Fields:
    """The data of what came over `wire`; empty for any other's."""
    if vendor is None or vendor.wire != wire or not isinstance(vendor.data, dict):
        return {}
    return vendor.data


def own_fields(vendor: Opaque | None, wire: str, warnings: list[str]) -> Fields:
    """A request's fields that we do not model, where they speak `wire`; a warning for each other."""
    if vendor is not None and vendor.wire != wire and isinstance(vendor.data, dict):
        for name in vendor.data:
            warn(warnings, f"{name} was left out: it belongs to the {vendor.wire} protocol")
    return own_of(vendor, wire)


def add_own(body: Fields, vendor: Opaque | None, wire: str, warnings: list[str]) -> None:
    """Put such fields into a request's body, behind what is modelled."""
    own = own_fields(vendor, wire, warnings)
    body.update({name: value for name, value in own.items() if name not in body})


def warn_opaque(warnings: list[str], vendor: Opaque) -> None:
    """Say that a part of another protocol's own was left out."""
    warn(warnings, f"a part of the {vendor.wire} protocol's own was left out: no other understands it")


def warn(warnings: list[str], said: str) -> None:
    """Say it, once."""
    if said not in warnings:
        warnings.append(said)
