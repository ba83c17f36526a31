"""`GenerationStream`: one reply while it is being generated."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Self, TypeAlias, TypeVar, overload

from headrace.core.chunk import Chunk, TextDelta
from headrace.core.fold import ReplyFold
from headrace.core.model import Source
from headrace.core.reply import Reply
from headrace.errors import HeadraceError, RequestError
from headrace.stream.awaiting import Awaited
from headrace.stream.build import IterableSource, Streamable, as_source
from headrace.stream.chunks import AnyChunk, GenerationChunk, Turned, as_chunks, chunks_of, is_content
from headrace.stream.combine import Merged, Prefixed
from headrace.stream.fluent import BufferedStream, Stream
from headrace.stream.grain import FEEL_S, Granularity, Regrain, Texts
from headrace.stream.pace import Paced
from headrace.stream.pull import MAX_BUFFER, PullStream
from headrace.stream.push import Staged
from headrace.stream.renumber import Joined, Renumber
from headrace.stream.result import GenerationResult, Tally, TextStream
from headrace.stream.sentences import MAX_SENTENCES, Sentences
from headrace.stream.shape import Tap, is_async
from headrace.stream.text import Words
from headrace.stream.time import Timed
from headrace.stream.watch import Progress, StreamProgress, Watched

if TYPE_CHECKING:
    from headrace.stream.partial import PartialStream

U = TypeVar("U")
# What a function given to `map_chunks` may return.
Turn: TypeAlias = AnyChunk | Awaitable[AnyChunk]

__all__ = [
    "BufferedStream",
    "GenerationChunk",
    "GenerationResult",
    "GenerationStream",
    "StreamProgress",
    "TextStream",
]


class GenerationStream(Stream[Chunk]):
    """An async iterator of chunks, from the first to the terminal (`Finish` or `Cancelled`; failures raise).

        async with stream_chunks("local", "Tell me a story") as stream:
            async for text in stream.text:
                print(text, end="")

    Every chunk has the readings `.text` (empty where it has none), `.token_count`, `.token_id`, `.logprob`,
    `.tokens_per_second`, `.is_complete` and `.finish_reason`.

    Closing the stream, or cancelling the task that reads it, stops the model: see `PullStream`. Operators of
    this class keep the control chunks (start, end, usage, ...) and the terminal as they are, so that what
    they return is a whole reply again; `map` and `filter` see every chunk but the terminal.
    """

    terminals = True

    @classmethod
    def from_iterable(cls, items: Streamable[Any], *, max_buffer: int = MAX_BUFFER) -> Self:
        """A stream of `str`, chunks or `GenerationChunk`s from any iterable, sync or async.

        It ends with a terminal among the items, or with `Finish` after the last. Closing it closes the
        iterable; what the iterable raises is raised to the reader.
        """
        return cls(_chunk_source(items), max_buffer=max_buffer)

    # Reading

    @property
    def text(self) -> TextStream:
        """The answer's text alone, `str` by `str`, none of them empty. It shares this stream."""
        return TextStream(self)

    async def collect(self) -> str:
        """The whole text (of what was not read yet). Raises StreamCancelledException where it was cut, and
        RuntimeError where the stream was read to its end before.
        """
        self._require_unread()
        async with self:
            return "".join([text async for text in self.text])

    async def collect_with_metadata(self) -> GenerationResult:
        """The whole text with counts, times and the reason it ended (also "cancelled"). Failures raise."""
        self._require_unread()
        async with self:
            tally = Tally()
            async for batch in self.batches():
                tally.feed(batch)
            return tally.result()

    async def reply(self, *, partial: bool = False) -> Reply:
        """Everything folded into a `Reply`: text, reasoning, tool calls, usage and the rest.

        partial: give what came before a failure, with the failure as `.failure`, instead of raising it.
        """
        self._require_unread()
        folding = ReplyFold()
        async with self:
            try:
                async for batch in self.batches():
                    folding.feed(batch)
            except HeadraceError:
                terminal = self._inbox.terminal
                if not partial or terminal is None:
                    raise
                folding.feed([terminal])
        return folding.reply()

    @overload
    def partial(
        self, output: type[U], *, tool: str | None = None, open_strings: bool = True
    ) -> PartialStream[U]: ...
    @overload
    def partial(
        self, output: Any, *, tool: str | None = None, open_strings: bool = True
    ) -> PartialStream[Any]: ...
    def partial(
        self, output: Any, *, tool: str | None = None, open_strings: bool = True
    ) -> PartialStream[Any]:
        """The answer, which is JSON, as values of the type `output` that grow as it comes.

        output: a pydantic model, a msgspec Struct, a dataclass, a TypedDict, any type made of these, or a
        JSON schema as a mapping (then the values are plain data). tool: read the arguments of the first call
        of that tool in place of the text. open_strings: show text that is still coming.
        Raises: RequestError for a type that cannot be read from JSON.
        """
        from headrace.stream.partial import PartialStream  # only where values are read

        return PartialStream(self, output, tool=tool, open_strings=open_strings)

    # Shaping

    @overload
    def map_chunks(self, turn: Callable[[TextDelta], Turn], *, every: Literal[False] = False) -> Self: ...
    @overload
    def map_chunks(self, turn: Callable[[Chunk], Turn], *, every: Literal[True]) -> Self: ...
    def map_chunks(self, turn: Callable[[Any], Any], *, every: bool = False) -> Self:
        """Each text delta turned by `turn` (plain or a coroutine function) into a chunk, or into a new text.

        every: turn all chunks but the terminal. For other types than chunks use `map`.
        """
        if not is_async(turn):
            return self._like(lambda source: Staged(source, Turned(turn, every)))

        async def one(chunk: Chunk) -> list[Chunk]:
            if not every and not isinstance(chunk, TextDelta):
                return [chunk]
            return as_chunks(await turn(chunk), like=chunk)

        return self._like(lambda source: Awaited(source, one))

    def filter_chunks(self, keep: Callable[[Chunk], Any], *, every: bool = False) -> Self:
        """Only the content that `keep` (plain or a coroutine function) answers with true.

        Control chunks stay, unless `every`.
        """
        return self.filter(_of_content(keep, every))

    def take_while(self, keep: Callable[[Chunk], Any], *, every: bool = False) -> Self:
        """Content up to the first that `keep` answers with false; then the model is stopped."""
        return super().take_while(_of_content(keep, every))

    def prefixed(self, items: Iterable[Any]) -> Self:
        """`items` (`str` or chunks) at once, then the stream."""
        first = [chunk for item in _listed(items) for chunk in as_chunks(item)]
        return self._like(lambda source: Prefixed(source, first))

    def merge(self, *others: Streamable[Any]) -> Self:
        """This and the others as they come, as one reply: blocks are renumbered and usage is summed."""
        joined = Joined()

        def merged(source: Source[Chunk]) -> Source[Chunk]:
            sources = [source, *map(_chunk_source, others)]
            return Merged(Staged(one, Renumber(joined, at)) for at, one in enumerate(sources))

        return self._like(merged)

    def words(self) -> Stream[str]:
        """The text word by word, each with the white space before it. Joining gives the text back."""
        return self.through(Texts()).through(Words())

    def sentences(self) -> Stream[str]:
        """The text sentence by sentence, each with the white space after it. Joining gives the text back."""
        return self.through(Texts()).through(Sentences(), max_buffer=MAX_SENTENCES)

    # Time

    def throttle(self, interval_s: float, *, max_backlog: int = 64) -> Self:
        """At most one piece of content each `interval_s` seconds; a full backlog holds the model back."""
        return self._like(
            lambda source: Paced(source, interval_s, max_backlog=max_backlog, counts=is_content)
        )

    def smooth(
        self,
        granularity: Granularity = "word",
        interval_s: float | None = None,
        *,
        max_lag_s: float = 1.0,
        max_backlog: int | None = None,
    ) -> Self:
        """Text in even steps, for the eye: by word, sentence, or chunk as it came.

        interval_s: 0.05 for words, 0.1 for sentences, 0.2 for chunks where it is not given. When more waits
        than `max_lag_s` seconds are good for, several pieces go at a time. max_backlog: pieces that may wait
        before the model is held back; 256, and 16 sentences, where it is not given.
        """
        if granularity not in FEEL_S:
            choices = ", ".join(FEEL_S)
            raise RequestError(
                f"granularity is {granularity!r}: choose one of {choices}",
                field="granularity",
                value=granularity,
            )
        pace_s = FEEL_S[granularity] if interval_s is None else interval_s
        most = max_backlog or (MAX_SENTENCES if granularity == "sentence" else MAX_BUFFER)

        def paced(source: Source[Chunk]) -> Source[Chunk]:
            grained = source if granularity == "chunk" else Staged(source, Regrain(granularity))
            return Paced(grained, pace_s, max_backlog=most, max_lag_s=max_lag_s, counts=is_content)

        return self._same(self._hand_on(paced), min(most, self._max_buffer))

    def timeout(
        self,
        idle_s: float | None = None,
        *,
        total_s: float | None = None,
        first_s: float | None = None,
    ) -> Self:
        """Fail with StreamTimeoutException where the model takes too long. first_s: to the first content."""
        limits = partial(Timed[Chunk], idle_s=idle_s, total_s=total_s, first_s=first_s, counts=is_content)
        return self._like(limits)

    # Looking

    def tap(self, look: Callable[[Chunk], Any]) -> Self:
        """Show each chunk to `look`, the terminal too. What it raises is logged once and harms no stream."""
        tap: Tap[Chunk] = Tap(look)
        return self._like(lambda source: Watched(source, tap))

    def on_progress(self, tell: Callable[[StreamProgress], Any]) -> Self:
        """Tell the progress after each chunk that carries tokens. What `tell` raises harms no stream."""
        return self._like(lambda source: Progress(source, tell))


def _chunk_source(items: Streamable[Any]) -> Source[Chunk]:
    """Anything that gives text or chunks, as a source of chunks."""
    if isinstance(items, PullStream) and items.terminals:
        return items.release()
    if isinstance(items, PullStream):
        return Staged(items.release(), Turned(lambda item: item, every=True))
    if hasattr(items, "start") and hasattr(items, "cancel"):
        return as_source(items)
    return IterableSource(chunks_of(items))


def _listed(items: Iterable[AnyChunk]) -> Iterable[AnyChunk]:
    """One text is one piece, not its letters."""
    return [items] if isinstance(items, str) else items


def _of_content(keep: Callable[[Chunk], Any], every: bool) -> Callable[[Chunk], Any]:
    """`keep`, with yes for all control chunks unless `every`."""
    if every:
        return keep
    if not is_async(keep):
        return lambda chunk: not is_content(chunk) or keep(chunk)

    async def kept(chunk: Chunk) -> Any:
        return not is_content(chunk) or await keep(chunk)

    return kept
