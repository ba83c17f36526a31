"""Places in a text: a vendor's units, and our characters."""

from __future__ import annotations

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.wire import answer_text
from headrace.wire.answer_text import AnswerText

pieces = st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=9), max_size=9)
ENCODINGS: list[tuple[Literal["utf-8", "utf-16-le"], int]] = [("utf-8", 1), ("utf-16-le", 2)]


@given(pieces, st.sampled_from(ENCODINGS))
def test_every_place_is_the_same_in_both_counts(
    told: list[str], counted: tuple[Literal["utf-8", "utf-16-le"], int]
) -> None:
    encoding, unit_bytes = counted
    answer = AnswerText(encoding)
    for piece in told:
        answer.add(piece)
    whole = "".join(told)
    for chars in range(len(whole) + 1):
        place = len(whole[:chars].encode(encoding)) // unit_bytes
        assert answer.units_at(chars) == place
        assert answer.chars_at(place) == chars
    for beyond in (-1, len(whole.encode(encoding)) // unit_bytes + 1):
        assert answer.chars_at(beyond) == answer.units_at(beyond) == -1


def test_a_long_piece_is_kept_in_short_ones_and_too_much_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer_text, "MAX_KEPT_CHARS", 9000)
    answer = AnswerText()
    answer.add("é" * 9000)
    assert (answer.units_at(8999), answer.chars_at(17_998)) == (17_998, 8999)
    answer.add("x")
    answer.add("y")  # 9,001 characters are kept: this one is not
    assert (answer.units_at(9001), answer.units_at(9002), answer.chars) == (18_001, -1, 9002)
