"""Every cell of the fault matrix is as its row says."""

from __future__ import annotations

import pytest

from tests.faults.checker import judge
from tests.faults.conftest import Play
from tests.faults.rows import CELLS
from tests.faults.table import Cell

pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_cell(cell: Cell, play: Play) -> None:
    play(lambda rig: judge(rig, cell))
