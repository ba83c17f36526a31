"""The generators of the manager's own: chat, completions and sound, of a whole response or a live source."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

import msgspec

from headrace.core.chunk import Chunk
from headrace.core.content import CONTENT
from headrace.core.model import Source
from headrace.core.reply import Reply
from headrace.errors import RequestError
from headrace.sessions.managed import responses
from headrace.sessions.managed.envelopes import Enveloped, SoundWriter, WireWriter, Writes
from headrace.sessions.managed.types import StreamChunk, StreamContext, StreamType
from headrace.simulate.script import ScriptedSource
from headrace.stream.fluent import Stream
from headrace.stream.generation import GenerationStream
from headrace.stream.pace import Paced
from headrace.wire.base import Says
from headrace.wire.openai_chat.completion import completion_body as chat_body
from headrace.wire.openai_chat.decode import ChatDecoder
from headrace.wire.openai_chat.encode import ChatEncoder
from headrace.wire.openai_completions.decode import CompletionsDecoder
from headrace.wire.openai_completions.encode import CompletionsEncoder, completion_body

_NOBODY = Says("", "", 0)


class OwnGenerator:
    """What the three have in common. latency_manager: refused, simulation is not there yet."""

    id_prefix = ""

    def __init__(self, latency_manager: None = None) -> None:
        if latency_manager is not None:
            raise not_there("latency_manager")

    async def generate(self, context: StreamContext, full_response: Any) -> AsyncIterator[StreamChunk]:
        """The envelopes of a whole response, at least `context.chunk_delay_seconds` apart.

        Raises: RequestError for a response that is of none of the forms taken.
        """
        async with Stream(self.replay(context, full_response)) as stream:
            async for chunk in stream:
                yield chunk

    def replay(self, context: StreamContext, full_response: Any) -> Enveloped:
        """The same as a source. Raises RequestError."""
        chunks = responses.token_by_token(self._chunks(full_response))
        source = ScriptedSource(chunks, interval_s=context.chunk_delay_seconds)
        return Enveloped(source, context, self._writes(), self.id_prefix)

    def live(self, context: StreamContext, source: Any) -> Enveloped:
        """The envelopes of what gives text or chunks: a source, a stream, an iterable of any kind."""
        above: Source[Chunk] = GenerationStream.from_iterable(source).release()
        if context.chunk_delay_seconds:
            above = Paced(above, context.chunk_delay_seconds, counts=lambda chunk: type(chunk) in CONTENT)
        return Enveloped(above, context, self._writes(), self.id_prefix)

    def _chunks(self, full_response: Any) -> Sequence[Chunk]:
        raise NotImplementedError

    def _writes(self) -> Writes:
        raise NotImplementedError


class ChatStreamingGenerator(OwnGenerator):
    """Data: OpenAI's `chat.completion.chunk`. Takes a text, a `Reply`, a `chat.completion`."""

    id_prefix = "chatcmpl-"

    def _chunks(self, full_response: Any) -> Sequence[Chunk]:
        if isinstance(full_response, str):
            return responses.said(full_response)
        if isinstance(full_response, Reply):
            full_response = msgspec.json.decode(chat_body(full_response))
        events = responses.as_chat_events(responses.body_of(full_response))
        return responses.decoded(events, ChatDecoder)

    def _writes(self) -> Writes:
        return WireWriter(ChatEncoder(include_usage=False), "chat.completion.chunk")


class CompletionStreamingGenerator(OwnGenerator):
    """Data: OpenAI's `text_completion`. Takes a text, a `Reply`, a `text_completion`."""

    id_prefix = "cmpl-"

    def _chunks(self, full_response: Any) -> Sequence[Chunk]:
        if isinstance(full_response, str):
            return responses.said(full_response)
        if isinstance(full_response, Reply):
            full_response = msgspec.json.decode(completion_body(full_response, _NOBODY))
        events = responses.as_completion_events(responses.body_of(full_response))
        return responses.decoded(events, CompletionsDecoder)

    def _writes(self) -> Writes:
        return WireWriter(CompletionsEncoder(_NOBODY), "text_completion")


class AudioStreamingGenerator(OwnGenerator):
    """Data: `audio` as bytes, or `transcript`; at the end a `finish_reason`. Takes bytes, a `Reply`, or
    anything with `audio` and, where there is one, `transcript`.

    chunk_size_bytes: of the pieces in which a whole sound goes out.
    """

    id_prefix = "audio-"

    def __init__(self, latency_manager: None = None, chunk_size_bytes: int = 4096) -> None:
        super().__init__(latency_manager)
        if chunk_size_bytes < 1:
            raise ValueError(f"chunk_size_bytes must be at least 1, not {chunk_size_bytes}")
        self._chunk_size_bytes = chunk_size_bytes

    def _chunks(self, full_response: Any) -> Sequence[Chunk]:
        return responses.sound_of(full_response, self._chunk_size_bytes)

    def _writes(self) -> Writes:
        return SoundWriter()


def generator_for(stream_type: StreamType) -> OwnGenerator:
    """The generator of that type. Raises RequestError for one that is not there yet."""
    if stream_type is StreamType.REALTIME:
        said = "stream_type: realtime streams are not there yet; use chat, completion or audio"
        raise RequestError(said, field="stream_type", value=stream_type)
    return _GENERATORS[stream_type]()


_GENERATORS: dict[StreamType, type[OwnGenerator]] = {
    StreamType.CHAT: ChatStreamingGenerator,
    StreamType.COMPLETION: CompletionStreamingGenerator,
    StreamType.AUDIO: AudioStreamingGenerator,
}


def not_there(argument: str) -> RequestError:
    """For what simulates a model's latency or cache: a setting that would do nothing is refused."""
    return RequestError(
        f"{argument}: simulated latency and KV caches are not there yet; leave it out. For a steady pace "
        "there is chunk_delay_seconds",
        field=argument,
    )
