"""An encoder that has written a whole answer is freed without the garbage collector."""

from __future__ import annotations

import pytest
from tests.garbage import garbage_of_ours
from tests.wire import scripted

from headrace.core.request import Request
from headrace.wire import FRONTS, front_named
from headrace.wire.base import ParsedRequest, Says


@pytest.mark.parametrize("name", FRONTS)
def test_a_whole_answer_leaves_no_cycles(name: str) -> None:
    front = front_named(name)

    def write() -> None:
        parsed = ParsedRequest(Request(model="m", messages=()), stream=True)
        encoder = front.encoder(Says("i", "m", 0), parsed)
        encoder.feed(scripted.EVERYTHING)
        encoder.close()

    write()  # what is made once and stays
    with garbage_of_ours() as found:
        write()
    assert found == []
