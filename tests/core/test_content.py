"""What counts as a part of the answer, in whatever batch it comes."""

from __future__ import annotations

import pytest

from headrace.core.chunk import BlockStart, TextDelta, UsageReport
from headrace.core.content import CONTENT, DELTAS, holds_content
from headrace.core.usage import Usage

TEXT = TextDelta(0, "a")
START = BlockStart(0, "text")
USAGE = UsageReport(Usage())


@pytest.mark.parametrize(
    ("batch", "holds"),
    [((), False), ((START,), False), ((TEXT,), True), ((TEXT, USAGE), True), ((START, USAGE), False)],
)
def test_a_batch_holds_content_wherever_the_delta_stands(batch: tuple[object, ...], holds: bool) -> None:
    assert holds_content(batch) is holds


def test_both_spellings_name_the_same_chunks() -> None:
    assert frozenset(DELTAS) == CONTENT
