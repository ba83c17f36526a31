"""What a finished generation adds up to, and its text alone."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from types import TracebackType
from typing import Self

import msgspec

from headrace.core.chunk import Cancelled, Chunk, FinishReason, UsageReport
from headrace.core.usage import Usage
from headrace.errors import StreamCancelledException
from headrace.stream.chunks import answer_text
from headrace.stream.pull import PullStream


class GenerationResult(msgspec.Struct, frozen=True):
    """A whole generation.

    token_count: output tokens as the provider reported them, otherwise as counted from the chunks.
    generation_time: seconds from the first token to the last. tokens_per_second: token_count over that, 0.0
    where everything came at one moment. time_to_first_token: seconds from the beginning of the reading to the
    first token, None where there was none. usage: as reported, None where it was not.
    """

    text: str
    token_count: int
    generation_time: float
    tokens_per_second: float
    finish_reason: FinishReason
    usage: Usage | None = None
    time_to_first_token: float | None = None


class Tally:
    """Adds up chunks and the times they came at, on the running loop's clock."""

    def __init__(self) -> None:
        self._clock = asyncio.get_running_loop().time
        self._began_s = self._clock()
        self._first_s: float | None = None
        self._last_s = self._began_s
        self._text: list[str] = []
        self._tokens = 0
        self._usage: Usage | None = None
        self._reason: FinishReason = "stop"

    def feed(self, batch: Iterable[Chunk]) -> None:
        """Take chunks that came just now."""
        now_s = self._clock()
        for chunk in batch:
            if chunk.token_count:
                self._tokens += chunk.token_count
                self._first_s = now_s if self._first_s is None else self._first_s
                self._last_s = now_s
            if text := answer_text(chunk):
                self._text.append(text)
            if isinstance(chunk, UsageReport):
                self._usage = chunk.usage
            if chunk.finish_reason is not None and not getattr(chunk, "candidate", 0):
                self._reason = self._meant(chunk)

    def _meant(self, chunk: Chunk) -> FinishReason:
        """The reason so far: the terminal's plain "stop" does not undo what the candidate's end has said."""
        reason = chunk.finish_reason or "stop"
        return self._reason if chunk.is_complete and reason == "stop" else reason

    def result(self) -> GenerationResult:
        """The whole."""
        took_s = 0.0 if self._first_s is None else self._last_s - self._first_s
        reported = self._usage is not None and not self._usage.estimated
        tokens = self._usage.output_tokens if self._usage is not None and reported else self._tokens
        return GenerationResult(
            text="".join(self._text),
            token_count=tokens,
            generation_time=took_s,
            tokens_per_second=tokens / took_s if took_s > 0 else 0.0,
            finish_reason=self._reason,
            usage=self._usage,
            time_to_first_token=None if self._first_s is None else self._first_s - self._began_s,
        )


class TextStream:
    """The text of a stream of chunks, `str` by `str`. It shares that stream: closing either closes both."""

    def __init__(self, chunks: PullStream[Chunk]) -> None:
        self._chunks = chunks

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> str:
        while True:
            chunk = await anext(self._chunks)
            if text := answer_text(chunk):
                return text
            if isinstance(chunk, Cancelled):
                raise StreamCancelledException(chunk.why or "the stream was cancelled")

    async def collect(self) -> str:
        """The rest of the text, joined. Raises RuntimeError where it was read to its end before."""
        self._chunks._require_unread()
        async with self:
            return "".join([text async for text in self])

    async def aclose(self) -> None:
        """Close the stream of chunks."""
        await self._chunks.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()
