"""JSON that is nested too deep is refused where it is read, not in an encoder where the stack is fuller."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.wire.test_conformance import CASES

from headrace.errors import RequestError
from headrace.testing import stages
from headrace.testing.conformance.case import WireCase
from headrace.testing.conformance.reading import decoder, events, json_of
from headrace.testing.conformance.separation import Event
from headrace.wire.plain import MAX_DEPTH, read_plain

FRAMES = 300  # of a stack that is fuller where chunks are written than where they were read
DEPTHS = (MAX_DEPTH * 2, 950, 980)  # what the reader's own stack lets through, and not
_MARK = "-deep-"


def nested(depth: int, open_: str = "[", close: str = "]") -> str:
    return open_ * depth + close * depth


@pytest.mark.parametrize(("open_", "close"), [("[", "]"), ('{"a":[', "]}")])
def test_the_limit(open_: str, close: str) -> None:
    depth = MAX_DEPTH // open_.count("[") // len(open_.split(":"))
    text = open_ * depth + "1" + close * depth
    assert read_plain(text) == read_plain(text.encode())
    with pytest.raises(msgspec.DecodeError, match=f"nested more than {MAX_DEPTH} deep"):
        read_plain(nested(depth + 1, open_, close))


def name_of(case: WireCase) -> str:
    return case.name or case.wire.name


def objects(value: Any) -> list[dict[str, Any]]:
    """Every object in plain data."""
    if isinstance(value, list):
        return [found for one in value for found in objects(one)]
    if isinstance(value, dict):
        return [value, *(found for one in value.values() for found in objects(one))]
    return []


def hostile(case: WireCase) -> list[bytes]:
    """Its samples with something deep in every object of every event in turn."""
    return [stream for sample in case.samples for stream in _hostile(case, list(events(case, sample)))]


def _hostile(case: WireCase, parts: list[Event]) -> list[bytes]:
    streams: list[bytes] = []
    for place, part in enumerate(parts):
        event = json_of(part) if part.data[:1] == b"{" else None
        for held in objects(event):
            held["novel"] = _MARK
            text = msgspec.json.encode(event).decode()
            del held["novel"]
            for depth in DEPTHS:
                for deep in (nested(depth), nested(depth, '{"\\ud800":', "}").replace(":}", ":1}")):
                    bad = case.separated.frame(text.replace(f'"{_MARK}"', deep).encode())
                    torn = [*parts[:place], bad, *parts[place + 1 :]]
                    streams.append(b"".join(one.raw for one in torn))
    return streams


def deeper(frames: int, value: Any) -> bytes:
    """The value as JSON, written with so many more frames on the stack."""
    return deeper(frames - 1, value) if frames else msgspec.json.encode(value)


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_what_a_decoder_gives_can_be_written(case: WireCase) -> None:
    streams = hostile(case)
    assert streams
    for stream in streams:
        chunks = stages.run(decoder(case)(), [stream])
        stages.one_terminal(chunks)
        deeper(FRAMES, chunks)


@pytest.mark.parametrize(
    "case", [one for one in CASES if one.served], ids=lambda case: case.name or case.wire.name
)
def test_what_a_client_asks_can_be_written(case: WireCase) -> None:
    assert case.served is not None
    for asked in case.asked:
        if asked.body[:1] != b"{":
            continue
        body = msgspec.json.decode(asked.body)
        for held in objects(body):
            held["novel"] = _MARK
            text = msgspec.json.encode(body).decode()
            del held["novel"]
            for depth in DEPTHS:
                with pytest.raises(RequestError):
                    case.served.parse(text.replace(f'"{_MARK}"', nested(depth)).encode(), asked.path)
