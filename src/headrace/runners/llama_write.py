"""Text with its tokens -> chunks: an answer, or a tool call's arguments. Pure."""

from __future__ import annotations

import time
import uuid

from headrace.core.chunk import (
    BlockEnd,
    BlockStart,
    CandidateEnd,
    Chunk,
    Finish,
    Start,
    TextDelta,
    Token,
    ToolCallDelta,
    UsageReport,
)
from headrace.core.usage import Usage
from headrace.runners.llama_job import Job
from headrace.runners.llama_tools import CallReader


class ReplyWriter:
    """Text with its tokens -> chunks: an answer, or a tool call's arguments."""

    def __init__(self, plan: Job) -> None:
        self._plan = plan
        self._begun = False
        self._open = -1
        self._call = CallReader() if plan.form == "any-tool" else None

    def _begin(self) -> list[Chunk]:
        if self._begun:
            return []
        self._begun = True
        return [Start(f"local-{uuid.uuid4().hex}", self._plan.model, int(time.time()))]

    def write(self, text: str, tokens: tuple[Token, ...]) -> list[Chunk]:
        chunks = self._begin()
        if self._plan.form == "text":
            chunks += self._opened(BlockStart(0, "text"))
            chunks.append(TextDelta(0, text, tokens))
            return chunks
        name = self._plan.tool
        if self._call is not None:
            text = self._call.feed(text)
            name = self._call.name
        if name:
            chunks += self._opened(BlockStart(0, "tool-call", f"call_{uuid.uuid4().hex[:24]}", name))
        if text:
            chunks.append(ToolCallDelta(0, text))
        return chunks

    def _opened(self, block: BlockStart) -> list[Chunk]:
        if self._open >= 0:
            return []
        self._open = block.block
        return [block]

    def end(self, end: CandidateEnd, usage: Usage) -> tuple[list[Chunk], Finish]:
        """What closes the reply, and its terminal."""
        chunks = self._begin()
        if self._open >= 0:
            chunks.append(BlockEnd(self._open))
        if self._plan.form != "text" and end.finish_reason == "stop":
            end = CandidateEnd("tool_calls", end.raw_reason)
        chunks += [end, UsageReport(usage)]
        return chunks, Finish(end.finish_reason, end.raw_reason)
