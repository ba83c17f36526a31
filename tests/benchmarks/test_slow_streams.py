"""The far end of thousands of slow streams, and what is gathered of them."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from benchmarks.rig.crowd import Gathered, TimedReader, gather
from benchmarks.rig.protocols import CHAT, words
from benchmarks.rig.ticker import OPENING, PIECES, STAMP_DIGITS, ending
from benchmarks.rig.verify import fault_of, read_answer

from headrace.core.fold import fold
from headrace.testing.stages import run
from headrace.wire import wire_named


def piece(number: int, at_ns: int) -> bytes:
    before, after = PIECES[number % len(PIECES)]
    return b"%b%019d%b" % (before, at_ns, after)


def played(count: int, at_ns: int = 5) -> list[bytes]:
    """The writes of a whole stream."""
    return [OPENING + piece(0, at_ns), *(piece(number, at_ns) for number in range(1, count)), ending(count)]


@pytest.mark.parametrize("count", [1, 9, 25])
def test_a_stream_of_stamped_pieces_is_whole(count: int) -> None:
    raw = b"".join(played(count, time.monotonic_ns()))
    answer = read_answer(raw)
    assert fault_of(answer, "".join(words(count))) == ""
    assert answer.output_tokens == count
    body = re.sub(rb"[0-9a-f]+\r\n(data: .*?\n\n)\r\n", rb"\1", raw.partition(b"\r\n\r\n")[2], flags=re.S)
    reply = fold(run(wire_named(CHAT.name).decoder(), [[body.removesuffix(b"0\r\n\r\n")]]))
    assert (reply.text, reply.finish_reason, reply.failure) == (answer.text, "stop", None)


def test_a_stamp_has_room_for_ages() -> None:
    assert len(str(time.monotonic_ns() * 1000)) <= STAMP_DIGITS


def reader_of(parts: list[bytes], at_ns: int) -> TimedReader:
    reader: Any = object.__new__(TimedReader)  # asyncio's events need no loop here: nothing waits
    reader.parts, reader.times_ns = parts, [at_ns] * len(parts)
    return reader


def test_each_piece_is_gathered_with_its_delay() -> None:
    found = Gathered()
    gather(reader_of(played(3, 1_000_000), 3_500_000), CHAT.name, found)
    assert (found.whole, found.pieces, found.wrong) == (1, 3, [])
    assert (found.written_ns, found.delays_ms) == ([1_000_000] * 3, [2.5] * 3)


@pytest.mark.parametrize(
    "parts",
    [
        [],
        played(3)[:-1],  # cut
        [*played(3)[:2], *played(3)[3:]],  # a piece lost
        [*played(3)[:2], *played(3)[1:]],  # a piece doubled
        [b"HTTP/1.1 503 Service Unavailable\r\n\r\n{}"],
    ],
)
def test_what_is_not_whole_is_counted_as_wrong(parts: list[bytes]) -> None:
    found = Gathered()
    gather(reader_of(parts, 10), CHAT.name, found)
    assert (found.whole, found.pieces, len(found.wrong)) == (0, 0, 1)
