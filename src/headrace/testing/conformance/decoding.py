"""Checks of a decoder that is fed what its protocol says."""

from __future__ import annotations

from headrace.core.chunk import Finish
from headrace.testing import stages
from headrace.testing.conformance.case import Sample, WireCase
from headrace.testing.conformance.chunk_order import well_formed
from headrace.testing.conformance.reading import (
    decoder,
    events,
    expect_said,
    failure_of,
    fault,
    read,
    short,
    terminal_of,
)
from headrace.testing.conformance.separation import Event, joined

# Cuts chosen by hypothesis, for each sample, beside all cuts in two and byte by byte.
CUTS = 30


def adds_up(case: WireCase, sample: Sample) -> None:
    """The sample is decoded to a Finish, clean, that says what was declared."""
    chunks = read(case, sample.body)
    expect_said(chunks, sample.said, "whole", sample.body)
    terminal = terminal_of(chunks)
    if not (isinstance(terminal, Finish) and terminal.clean):
        raise fault(f"whole: expected a clean Finish, not {terminal!r}", sample.body)


def every_split(case: WireCase, sample: Sample) -> None:
    """However the bytes are cut, the chunks are the same."""
    stages.every_split(decoder(case), sample.body, examples=CUTS)


def chunk_order(case: WireCase, sample: Sample) -> None:
    """Blocks are opened, closed and numbered properly, and there is one terminal."""
    well_formed(read(case, sample.body))


def truncation(case: WireCase, sample: Sample) -> None:
    """Cut at any byte before the answer is complete, it is a retryable `truncated` failure, never a success.

    What had come before the cut is given all the same.
    """
    parts = events(case, sample)
    enough = len(parts) if sample.enough is None else sample.enough
    whole = read(case, sample.body)
    for offset in range(len(_solid(parts[:enough]))):
        cut = sample.body[:offset]
        where = f"cut at byte {offset} of {len(sample.body)}"
        chunks = read(case, cut, where)
        failure = failure_of(chunks, where, cut)
        if failure.kind != "truncated" or not failure.retryable:
            raise fault(f"{where}: expected a retryable `truncated` failure, not {short(failure)}", cut)
        if chunks[:-1] != whole[: len(chunks) - 1]:
            raise fault(f"{where}: {short(chunks[:-1])} is not how the whole reply begins", cut)


def complete_without_its_end(case: WireCase, sample: Sample) -> None:
    """Cut where the answer is complete already, it is a success; not a clean one where a mark is missing."""
    parts = events(case, sample)
    end = len(_solid(parts))
    for offset in range(len(joined(parts[: len(parts) if sample.enough is None else sample.enough])), end):
        cut = sample.body[:offset]
        where = f"cut at byte {offset} of {len(sample.body)}, behind what is enough"
        terminal = terminal_of(read(case, cut, where))
        if not isinstance(terminal, Finish) or terminal.clean == case.terminator:
            clean = "a Finish that is not clean" if case.terminator else "a clean Finish"
            raise fault(f"{where}: expected {clean}, not {short(terminal)}", cut)


def nothing_follows_the_end(case: WireCase, sample: Sample) -> None:
    """After its terminal, and after `close`, a decoder gives nothing, whatever comes."""
    stages.inert_after_close(decoder(case), sample.body)
    stage = decoder(case)()
    first = list(stage.feed(sample.body))
    if first and isinstance(first[-1], Finish):
        after = [*stage.feed(sample.body), *stage.close()]
        if after:
            raise fault(f"fed again after its Finish the decoder gave {short(after)}", sample.body)


def keep_alive(case: WireCase, sample: Sample) -> None:
    """The front's ping, at any place between events, changes nothing."""
    front = case.served
    if front is None or not front.ping:
        return
    parts = events(case, sample)
    whole = read(case, sample.body)
    for place in range(len(parts)):
        data = joined([*parts[:place], Event(front.ping, b""), *parts[place:]])
        if read(case, data) != whole:
            raise fault(f"a ping before event {place} of {len(parts)} changed the reply", data)


def _solid(parts: list[Event]) -> bytes:
    """These events without what ends the last one: from here on it may be taken for whole."""
    return joined(parts).rstrip()
