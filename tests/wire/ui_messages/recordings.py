"""Recorded streams of every vendor, decoded by their wires: answers to be written as this one's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from headrace.core.chunk import Chunk
from headrace.testing import stages
from headrace.wire import wire_named

RECORDINGS = Path(__file__).resolve().parents[4] / "shared" / "recordings"
_SSE = ("openai_chat", "openai_responses", "anthropic", "gemini")
# What the folders of streams without framing speak, where it is not chat completions.
_SPOKEN = {"openai": "openai_responses", "open-responses": "openai_responses", "anthropic": "anthropic",
           "google": "gemini"}  # fmt: skip


class Answer(NamedTuple):
    """A recorded answer. wire: what it came over."""

    name: str
    wire: str
    chunks: list[Chunk]


def answers() -> list[Answer]:
    """All of them; skips where there are none. A stream its wire cannot read is an answer that failed."""
    found = [Answer(str(path.relative_to(RECORDINGS)), wire, _decoded(wire, path)) for wire, path in _paths()]
    if not found:
        pytest.skip(f"no recorded streams at {RECORDINGS}")
    return found


def _paths() -> Iterator[tuple[str, Path]]:
    for wire in _SSE:
        yield from ((wire, path) for path in sorted((RECORDINGS / wire).glob("*.sse")))
    for folder in sorted((RECORDINGS / "json_lines").glob("*")):
        wire = _SPOKEN.get(folder.name, "openai_chat")
        yield from ((wire, path) for path in sorted(folder.glob("*.jsonl")))


def _decoded(wire: str, path: Path) -> list[Chunk]:
    body = path.read_bytes()
    if path.suffix == ".jsonl":
        body = b"".join(b"data: " + line + b"\n\n" for line in body.splitlines() if line.strip())
    return stages.run(wire_named(wire).decoder(), [[body]])
