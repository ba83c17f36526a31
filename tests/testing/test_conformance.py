"""The conformance suite finds what it is there to find: each broken wire fails one check, and that alone."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from tests.testing.broken_wires import CASE, MUTANTS, WITH_BYE, KeepsAllLines, decoded_by

from headrace.core.chunk import (
    BlockEnd,
    BlockStart,
    CandidateEnd,
    Chunk,
    Citation,
    Failure,
    Finish,
    ReasoningDelta,
    Start,
    TextDelta,
    ToolResult,
    VendorPart,
)
from headrace.core.opaque import Opaque
from headrace.testing.conformance import (
    CHECKS,
    JSON_ARRAY,
    NDJSON,
    SSE,
    Event,
    Separation,
    WireCase,
    conformance_checks,
    well_formed,
    wire_conformance,
)
from headrace.testing.conformance.separation import joined

test_a_right_wire_passes = wire_conformance(CASE, WITH_BYE)


def found(case: WireCase) -> dict[str, str]:
    """The checks that fail, and what they say."""
    said: dict[str, str] = {}
    for name, check in conformance_checks(case):
        try:
            check()
        except Exception as error:  # noqa: BLE001 (a broken wire may raise anything)
            notes = getattr(error, "__notes__", ())
            said[name.partition("-")[0]] = "\n".join([str(error), *notes])
    return said


@pytest.mark.parametrize("name", MUTANTS)
def test_a_broken_wire_fails_one_check_and_that_alone(name: str) -> None:
    case, check, words = MUTANTS[name]
    failed = found(case)
    assert list(failed) == [check], failed
    assert words in failed[check]


def test_every_check_has_a_broken_wire() -> None:
    assert {check for _, check, _ in MUTANTS.values()} == set(CHECKS)


def test_without_a_front_only_what_is_decoded_is_tested() -> None:
    names = [name for name, _ in conformance_checks(WITH_BYE)]
    assert "adds_up-bye" in names
    assert not any(name.startswith(("same_events", "failures", "same_request")) for name in names)


def test_what_must_be_kept_is_declared() -> None:
    kept = decoded_by(KeepsAllLines, replace(CASE, keeps=(b"say", b"end")))
    assert found(kept) == {}


def test_a_case_that_proves_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="sample"):
        replace(CASE, samples=[])
    with pytest.raises(ValueError, match="client's body"):
        replace(CASE, asked=[])


@pytest.mark.parametrize(
    ("separated", "stream", "more"),
    [
        (SSE, b'event: a\r\ndata: {"a":1}\r\n\r\n: ping\ndata: [DONE]\n\n', b"data: 2\n\n"),
        (NDJSON, b'{"a":1}\r\n[2]\n', b"2\n"),
        (JSON_ARRAY, b'[{"a":1}\n,{"b":2}]\n', b",2"),
    ],
    ids=["sse", "ndjson", "array"],
)  # fmt: skip
def test_streams_are_taken_apart_and_put_together(separated: Separation, stream: bytes, more: bytes) -> None:
    events = separated.split(stream)
    assert joined(events) == stream
    assert events[0].data == b'{"a":1}'
    assert joined([events[0].saying(b"[]"), *events[1:]]) == stream.replace(b'{"a":1}', b"[]")
    assert separated.frame(b"2").raw == more
    for place in range(len(events)):
        longer = separated.split(joined(separated.placed(events, place, separated.frame(b"2"))))
        expected = [*events[:place], separated.frame(b"2"), *events[place:]]
        assert [one.data for one in longer] == [one.data for one in expected]


def test_half_an_event_is_no_sample() -> None:
    with pytest.raises(ValueError, match="does not end"):
        SSE.split(b"data: 1\n\ndata: 2\n")


START, OPEN, END = Start(), BlockStart(0, "text"), BlockEnd(0)


@pytest.mark.parametrize(
    ("chunks", "why"),
    [
        ([START, OPEN, TextDelta(0, "a"), END, CandidateEnd("stop"), Finish()], ""),
        ([Failure("wire", "x")], ""),
        ([START, OPEN, TextDelta(0, "a"), Failure("wire", "x")], ""),
        (
            [START, OPEN, END, Citation(0, "u"), VendorPart(Opaque("w", 1)), CandidateEnd("stop"), Finish()],
            "",
        ),
        (
            [
                START,
                OPEN,
                END,
                CandidateEnd("stop"),
                BlockStart(1, "text"),
                BlockEnd(1),
                CandidateEnd("stop"),
                Finish(),
            ],
            "",
        ),
        (
            [
                START,
                OPEN,
                END,
                CandidateEnd("tool_calls"),
                ToolResult("a"),
                START,
                BlockStart(1, "text"),
                BlockEnd(1),
                CandidateEnd("stop"),
                Finish(),
            ],
            "",
        ),
        ([START, ToolResult("a"), START, START], "a second Start"),
        ([START, OPEN, END, Finish()], "candidates [0] have not ended"),
        ([START, CandidateEnd("stop"), OPEN, END, Finish()], "candidates [0] have not ended"),
        ([], "without a terminal"),
        ([START, OPEN, END], "without a terminal"),
        ([START, Finish(), Finish()], "follows the terminal"),
        ([START, START, Finish()], "second Start"),
        ([OPEN, Finish()], "before the Start"),
        ([START, "text", Finish()], "no chunk"),
        ([START, OPEN, Finish()], "still open"),
        ([START, BlockStart(1, "text"), Finish()], "number 0"),
        ([START, OPEN, BlockStart(0, "text"), Finish()], "number 1"),
        ([START, TextDelta(0, "a"), Finish()], "not open"),
        ([START, OPEN, END, TextDelta(0, "a"), Finish()], "not open"),
        ([START, OPEN, ReasoningDelta(0, "a"), END, Finish()], "of kind text"),
        ([START, OPEN, TextDelta(0, "a", candidate=1), END, Finish()], "candidate 0's"),
        ([START, END, Finish()], "not open"),
        ([START, Citation(0, "u"), Finish()], "no block 0"),
        ([START, VendorPart(Opaque("w", 1), 2), Finish()], "not open"),
        ([START, CandidateEnd("stop"), CandidateEnd("stop"), Finish()], "ended before"),
    ],
)
def test_the_order_of_chunks(chunks: list[Chunk], why: str) -> None:
    if not why:
        well_formed(chunks)
        return
    with pytest.raises(AssertionError, match=re.escape(why)):
        well_formed(chunks)


def test_an_event_keeps_what_stands_around_its_data() -> None:
    assert Event(b"id: 1\ndata: 5\n\n", b"5").saying(b"6") == Event(b"id: 1\ndata: 6\n\n", b"6")
