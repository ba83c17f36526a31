"""The page says what the rows say, and the rows are held to what is played."""

from __future__ import annotations

import re

from tests.faults.page import COMMAND, GREEN, NONE, PATH, applies, render
from tests.faults.rows import CELLS, ROWS
from tests.faults.speech import PHASES
from tests.faults.table import WIRES


def test_the_page_is_up_to_date() -> None:
    assert PATH.read_text() == render(), f"write it anew: {COMMAND}"


def test_every_cell_has_a_sign_and_every_green_one_a_test() -> None:
    names = tuple(f"| {row.name} |" for row in ROWS)
    rows = [line for line in render().splitlines() if line.startswith(names)]
    assert len(rows) == len(ROWS)
    signs = [sign for row in rows for sign in re.findall(rf"{GREEN}|{NONE}\d+", row)]
    assert len(signs) == len(ROWS) * len(PHASES) * len(WIRES)
    played = {(cell.row.name, cell.phase, cell.wire) for cell in CELLS}
    assert played == {(row.name, phase, wire) for row, phase, wire in applies()}
    assert signs.count(GREEN) == len(played)


def test_rows_and_reasons_are_told_once() -> None:
    assert len({row.name for row in ROWS}) == len(ROWS)
    numbers = re.findall(r"^\| (\d+) \|", render(), re.MULTILINE)
    assert numbers == [str(number) for number in range(1, len(numbers) + 1)]
    used = set(re.findall(rf"{NONE}(\d+)", render()))
    assert used == set(numbers)
