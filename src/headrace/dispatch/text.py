"""Asking a model, for people: `stream_text`, `stream_chunks`, `generate_text`, `stream_sync`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar, Unpack, overload

from headrace.core.chunk import Chunk, Terminal
from headrace.core.fold import ReplyFold
from headrace.core.model import Opened, Source
from headrace.core.reply import Reply
from headrace.dispatch.ask import Ask, read_ask
from headrace.dispatch.runtime import Runtime, runtime_here
from headrace.metrics.tap import SpeedTap
from headrace.stream.generation import GenerationStream, TextStream
from headrace.stream.push import Node, Staged
from headrace.stream.sync import SyncStream, iterate_sync

if TYPE_CHECKING:
    from headrace.stream.partial import PartialStream

T = TypeVar("T")
_SHOWN_CHARS = 60


class TextResult:
    """One call under way.

    chunks: the whole stream. stream: its text alone. Read one of the two, once.
    """

    def __init__(self, opened: Opened, model: str) -> None:
        self._model = model
        self._warnings: Sequence[str] = opened.warnings
        self._fold = ReplyFold()
        self.chunks = GenerationStream(_Watched(opened.source, self._fold))

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the model's wire cannot take of the request, one sentence each, known at once."""
        return tuple(self._warnings)

    @property
    def stream(self) -> TextStream:
        """The answer's text as it comes, `str` by `str`."""
        return self.chunks.text

    @overload
    def partial(
        self, output: type[T], *, tool: str | None = None, open_strings: bool = True
    ) -> PartialStream[T]: ...
    @overload
    def partial(
        self, output: Any, *, tool: str | None = None, open_strings: bool = True
    ) -> PartialStream[Any]: ...
    def partial(
        self, output: Any, *, tool: str | None = None, open_strings: bool = True
    ) -> PartialStream[Any]:
        """The answer, which is JSON, as values that grow: see `GenerationStream.partial`."""
        return self.chunks.partial(output, tool=tool, open_strings=open_strings)

    @overload
    async def parsed(self, output: type[T], *, tool: str | None = None) -> T: ...
    @overload
    async def parsed(self, output: Any, *, tool: str | None = None) -> Any: ...
    async def parsed(self, output: Any, *, tool: str | None = None) -> Any:
        """The whole answer as a value of the type `output`, whatever of it was read before.

        tool: the arguments of the first call of that tool in place of the text.
        Raises OutputError where it is none, and what the stream raises.
        """
        from headrace.stream.partial import read_reply  # only where values are read

        async with self.chunks as chunks:
            async for _ in chunks:
                pass
        return read_reply(output, self.response, tool=tool)

    @property
    def response(self) -> Reply:
        """The reply as far as it has come."""
        return self._fold.reply()

    @property
    def text(self) -> str:
        """The answer as far as it has come."""
        return self.response.text

    @property
    def provider_metadata(self) -> dict[str, Any]:
        """What the provider said of the reply itself: its id, the model that answered, when."""
        reply = self.response
        return {"id": reply.id, "model": reply.model, "created_s": reply.created_s}

    def __repr__(self) -> str:
        reply = self.response
        state = reply.finish_reason or ("streaming" if reply.candidates else "not begun")
        text = reply.text if len(reply.text) <= _SHOWN_CHARS else reply.text[:_SHOWN_CHARS] + "..."
        return f"{type(self).__name__}({self._model!r}, {state}, {text!r})"

    async def aclose(self) -> None:
        """Stop the model and free everything."""
        await self.chunks.aclose()


class _Watched(Node[Chunk, Chunk]):
    """Sets the speed on what passes, and folds it."""

    def __init__(self, above: Source[Chunk], fold: ReplyFold) -> None:
        super().__init__(_timed(above))
        self._fold = fold

    def push(self, batch: Sequence[Chunk], /) -> None:
        self._fold.feed(batch)
        self._give(batch)

    def end(self, terminal: Terminal, /) -> None:
        self._fold.feed([terminal])
        self._finish(terminal)


def _timed(source: Source[Chunk]) -> Source[Chunk]:
    return Staged(source, SpeedTap(time.monotonic_ns))


def open_model(model: str, prompt: str | None, runtime: Runtime | None, ask: Ask) -> Opened:
    """One reply, ready to start, with all that was changed of the request on the way."""
    request, warnings = read_ask(model, prompt, **ask)
    opened = (runtime or runtime_here()).resolve(model).open(request)
    return Opened(opened.source, (*warnings, *opened.warnings))


def stream_text(
    model: str, prompt: str | None = None, *, runtime: Runtime | None = None, **ask: Unpack[Ask]
) -> TextResult:
    """Ask `model` (such as "local", "openai/gpt-4o", "sim/echo") and get the answer as it comes.

    ask: `messages`, `system`, `tools`, `tool_choice`, `response_format`, `preset`, and every field of
    GenerationSettings (max_tokens, temperature, top_p, seed, stop, logprobs, ...).
    runtime: where models are found; the running loop's own where it is not given.
    Call it inside a running event loop; `stream_sync` is for everywhere else. Nothing is sent before the
    first read (or `await result.chunks.start()`).
    Raises: RequestError (UnknownModel) for what cannot be asked, naming the argument. What goes wrong later
    is raised where the stream is read.
    """
    return TextResult(open_model(model, prompt, runtime, ask), model)


def stream_chunks(
    model: str, prompt: str | None = None, *, runtime: Runtime | None = None, **ask: Unpack[Ask]
) -> GenerationStream:
    """The same call as a stream of every chunk, not only the text; nothing is gathered on the way."""
    return GenerationStream(_timed(open_model(model, prompt, runtime, ask).source))


async def generate_text(
    model: str, prompt: str | None = None, *, runtime: Runtime | None = None, **ask: Unpack[Ask]
) -> TextResult:
    """Ask and wait for the whole answer: `.text`, `.response`, `.warnings`.

    Raises what the stream raises; nothing half done is returned.
    """
    result = stream_text(model, prompt, runtime=runtime, **ask)
    async with result.chunks as chunks:
        async for _ in chunks:
            pass
    return result


def stream_sync(model: str, prompt: str | None = None, **ask: Unpack[Ask]) -> SyncStream[str]:
    """`stream_text(...).stream` for scripts and notebooks: a plain iterator of `str`.

    Works without an event loop and also inside a running one. Close it (or leave its `with` block) to stop
    the model.
    """
    return iterate_sync(lambda: stream_text(model, prompt, **ask).stream)


__all__ = ["TextResult", "generate_text", "stream_chunks", "stream_sync", "stream_text"]
