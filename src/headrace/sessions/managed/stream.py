"""The stream that a manager's users hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self, cast

from headrace.core.chunk import Failure, Finish, Terminal
from headrace.core.model import Source
from headrace.sessions.managed.failing import value_of
from headrace.sessions.managed.formatters import SSEFormatter
from headrace.sessions.managed.protocols import ChunkFormatter
from headrace.sessions.managed.read import EnvelopeReader
from headrace.sessions.managed.types import StreamChunk
from headrace.stream.fluent import Stream
from headrace.stream.pull import MAX_BUFFER
from headrace.stream.push import Node, failed


class ManagedStream(Stream[StreamChunk]):
    """One reader's envelopes. See `PullStream` for reading and closing, `Stream` for the operators.

    Raises, after all that came before: StreamTimeoutException, StreamCancelledException, or
    StreamGenerationException, each with its `stream_id`. Closing the last reader stops the stream.
    """

    def __init__(self, reader: EnvelopeReader, *, max_buffer: int = MAX_BUFFER) -> None:
        super().__init__(reader, max_buffer=max_buffer)
        self.stream_id = reader.id

    def formatted(self, formatter: ChunkFormatter | type[ChunkFormatter] = SSEFormatter) -> Stream[bytes]:
        """The stream as `formatter` writes it, in UTF-8, to its end.

        A failure is written and followed by the end; where the formatter has no word for it, it is raised.
        """
        return Stream(self._hand_on(lambda source: Formatted(source, formatter)), max_buffer=self._max_buffer)

    def _same(self, source: Source[StreamChunk], max_buffer: int) -> Self:
        # Operators on the envelopes give plain streams of them, which are used in the same way.
        return cast(Self, Stream(source, max_buffer=max_buffer))


class Formatted(Node[StreamChunk, bytes]):
    """The bytes that a formatter makes of envelopes, and of the end."""

    def __init__(self, above: Source[StreamChunk], formatter: ChunkFormatter | type[ChunkFormatter]) -> None:
        super().__init__(above)
        self._formatter = cast(ChunkFormatter, formatter)

    def push(self, batch: Sequence[StreamChunk], /) -> None:
        if self._over:
            return
        try:
            out = [text.encode() for chunk in batch if (text := self._formatter.format(chunk))]
        except Exception as error:  # noqa: BLE001 - a formatter of the user's: the reader gets it
            self._stop(failed(error))
            return
        self._give(out)

    def end(self, terminal: Terminal, /) -> None:
        if self._over:
            return
        try:
            terminal = self._say_end(terminal)
        except Exception as error:  # noqa: BLE001 - as above
            terminal = failed(error)
        self._finish(terminal)

    def _say_end(self, terminal: Terminal) -> Terminal:
        words = ""
        if isinstance(terminal, Failure):
            words = self._formatter.format_error(value_of(terminal))
        if isinstance(terminal, Finish) or words:
            text = words + self._formatter.format_done()
            self._give([text.encode()] if text else ())
            return Finish()
        return terminal
