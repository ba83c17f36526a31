"""A reply whose text is JSON, read as values of a type that grow."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Any, Generic, Self, TypeVar, cast

from headrace.core.chunk import (
    BlockStart,
    Cancelled,
    Chunk,
    FinishReason,
    RefusalDelta,
    ToolCallDelta,
)
from headrace.core.excerpt import excerpt
from headrace.core.reply import Reply
from headrace.errors import OutputError, StreamCancelledException
from headrace.stream.chunks import answer_text
from headrace.stream.pull import PullStream
from headrace.structured.growing import Growing, read_output

T = TypeVar("T")
_QUOTED_CHARS = 200
# Why an answer is not whole, where its end says so.
_CUT = {
    "length": "the answer was cut at its limit of tokens (max_tokens)",
    "content_filter": "the answer was cut by a content filter",
}


class _Picked:
    """Picks the JSON text out of chunks: of the (first) answer, or of the first call of `tool`."""

    def __init__(self, tool: str | None) -> None:
        self._tool = tool
        self._block: int | None = None
        self._refusal: list[str] = []
        self.reason: FinishReason | None = None
        self.cancelled: Cancelled | None = None
        self.ended = False

    def feed(self, batch: Iterable[Chunk]) -> str:
        """The text in `batch`."""
        return "".join([text for chunk in batch if (text := self._one(chunk))])

    def _one(self, chunk: Chunk) -> str:
        if getattr(chunk, "candidate", 0):
            return ""
        if chunk.finish_reason is not None:
            self._end(chunk)
        elif isinstance(chunk, RefusalDelta):
            self._refusal.append(chunk.refusal)
        elif self._tool is None:
            return answer_text(chunk)
        elif isinstance(chunk, ToolCallDelta):
            return chunk.arguments if chunk.block == self._block else ""
        elif isinstance(chunk, BlockStart) and chunk.name == self._tool and self._block is None:
            self._block = chunk.block
        return ""

    def _end(self, chunk: Chunk) -> None:
        # The terminal's plain "stop" does not undo what the candidate's end has said.
        self.reason = self.reason if chunk.is_complete and self.reason else chunk.finish_reason
        self.ended = self.ended or chunk.is_complete
        if isinstance(chunk, Cancelled):
            self.cancelled = chunk

    def meant(self, error: OutputError) -> OutputError:
        """The error, with what the reply's end says of it."""
        refusal = excerpt("".join(self._refusal), _QUOTED_CHARS)
        not_called = self._tool if self._block is None else None
        return _meant(error, self.reason, refusal, not_called)


def _meant(
    error: OutputError, reason: FinishReason | None, refusal: str, not_called: str | None
) -> OutputError:
    cut = _CUT.get(reason or "")
    if refusal and error.code in ("empty", "not_json"):
        return OutputError(f"the model refused: {refusal}", code="refused", text=error.text)
    if cut is not None and error.code in ("incomplete", "empty", "not_json"):
        said = f"{cut}: {error.message}"
        return OutputError(said, code="incomplete", text=error.text, path=error.path)
    if not_called is not None and error.code == "empty":
        return OutputError(f"the model did not call {not_called}", code="empty")
    return error


def read_reply(output: Any, reply: Reply, *, tool: str | None = None) -> Any:
    """The value of the type `output` that a whole reply's text holds, or the first call of `tool`.

    Raises: OutputError where it holds none, the reply's own failure, StreamCancelledException.
    """
    if reply.failure is not None:
        raise reply.failure.error()
    if reply.terminal is None or isinstance(reply.terminal, Cancelled):
        why = reply.terminal.why if reply.terminal is not None else ""
        raise StreamCancelledException(why or "the stream was closed before it ended")
    call = next((call for call in reply.tool_calls if call.name == tool), None)
    text = reply.text if tool is None else call.arguments if call is not None else ""
    try:
        return read_output(output, text)
    except OutputError as error:
        refusal = excerpt(reply.refusal, _QUOTED_CHARS)
        raise _meant(error, reply.finish_reason, refusal, tool if call is None else None) from error.__cause__


class PartialStream(Generic[T]):
    """An async iterator of growing values; the last one given is the whole, checked.

        async for recipe in stream_text("local", "A recipe for bread, as JSON.").partial(Recipe):
            print(recipe.name, len(recipe.steps))

    What a value holds while it grows, and what it costs: `headrace.structured.growing.Growing`. One value is
    given for all chunks that arrived together, and only where it shows something new; a slow reader gets
    fewer. It shares the stream of chunks: closing either closes both. An answer that is no value of the
    type raises OutputError, as soon as that is known; the stream of chunks can be read on after it.
    """

    def __init__(
        self,
        chunks: PullStream[Chunk],
        output: type[T] | Mapping[str, Any],
        *,
        tool: str | None = None,
        open_strings: bool = True,
        turn: Callable[[Any], Any] | None = None,
    ) -> None:
        self._chunks = chunks
        self._batches = chunks.batches()
        self._picked = _Picked(tool)
        self._growing: Growing[Any] = Growing(output, open_strings=open_strings)
        self._turn = turn
        self._given = False  # the whole

    @property
    def text(self) -> str:
        """The raw text so far, words around the JSON and all; also after an error."""
        return self._growing.text

    @property
    def path(self) -> tuple[str | int, ...]:
        """The keys and indices that lead to where the text has come, such as ("steps", 2, "text")."""
        return self._growing.path

    @property
    def complete(self) -> bool:
        """Whether the whole value has come, and was checked."""
        return self._growing.complete

    @property
    def value(self) -> T:
        """The whole value, once it has come. Raises OutputError where there is none, RuntimeError before."""
        if not (self._picked.ended or self._growing.complete or self._growing.failure is not None):
            raise RuntimeError("the value is still coming: read the values, or await result()")
        return self._whole()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        growing = self._growing
        while not self._given:
            await self._read()
            if growing.complete:
                self._given = True
                return self._whole()
            if growing.grew:
                return self._shown(growing.value())
        while not self._picked.ended:
            await self._read()
        raise StopAsyncIteration

    async def result(self) -> T:
        """Read to the end of the reply; the whole value. Also after the values were iterated over.

        Raises OutputError where the answer is no value of the type, and what the stream raises.
        """
        if not self._picked.ended:
            self._chunks._require_unread()
        async with self:
            while not self._picked.ended:
                try:
                    await self._read()
                except StopAsyncIteration:
                    raise RuntimeError("the stream was closed while its value was waited for") from None
        return self._whole()

    async def aclose(self) -> None:
        """Close the stream of chunks: the model stops."""
        await self._chunks.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _read(self) -> None:
        """Take what has arrived. Raises OutputError once no value can come of it."""
        text = self._picked.feed(await anext(self._batches))
        if text:
            self._growing.feed(text)
        if self._picked.cancelled is not None and not self._growing.complete:
            raise StreamCancelledException(self._picked.cancelled.why or "the stream was cancelled")
        if self._growing.failure is not None or self._picked.ended:
            self._whole()

    def _whole(self) -> T:
        try:
            return self._shown(self._growing.close())
        except OutputError as error:
            raise self._picked.meant(error) from error.__cause__

    def _shown(self, value: Any) -> T:
        return cast(T, value if self._turn is None else self._turn(value))
