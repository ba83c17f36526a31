"""`python -m tests.matrix`: measure every pair, and write the page if all is as claimed."""

from __future__ import annotations

import sys

from tests.matrix.page import PATH, render
from tests.pages import written_if_green

sys.exit(written_if_green("tests/matrix", PATH, render))
