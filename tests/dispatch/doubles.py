"""A model that plays one script a call, and a runtime that finds it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from headrace.core.chunk import (
    BlockEnd,
    BlockStart,
    CandidateEnd,
    Chunk,
    Finish,
    Start,
    TextDelta,
    ToolCallDelta,
    UsageReport,
)
from headrace.core.model import ModelCard, Opened, OpenedRelay
from headrace.core.request import Request
from headrace.core.usage import Usage
from headrace.simulate.script import ScriptedSource


def said(text: str, reason: Any = "stop") -> list[Chunk]:
    """A reply of text."""
    pieces = [TextDelta(0, text[at : at + 5]) for at in range(0, len(text), 5)]
    return [
        Start("r", "m"),
        BlockStart(0, "text"),
        *pieces,
        BlockEnd(0),
        CandidateEnd(reason),
        UsageReport(Usage(10, 1)),
        Finish(reason),
    ]


def calling(*calls: tuple[str, str, str], text: str = "", reason: Any = "tool_calls") -> list[Chunk]:
    """A reply that says `text` and asks for calls: (id, tool, arguments)."""
    chunks: list[Chunk] = [Start("r", "m")]
    if text:
        chunks += [BlockStart(0, "text"), TextDelta(0, text), BlockEnd(0)]
    for block, (id, name, arguments) in enumerate(calls, start=1):
        half = len(arguments) // 2
        chunks += [
            BlockStart(block, "tool-call", id, name),
            ToolCallDelta(block, arguments[:half]),
            ToolCallDelta(block, arguments[half:]),
            BlockEnd(block),
        ]
    return [*chunks, CandidateEnd(reason), UsageReport(Usage(10, 2)), Finish(reason)]


class ScriptedModel:
    """Answers its n-th request with the n-th script. requests: what it was asked; sources: what it gave."""

    def __init__(self, *scripts: Iterable[Chunk], warnings: Sequence[str] = (), hangs: bool = False) -> None:
        self.card = ModelCard("m", owner="test")
        self.requests: list[Request] = []
        self.sources: list[ScriptedSource] = []
        self._scripts = list(scripts)
        self._warnings = tuple(warnings)
        self._hangs = hangs

    def open(self, request: Request, /) -> Opened:
        self.requests.append(request)
        script = self._scripts[min(len(self.requests), len(self._scripts)) - 1]
        source = ScriptedSource(script, None if self._hangs else Finish(), batch=3)
        self.sources.append(source)
        return Opened(source, self._warnings)

    def open_relay(self, wire: str, body: bytes, include_usage: bool, /) -> OpenedRelay | None:
        return None


class OneModel:
    """A runtime in which every name is the one model."""

    def __init__(self, model: ScriptedModel) -> None:
        self.model = model

    def resolve(self, model_id: str, /) -> ScriptedModel:
        return self.model
