"""Recorded streams."""

from __future__ import annotations

from pathlib import Path

import pytest

RECORDINGS = Path(__file__).resolve().parents[4] / "shared" / "recordings" / "json_lines" / "cohere"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "recording" not in metafunc.fixturenames:
        return
    marks = [pytest.mark.recordings]
    paths = sorted(RECORDINGS.glob("*.jsonl"))
    if not paths:
        skip = pytest.mark.skip(reason=f"no recorded streams at {RECORDINGS}")
        metafunc.parametrize("recording", [pytest.param(None, marks=[skip, *marks])])
        return
    found = [pytest.param(path.read_bytes(), id=path.stem, marks=marks) for path in paths]
    metafunc.parametrize("recording", found)
