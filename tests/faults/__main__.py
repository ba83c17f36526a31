"""`python -m tests.faults`: play every cell, and write the page if all are green."""

from __future__ import annotations

import sys

from tests.faults.page import PATH, render
from tests.pages import written_if_green

sys.exit(written_if_green("tests/faults", PATH, render))
