"""Results of tools in a stream of chunks: every encoder but one has no place for them, and none stumbles."""

from __future__ import annotations

import pytest
from tests.wire import scripted

from headrace.core.chunk import (
    BlockEnd,
    BlockStart,
    CandidateEnd,
    Chunk,
    Finish,
    Start,
    TextDelta,
    ToolResult,
)
from headrace.core.message import TextPart
from headrace.core.request import Request
from headrace.testing import stages
from headrace.wire import WIRES, wire_named
from headrace.wire.base import ParsedRequest, Says

RESULTS: list[Chunk] = [
    ToolResult("call_a", "weather", (TextPart("blue"),)),
    ToolResult("call_b", "time", (TextPart("no clock"),), is_error=True),
]
SECOND: list[Chunk] = [
    Start("c-2", "gpt", 1700000001),
    BlockStart(4, "text"),
    TextDelta(4, "It is blue."),
    BlockEnd(4),
    CandidateEnd("stop"),
    Finish("stop"),
]


def encoded(wire: str, chunks: list[Chunk]) -> bytes:
    front = wire_named(wire).front
    assert front is not None
    parsed = ParsedRequest(Request("m"), stream=True, include_usage=True)
    encoder = front.encoder(Says("id-1", "m", 1), parsed)
    out = stages.run(encoder, [[chunk] for chunk in chunks])
    assert all(isinstance(one, bytes) for one in out)
    return b"".join(out)


@pytest.mark.parametrize("wire", [wire for wire in WIRES if wire != "ui_messages"])
def test_a_result_leaves_no_trace(wire: str) -> None:
    first = list(scripted.EVERYTHING[:-1])
    assert encoded(wire, [*first, *RESULTS, Finish()]) == encoded(wire, [*first, Finish()])
    with_results, without = encoded(wire, [*first, *RESULTS, *SECOND]), encoded(wire, [*first, *SECOND])
    assert with_results == without
    assert b"It is blue." in with_results
