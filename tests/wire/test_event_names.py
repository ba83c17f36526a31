"""An event's name may be any bytes: no decoder raises at it, however the stream is cut."""

from __future__ import annotations

import pytest

from headrace.core.chunk import Failure
from headrace.testing import stages
from headrace.wire import WIRES, wire_named

NAMED = b"event: \xff\ndata: {oops\n\n"


@pytest.mark.parametrize("wire", WIRES)
def test_a_name_that_is_no_text_is_garbage_like_any_other(wire: str) -> None:
    out = stages.every_split(stages.reads(wire_named(wire).decoder), NAMED, examples=5)
    assert isinstance(stages.one_terminal(out), Failure)
