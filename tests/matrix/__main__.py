"""`python -m tests.matrix`: measure every pair, and write the page if all is as claimed."""

from __future__ import annotations

import subprocess
import sys

from tests.matrix.page import PATH, render

FOLDER = "tests/matrix"


def main() -> int:
    """The exit status of the tests; the page is written where it is 0."""
    stale = f"{FOLDER}/test_page.py::test_the_page_is_up_to_date"
    argv = [sys.executable, "-m", "pytest", "-q", FOLDER, "--deselect", stale]
    status = subprocess.run(argv, cwd=PATH.parents[2], check=False).returncode
    if status == 0:
        PATH.write_text(render())
        print(f"written: {PATH}")
    return status


sys.exit(main())
