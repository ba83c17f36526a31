"""Checks of a decoder that is fed what its protocol does not say: garbage, wrong types, the unknown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from fnmatch import fnmatchcase
from typing import Any

import msgspec

from headrace.core.chunk import Chunk, Failure, Finish
from headrace.errors import KINDS, ProviderError
from headrace.testing import stages
from headrace.testing.conformance.case import Said, Sample, WireCase
from headrace.testing.conformance.reading import (
    decoder,
    events,
    expect_said,
    fault,
    json_of,
    objects,
    read,
    read_any_way,
    said,
    short,
    write,
)
from headrace.testing.conformance.separation import joined

GARBAGE: tuple[bytes, ...] = (
    *(b"{]}", b"nothing", b"\x00", b"5", b"null", b'"text"', b"[]", b"[1]", b"{}", b'{"a":1}{"b":2}'),
    *(b'{"a":"\xff"}', b'{"a":"\\ud800"}', b'{"a":1e999}', b'{"a":' + b"[" * 5_000 + b"]" * 5_000 + b"}"),
)
WRONG: tuple[Any, ...] = (None, True, -1, 10**30, 0.5, "text", [], [1], {}, {"a": 1})
UNKNOWN = "x_unknown"
_PLACES = 32  # offsets at which each piece of garbage is put into a sample
# What a stream that breaks its protocol may end in: the far end's own words may be among it.
_TYPED = {"wire", "truncated"} | {kind for kind, of in KINDS.items() if issubclass(of, ProviderError)}


def garbage_bytes(case: WireCase, sample: Sample) -> None:
    """Bytes that do not belong there, at any offset: nothing raises, the cuts do not show, one terminal."""
    stages.garbage_everywhere(decoder(case), sample.body, chunks=True, most=_PLACES)


def garbage_events(case: WireCase, sample: Sample) -> None:
    """A whole event of garbage before any event is a `wire` failure, or is passed over."""
    parts = events(case, sample)
    intact = said(read(case, sample.body))
    slowly = (0, len(parts) // 2)  # byte by byte too
    for bad in GARBAGE:
        for place in range(len(parts)):
            data = joined(case.separated.placed(parts, place, case.separated.frame(bad)))
            where = f"{short(bad)} before event {place} of {len(parts)}"
            chunks = (read_any_way if place in slowly else read)(case, data, where)
            last = chunks[-1]
            if isinstance(last, Finish) and said(chunks) == intact:
                continue
            if not (isinstance(last, Failure) and last.kind == "wire"):
                raise fault(f"{where}: expected a `wire` failure or no change, not {short(last)}", data)


def wrong_types(case: WireCase, sample: Sample) -> None:
    """Any field of any event with a value of a wrong type: nothing raises, and a failure is a typed one."""
    parts = events(case, sample)
    for place, part in enumerate(parts):
        for path, changed in mistyped(json_of(part)):
            event = part.saying(as_json(changed))
            data = joined([*parts[:place], event, *parts[place + 1 :]])
            last = read(case, data, f"event {place} with another {path}")[-1]
            if isinstance(last, Failure) and last.kind not in _TYPED:
                raise fault(f"event {place} with another {path}: {short(last)} is not typed", data)


def unknown_events(case: WireCase, sample: Sample) -> None:
    """An event of an unknown kind, before any event: the reply is the same, and the event is kept."""
    if case.unknown_event is None:
        return
    parts = events(case, sample)
    intact = said(read(case, sample.body))
    event = case.separated.frame(as_json(case.unknown_event))
    for place in range(len(parts)):
        data = joined(case.separated.placed(parts, place, event))
        where = f"an unknown event before event {place} of {len(parts)}"
        chunks = read(case, data, where)
        expect_said(chunks, intact, where, data)
        if not any(_holds(one, case.unknown_event) for one in _kept(case, chunks)):
            raise fault(f"{where} was lost", data)


def unknown_fields(case: WireCase, sample: Sample) -> None:
    """A field that is not known, in any object of any event: the reply is the same, and the field is kept."""
    parts = events(case, sample)
    intact = said(read(case, sample.body))
    found: list[str] = []
    for place, part in enumerate(parts):
        event = json_of(part)
        if event is None or case.spelling(event) is None:
            continue  # an event that may be left out may lose its fields
        for path, changed in _extended(event):
            if any(fnmatchcase(path, pattern) for pattern in (*case.forgets, *case.free_form)):
                continue
            data = joined([*parts[:place], part.saying(as_json(changed)), *parts[place + 1 :]])
            why = _lost(case, intact, data)
            if why:
                found.append(f"event {place}, {path or 'the event itself'}: {why}")
    if found:
        raise fault(f"a field {UNKNOWN} more in one object of one event:\n  " + "\n  ".join(found))


def _lost(case: WireCase, intact: Said, data: bytes) -> str:
    """What became of the reply with an unknown field; empty where nothing did and the field is kept."""
    try:
        chunks = read(case, data, "decoded")
        expect_said(chunks, intact, "decoded", data)
        kept = _kept(case, chunks)
    except AssertionError as error:
        return str(error).partition("\n")[0]
    mark = {UNKNOWN: _MARK}
    return "" if any(_holds(one, mark) for value in kept for _, one in objects(value)) else "it was lost"


_MARK = {"kept": [1, None]}


def _kept(case: WireCase, chunks: list[Chunk]) -> list[Any]:
    """Where what is not modelled must be found: encoded again, or in the chunks of a wire without a front."""
    if case.served is None:
        return [value for _, value in objects(msgspec.to_builtins(chunks))]
    return [json_of(event) for event in case.separated.split(write(case, chunks))]


def _holds(value: Any, wanted: Any) -> bool:
    return isinstance(value, dict) and all(name in value and value[name] == wanted[name] for name in wanted)


def mistyped(value: Any) -> Iterator[tuple[str, Any]]:
    """The value with one field after the other changed to each wrong value, and the field's path."""
    for path, _ in objects(value):
        for name in list(_at(value, path)):
            for wrong in WRONG:
                changed = deepcopy(value)
                _at(changed, path)[name] = wrong
                yield f"{path}.{name}".lstrip("."), changed


def _extended(event: Any) -> Iterator[tuple[str, Any]]:
    """The event with a field more in one object after the other."""
    for path, _ in objects(event):
        changed = deepcopy(event)
        _at(changed, path)[UNKNOWN] = _MARK
        yield path, changed


def as_json(value: Any) -> bytes:
    """JSON as vendors write it: also what our own writer refuses, such as numbers of any size."""
    return json.dumps(value, separators=(",", ":")).encode()


def _at(value: Any, path: str) -> Any:
    for step in path.split(".") if path else ():
        value = value[int(step)] if isinstance(value, list) else value[step]
    return value
