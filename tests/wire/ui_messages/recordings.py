"""Recorded streams of every vendor, decoded by their wires: answers to be written as this one's."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from tests.wire import recordings

from headrace.core.chunk import Chunk
from headrace.testing import stages
from headrace.wire import wire_named


class Answer(NamedTuple):
    """A recorded answer."""

    name: str
    chunks: list[Chunk]


def answers() -> list[Answer]:
    """All of them; skips where there are none. A stream its wire cannot read is an answer that failed."""
    found = [
        Answer(one.name, stages.run(wire_named(one.wire).decoder(), [[one.body]]))
        for one in recordings.streams()
    ]
    if not found:
        pytest.skip(recordings.ABSENT)
    return found
