"""Pages of `docs/` that are written by the tests that hold them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path


def written_if_green(folder: str, path: Path, render: Callable[[], str]) -> int:
    """Run a folder's tests, and write its page where they pass. Returns their exit status."""
    stale = f"{folder}/test_page.py::test_the_page_is_up_to_date"
    argv = [sys.executable, "-m", "pytest", "-q", folder, "--deselect", stale]
    status = subprocess.run(argv, cwd=Path(__file__).parents[1], check=False).returncode
    if status == 0:
        path.write_text(render())
        print(f"written: {path}")
    return status
