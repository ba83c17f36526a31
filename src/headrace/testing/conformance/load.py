"""Checks of what a wire costs: work linear in its input, counted and not timed; memory bounded."""

from __future__ import annotations

from headrace.core.chunk import Failure
from headrace.testing import work
from headrace.testing.conformance.case import Sample, WireCase
from headrace.testing.conformance.reading import (
    decoder,
    encoder,
    events,
    fault,
    json_of,
    read,
    short,
)
from headrace.testing.conformance.separation import Event, joined
from headrace.testing.conformance.tolerance import UNKNOWN, as_json

FEW, MANY = 32, 256  # times an event comes
GROWTH_BYTES = 8  # that a decoder may hold more for each further event
KEPT_RATIO = 8  # of an event that it must keep: so much more than its bytes may the objects take
MAX_EVENT_BYTES = 16 * 2**20
_SLACK_BYTES = 2**20
_BLANKS = b" " * 8
_NOT_DRIPPED = ("unit by unit", "in one piece")


def linear_in_events(case: WireCase, sample: Sample) -> None:
    """However often any event of the sample comes, each costs the same."""
    parts = events(case, sample)
    for place, unit in _units(case, parts):
        try:
            work.linear(
                decoder(case),
                unit,
                first=_before(parts, place),
                times=FEW,
                ways=("unit by unit", "in one piece"),
            )
        except AssertionError as error:
            raise fault(f"event {place} of {len(parts)}, again and again: {error}", unit) from None


def linear_drip_fed(case: WireCase, sample: Sample) -> None:
    """Fed byte by byte, many events and one long event cost what their bytes cost."""
    parts = events(case, sample)
    place, unit = _units(case, parts)[len(parts) // 2]
    begun, _ = _torn(parts, place)
    for first, again, times in ((_before(parts, place), unit, 4), (begun, _BLANKS, 32)):
        try:
            work.linear(decoder(case), again, first=first, times=times, ways=("item by item",))
        except AssertionError as error:
            raise fault(f"event {place} of {len(parts)}: {error}", again) from None


def bounded_stream(case: WireCase, sample: Sample) -> None:
    """What a decoder holds does not grow with the number of events, but of those that it must keep."""
    parts = events(case, sample)
    for place, unit in _units(case, parts):
        few, many = (_held(case, _before(parts, place), unit, times) for times in (FEW, MANY))
        if many - few > (KEPT_RATIO * len(unit) if _is_kept(case, unit) else GROWTH_BYTES) * (MANY - FEW):
            grew = f"held {few} bytes after {FEW} and {many} after {MANY}"
            raise fault(f"event {place} of {len(parts)}, again and again: the decoder {grew}", unit)


def bounded_names(case: WireCase, sample: Sample) -> None:
    """What a decoder remembers of fields that it does not know does not grow with their number."""
    parts = events(case, sample)
    units = _units(case, parts)
    units = [one for one in units if not _is_kept(case, one[1])] or units
    place, unit = units[len(units) // 2]
    event = json_of(parts[place])
    if not isinstance(event, dict):
        return
    growth: list[int] = []
    for new in (False, True):  # what must be kept of the event itself grows without new names too
        held: list[int] = []
        stage = decoder(case)()
        stage.feed(_before(parts, place))
        for number in range(1, 4 * MANY + 1):
            more = as_json({**event, f"{UNKNOWN}_{number * new}": "x" * 100})
            stage.feed(unit.replace(parts[place].data, more))
            if number in (2 * MANY, 4 * MANY):
                held.append(work.held_bytes(stage))
        growth.append(held[1] - held[0])
    if growth[1] - growth[0] > GROWTH_BYTES * 2 * MANY:
        grew = f"{growth[1]} bytes in {2 * MANY} events, {growth[0]} without"
        raise fault(f"event {place} with ever new fields: the decoder grew by {grew}", unit)


def bounded_event(case: WireCase, sample: Sample) -> None:
    """An event that never ends is a `wire` failure before more than 16 MiB of it are held."""
    parts = events(case, sample)
    begun, _ = _torn(parts, len(parts) // 2)
    stage = decoder(case)()
    stage.feed(begun)
    piece = b" " * 2**20
    for count in range(MAX_EVENT_BYTES // len(piece) + 2):
        out = stage.feed(piece)
        if out:
            last = out[-1]
            if not (isinstance(last, Failure) and last.kind == "wire"):
                raise fault(f"an event without an end: expected a `wire` failure, not {short(last)}")
            return
        held = work.held_bytes(stage)
        if held > MAX_EVENT_BYTES + 2 * _SLACK_BYTES:
            raise fault(f"an event without an end: {held} bytes of it are held after {count + 1} MiB")
    raise fault(f"an event without an end is no failure after {count + 1} MiB")


def encoder_linear(case: WireCase, sample: Sample) -> None:
    """However often any chunk of the sample comes, each costs the same to encode."""
    chunks = read(case, sample.body)
    for place in range(len(chunks) - 1):
        try:
            work.linear(encoder(case), chunks[place : place + 1], first=chunks[:place], times=FEW)
        except AssertionError as error:
            raise fault(f"chunk {short(chunks[place])}, again and again: {error}") from None


def _units(case: WireCase, parts: list[Event]) -> list[tuple[int, bytes]]:
    """Each event as it comes behind others, with its place."""
    said = [(place, part) for place, part in enumerate(parts) if part.data]
    return [(place, part.raw if place else case.separated.frame(part.data).raw) for place, part in said]


def _is_kept(case: WireCase, unit: bytes) -> bool:
    return any(word in unit for word in case.keeps)


def _before(parts: list[Event], place: int) -> bytes:
    """The stream before the event at `place`; before the first, which comes again, the first."""
    return joined(parts[: place or 1])


def _torn(parts: list[Event], place: int) -> tuple[bytes, bytes]:
    """The stream cut behind the first byte of the data of the event at `place`, which has some."""
    part = parts[place] if parts[place].data else parts[0]
    at = part.raw.index(part.data) + 1
    return joined(parts[: parts.index(part)]) + part.raw[:at], part.raw[at:]


def _held(case: WireCase, first: bytes, unit: bytes, times: int) -> int:
    stage = decoder(case)()
    stage.feed(first)
    for _ in range(times):
        stage.feed(unit)
    return work.held_bytes(stage)
