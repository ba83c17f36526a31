"""Blocks in any order come out one behind the other."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from tests.wire.scripted import EVERYTHING

from headrace.core.chunk import (
    BlockEnd,
    BlockStart,
    Citation,
    ImageDelta,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
)
from headrace.wire.one_block import BlockChunk, OneBlock, Overrun

CALL_A, CALL_B = BlockStart(0, "tool-call", "a", "f"), BlockStart(1, "tool-call", "b", "g")
TEXT = BlockStart(2, "text")


def ordered(*chunks: Any, kinds: tuple[Any, ...] = ("text", "reasoning", "tool-call")) -> list[BlockChunk]:
    order = OneBlock(kinds, ("text",))
    out: list[BlockChunk] = []
    for chunk in chunks:
        order.take(chunk, out)
    order.finish(out)
    assert order.number == -1
    return out


@pytest.mark.parametrize(
    ("chunks", "wanted"),
    [
        # A whole call ends where another block begins; one that is not whole holds it back.
        (
            [CALL_A, ToolCallDelta(0, "{}"), CALL_B, ToolCallDelta(1, "{}"), BlockEnd(0), BlockEnd(1)],
            [CALL_A, ToolCallDelta(0, "{}"), BlockEnd(0), CALL_B, ToolCallDelta(1, "{}"), BlockEnd(1)],
        ),
        (
            [CALL_A, ToolCallDelta(0, "{"), CALL_B, ToolCallDelta(1, "{}"), ToolCallDelta(0, "}"),
             BlockEnd(1), BlockEnd(0)],
            [CALL_A, ToolCallDelta(0, "{"), ToolCallDelta(0, "}"), BlockEnd(0),
             CALL_B, ToolCallDelta(1, "{}"), BlockEnd(1)],
        ),
        # What was not opened is opened, what was not ended is ended.
        ([TextDelta(5, "x")], [BlockStart(5, "text"), TextDelta(5, "x"), BlockEnd(5)]),
        ([TEXT, CALL_A], [TEXT, BlockEnd(2), CALL_A, BlockEnd(0)]),
        # What has no place is left out.
        ([BlockStart(0, "image"), ImageDelta(0, b"x"), ImageDelta(3, b"y"), BlockEnd(0)], []),
        # A source outside of text has a text of its own.
        (
            [CALL_A, ToolCallDelta(0, "{"), Citation(0, "http://a"), ToolCallDelta(0, "}"), BlockEnd(0)],
            [CALL_A, ToolCallDelta(0, "{"), ToolCallDelta(0, "}"), BlockEnd(0),
             BlockStart(-3, "text"), Citation(0, "http://a"), BlockEnd(-3)],
        ),
        (
            [BlockStart(0, "reasoning"), Citation(0, "u"), ReasoningDelta(0, "hm")],
            [BlockStart(0, "reasoning"), BlockEnd(0), BlockStart(-3, "text"), Citation(0, "u"), BlockEnd(-3),
             BlockStart(0, "reasoning"), ReasoningDelta(0, "hm"), BlockEnd(0)],
        ),
        ([TEXT, Citation(0, "u"), BlockEnd(2)], [TEXT, Citation(0, "u"), BlockEnd(2)]),
    ],
)  # fmt: skip
def test_order(chunks: list[Any], wanted: list[Any]) -> None:
    assert ordered(*chunks) == wanted


def test_a_call_that_goes_on_after_its_end_is_an_overrun() -> None:
    with pytest.raises(Overrun, match="tool call 0 went on"):
        ordered(CALL_A, ToolCallDelta(0, "{}"), TEXT, ToolCallDelta(0, "{}"))
    assert ordered(CALL_A, ToolCallDelta(0, "{}"), TEXT, ToolCallDelta(0, " "))[-1] == BlockEnd(2)


def test_nothing_is_lost_and_never_are_two_open() -> None:
    blocks = [one for one in EVERYTHING if hasattr(one, "block")]
    out = ordered(*blocks)
    assert sorted(map(repr, out)) == sorted(map(repr, blocks))
    bounds = [one for one in out if isinstance(one, BlockStart | BlockEnd)]
    assert all(type(one) is not type(after) for one, after in pairwise(bounds))
