"""What a stream is asked to be made of -> a source of envelopes."""

from __future__ import annotations

import inspect
import math
from collections.abc import AsyncIterable, Iterable
from typing import Any

from headrace.core.model import Source
from headrace.errors import RequestError
from headrace.sessions.managed.generators import OwnGenerator
from headrace.sessions.managed.protocols import StreamingGenerator
from headrace.sessions.managed.types import StreamChunk, StreamContext
from headrace.stream.build import IterableSource
from headrace.stream.pace import Paced


def source_of(
    context: StreamContext,
    own: OwnGenerator,
    generator: StreamingGenerator | None,
    full_response: Any,
    source: Any,
) -> Source[StreamChunk]:
    """own: the generator of the stream's type. Raises RequestError for nothing, or too much, to stream."""
    if not 0 <= context.chunk_delay_seconds < math.inf:
        said = f"chunk_delay_seconds: must be at least 0, and finite, not {context.chunk_delay_seconds}"
        raise RequestError(said, field="chunk_delay_seconds", value=context.chunk_delay_seconds)
    if source is not None:
        if full_response is not None or generator is not None:
            said = "source: is streamed as it comes; give it without full_response and generator"
            raise RequestError(said, field="source")
        if not (isinstance(source, (Iterable, AsyncIterable)) or hasattr(source, "start")):
            if inspect.iscoroutine(source):
                source.close()  # nobody will await it
            kind = type(source).__name__
            said = f"source: {kind} is none of a stream, a Source, an iterable: a coroutine is awaited first"
            raise RequestError(said, field="source", value=kind)
        return own.live(context, source)
    if isinstance(generator, OwnGenerator):
        own, generator = generator, None
    if generator is not None:
        return _generated(context, generator, full_response)
    if full_response is None:
        said = "full_response: give a whole answer, a source, or a generator of your own"
        raise RequestError(said, field="full_response")
    return own.replay(context, full_response)


def _generated(
    context: StreamContext, generator: StreamingGenerator, full_response: Any
) -> Source[StreamChunk]:
    generate = getattr(generator, "generate", None)
    if not callable(generate):
        kind = type(generator).__name__
        said = f"generator: {kind} has no method generate(context, full_response)"
        raise RequestError(said, field="generator", value=kind)
    chunks: Any = generate(context, full_response)
    if not hasattr(chunks, "__aiter__"):
        if hasattr(chunks, "close"):
            chunks.close()  # a coroutine that nobody will await
        said = "generator: its generate must be an async generator: `async def` with `yield`"
        raise RequestError(said, field="generator", value=type(generator).__name__)
    made: Source[StreamChunk] = IterableSource(chunks)
    # A generator that keeps the pace by itself is not slowed down by this.
    return Paced(made, context.chunk_delay_seconds) if context.chunk_delay_seconds else made
