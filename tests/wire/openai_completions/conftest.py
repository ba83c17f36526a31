"""Recorded streams, and the official client as the judge."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest
from tests.wire.answering import answering

__all__ = ["answering"]

RECORDINGS = Path(__file__).resolve().parents[4] / "shared" / "recordings"


class Recording(NamedTuple):
    """A recorded stream: its name, and its bytes as an event stream that ends in [DONE]."""

    name: str
    body: bytes


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "recording" not in metafunc.fixturenames:
        return
    paths = sorted((RECORDINGS / "json_lines" / "openai").glob("completion_*.jsonl"))
    if not paths:
        skip = pytest.mark.skip(reason=f"no recorded streams at {RECORDINGS}")
        metafunc.parametrize("recording", [pytest.param(None, marks=[skip, pytest.mark.recordings])])
        return
    read = [
        Recording(
            path.stem,
            b"".join(b"data: " + line + b"\n\n" for line in path.read_bytes().splitlines() if line.strip())
            + b"data: [DONE]\n\n",
        )
        for path in paths
    ]
    metafunc.parametrize(
        "recording", [pytest.param(one, id=one.name, marks=pytest.mark.recordings) for one in read]
    )
