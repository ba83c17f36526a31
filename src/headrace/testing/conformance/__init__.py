"""The conformance suite for wires: what any wire must keep to, in both directions.

    from headrace.testing.conformance import ClientBody, Said, Sample, WireCase, wire_conformance

    CASE = WireCase(WIRE, [Sample("text", TEXT, Said(text="Hello"))], asked=[ClientBody(BODY)])
    test_my_wire = wire_conformance(CASE)

Needs `pip install headrace[testing]`.
"""

from __future__ import annotations

from headrace.testing.conformance.case import ClientBody, Said, Sample, WireCase
from headrace.testing.conformance.chunk_order import well_formed
from headrace.testing.conformance.separation import JSON_ARRAY, NDJSON, SSE, Event, Separation
from headrace.testing.conformance.suite import CHECKS, conformance_checks, wire_conformance

__all__ = [
    "CHECKS",
    "JSON_ARRAY",
    "NDJSON",
    "SSE",
    "ClientBody",
    "Event",
    "Said",
    "Sample",
    "Separation",
    "WireCase",
    "conformance_checks",
    "well_formed",
    "wire_conformance",
]
