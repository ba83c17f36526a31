"""The page says what the claims say, and the claims are held to what is measured."""

from __future__ import annotations

import re

from tests.matrix.claims import CLAIMS
from tests.matrix.features import FEATURES
from tests.matrix.page import COMMAND, NUMBERS, PATH, render


def test_the_page_is_up_to_date() -> None:
    assert PATH.read_text() == render(), f"write it anew: {COMMAND}"


def test_every_cell_that_is_not_kept_says_why() -> None:
    names = tuple(f"| {feature.name} |" for feature in FEATURES)
    rows = [line.strip("|").split("|")[1:] for line in render().splitlines() if line.startswith(names)]
    cells = [cell.strip() for row in rows for cell in row if cell.strip()[0] in "●◐○"]
    assert len(cells) == len(CLAIMS) ** 2 * len(FEATURES)
    for cell in cells:
        sign, *why = cell.split()
        assert bool(why) == (sign != "●"), cell


def test_every_gap_is_told_once() -> None:
    told = re.findall(r"^\| ([A-Z]\d+) \|", render(), re.MULTILINE)
    assert sorted(told) == sorted(NUMBERS.values())
