"""The table of checks, and the pytest items that they make of a wire."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

from headrace.testing.conformance import asking, decoding, encoding, failing, load, tolerance
from headrace.testing.conformance.case import WireCase

Check = Callable[[], None]


class Row(NamedTuple):
    """One check. each: what it is run for, beside the case. front: whether it needs a server's side."""

    check: Callable[..., None]
    each: str = "samples"
    front: bool = False


CHECKS: dict[str, Row] = {
    check.__name__: Row(check, each, front)
    for check, each, front in (
        (decoding.adds_up, "samples", False),
        (decoding.every_split, "samples", False),
        (decoding.chunk_order, "samples", False),
        (decoding.truncation, "samples", False),
        (decoding.complete_without_its_end, "samples", False),
        (decoding.nothing_follows_the_end, "samples", False),
        (decoding.keep_alive, "samples", True),
        (tolerance.garbage_bytes, "samples", False),
        (tolerance.garbage_events, "samples", False),
        (tolerance.wrong_types, "samples", False),
        (tolerance.unknown_events, "samples", False),
        (tolerance.unknown_fields, "samples", False),
        (load.linear_in_events, "samples", False),
        (load.linear_drip_fed, "samples", False),
        (load.bounded_stream, "samples", False),
        (load.bounded_names, "samples", False),
        (load.bounded_event, "samples", False),
        (load.encoder_linear, "samples", True),
        (encoding.same_events, "samples", True),
        (encoding.same_reply, "samples", True),
        (encoding.any_grouping, "samples", True),
        (encoding.cut_source, "samples", True),
        (encoding.usage_converted, "samples", True),
        (encoding.others_parts, "samples", True),
        (encoding.whole_body, "samples", True),
        (failing.failures, "samples", True),
        (failing.cancelled, "samples", True),
        (failing.error_bodies, "", True),
        (failing.misfits, "", False),
        (asking.same_request, "asked", True),
        (asking.bad_requests, "asked", True),
        (asking.long_values, "asked", True),
    )
}


def conformance_checks(case: WireCase) -> Iterator[tuple[str, Check]]:
    """(name, check) of all that the wire must pass. A check raises AssertionError that says what broke.

    The name is the check's, and behind a dash the sample's, or the number of the client's body.
    """
    for name, row in CHECKS.items():
        if row.front and case.served is None:
            continue
        if not row.each:
            yield name, partial(row.check, case)
        elif row.each == "samples":
            for sample in case.samples:
                yield f"{name}-{sample.name}", partial(row.check, case, sample)
        else:
            for place, asked in enumerate(case.asked):
                yield f"{name}-{place}", partial(row.check, case, asked)


def wire_conformance(*cases: WireCase) -> Callable[[Check], None]:
    """A pytest test, one item for each check of each case: give it a name that begins with `test_`.

    test_my_wire = wire_conformance(CASE)
    """
    import pytest

    items: list[Any] = [
        pytest.param(check, id=f"{case.name or case.wire.name}-{name}")
        for case in cases
        for name, check in conformance_checks(case)
    ]

    @pytest.mark.parametrize("check", items)
    def test_conformance(check: Check) -> None:
        check()

    return test_conformance
