"""`StreamManager`: streams with an id, a status, figures and a deadline; stopped, and read again."""

from __future__ import annotations

import asyncio
import math
import secrets
from types import TracebackType
from typing import Any, Self
from weakref import WeakSet, WeakValueDictionary

import msgspec

from headrace.core.chunk import Failure
from headrace.core.outcome import outcome_of
from headrace.errors import RequestError, StreamCancelledException
from headrace.sessions.managed.generators import generator_for, not_there
from headrace.sessions.managed.making import CANCELLED, ENVELOPES, Kept, Making
from headrace.sessions.managed.produce import EnvelopeProducer
from headrace.sessions.managed.protocols import RequestTracker, StreamingGenerator, StreamTracker
from headrace.sessions.managed.read import EnvelopeReader
from headrace.sessions.managed.sources import source_of
from headrace.sessions.managed.stream import ManagedStream
from headrace.sessions.managed.tracking import Tracking
from headrace.sessions.managed.types import (
    StreamContext,
    StreamMetrics,
    StreamStatus,
    StreamType,
)
from headrace.sessions.session import Session
from headrace.sessions.table import Sessions
from headrace.store.log import Keeping, StreamState
from headrace.store.memory import MemoryLog
from headrace.transport.wheel import Wheel

_ENDED_TTL_S = 600.0
_WAIT_S = 1.0  # for an end to be committed, before it is looked at again
_ENDPOINTS = {
    StreamType.CHAT: "/v1/chat/completions",
    StreamType.COMPLETION: "/v1/completions",
    StreamType.AUDIO: "/v1/audio/speech",
}
_STATUSES = {
    "finished": StreamStatus.COMPLETED,
    "failed": StreamStatus.FAILED,
    "interrupted": StreamStatus.FAILED,
    "cancelled": StreamStatus.CANCELLED,
    "timeout": StreamStatus.TIMEOUT,
}


class StreamManager:
    """Makes streams and knows how they are. Belongs to one event loop; needs none to be made.

    metrics_tracker, streaming_metrics_tracker: are told of every stream (`MetricsTracker`,
    `StreamingMetricsTracker`, or any of their form). latency_manager, kv_cache_router, kv_cache_metrics,
    enable_latency_simulation: refused, simulation is not there yet. default_timeout_seconds: for a whole
    stream, None: no limit. enable_metrics: False measures nothing and tells no tracker.
    sessions: the table of streams to use, with its log, such as one that keeps them in a file; by default one
    of its own in memory. ended_ttl_seconds: how long that one knows ended streams; 600 where it is not given.

    Raises: RequestError for what is refused and for limits that are none.
    """

    def __init__(
        self,
        metrics_tracker: RequestTracker | None = None,
        streaming_metrics_tracker: StreamTracker | None = None,
        latency_manager: None = None,
        kv_cache_router: None = None,
        kv_cache_metrics: None = None,
        default_timeout_seconds: float | None = 300.0,
        enable_metrics: bool = True,
        enable_latency_simulation: bool = False,
        *,
        sessions: Sessions | None = None,
        ended_ttl_seconds: float | None = None,
    ) -> None:
        _refuse(
            latency_manager=latency_manager,
            kv_cache_router=kv_cache_router,
            kv_cache_metrics=kv_cache_metrics,
            enable_latency_simulation=enable_latency_simulation or None,
        )
        if sessions is not None and ended_ttl_seconds is not None:
            said = "ended_ttl_seconds: the log of `sessions` has its own; give one of the two"
            raise RequestError(said, field="ended_ttl_seconds", value=ended_ttl_seconds)
        ended_s = _ENDED_TTL_S if ended_ttl_seconds is None else ended_ttl_seconds
        if not _is_time(ended_s):
            said = f"ended_ttl_seconds: must be at least 0 seconds, and finite, not {ended_s!r}"
            raise RequestError(said, field="ended_ttl_seconds", value=ended_s)
        keeping = Keeping(ended_s=ended_s)
        self.default_timeout_seconds = _limit("default_timeout_seconds", default_timeout_seconds)
        self._tracking = Tracking(metrics_tracker, streaming_metrics_tracker) if enable_metrics else None
        self._owns = sessions is None
        self._sessions = sessions or Sessions(MemoryLog(keeping))
        self._asked: WeakValueDictionary[str, Making] = WeakValueDictionary()
        self._readers: WeakSet[EnvelopeReader] = WeakSet()
        self._wheel: Wheel | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def create_stream(
        self,
        stream_type: StreamType | str,
        model: str = "",
        full_response: Any = None,
        source: Any = None,
        endpoint: str = "",
        prompt_tokens: int | None = None,
        temperature: float | None = None,
        max_tokens: int | None = None,
        client_id: str = "",
        timeout_seconds: float | None = None,
        chunk_delay_seconds: float = 0.0,
        enable_latency_simulation: bool = False,
        generator: StreamingGenerator | None = None,
        stream_id: str = "",
    ) -> ManagedStream:
        """A new stream, to be read with `async for`. It begins with the first read, and so does its time.

        full_response: a whole answer to be streamed (see the generator of the type); or source: a live one,
        a `GenerationStream`, a `Source`, or any iterable of text or chunks, sync or async. generator: one of
        the user's own makes the chunks of `full_response`. endpoint: the path of the type where it is not
        given. prompt_tokens, temperature, max_tokens, client_id: the request's, for the generator and the
        trackers; nothing is sampled or cut here. timeout_seconds: for the whole stream, slow readers
        included; the manager's where it is not given. stream_id: an unguessable one where it is not given.

        Raises: RequestError. Reading raises what `ManagedStream` says.
        """
        _refuse(enable_latency_simulation=enable_latency_simulation or None)
        kind = _type_of(stream_type)
        own = generator_for(kind)
        limit_s = self.default_timeout_seconds if timeout_seconds is None else timeout_seconds
        context = StreamContext(
            stream_id=stream_id or f"stream-{secrets.token_hex(12)}",
            stream_type=kind,
            model=model,
            endpoint=endpoint or _ENDPOINTS[kind],
            timeout_seconds=_limit("timeout_seconds", limit_s),
            chunk_delay_seconds=chunk_delay_seconds,
            prompt_tokens=prompt_tokens,
            temperature=temperature,
            max_tokens=max_tokens,
            client_id=client_id,
        )
        if context.stream_id in self._asked or context.stream_id in self._sessions.live:
            raise RequestError("stream_id: it is in use", field="stream_id", value=stream_id)
        made = source_of(context, own, generator, full_response, source)
        making = self._asked[context.stream_id] = Making(context, made, self._sessions, self._produce)
        return self._read(making, context.stream_id, 0)

    def read_stream(self, stream_id: str, after_sequence: int = -1) -> ManagedStream:
        """One more reader of a stream, whether it is being made or has ended: from its beginning, or behind
        the chunk of that number. Reading raises RequestError where there is no such stream (any more).
        """
        if after_sequence < -1:
            said = "after_sequence: must be the number of the last chunk you have, from 0"
            raise RequestError(said, field="after_sequence", value=after_sequence)
        found = self._asked.get(stream_id)
        return self._read(found or Kept(stream_id, self._sessions), stream_id, after_sequence + 1)

    async def get_stream_status(self, stream_id: str) -> StreamStatus | None:
        """How a stream is; None where there is none of that id (any more)."""
        making = self._asked.get(stream_id)
        if making is not None and making.terminal is not None:
            return _STATUSES[outcome_of(making.terminal)]
        if making is not None and making.producer is None:
            return StreamStatus.INITIALIZING
        state = await self._state(stream_id)
        if state is None:
            return None
        if state.end is not None:
            return _STATUSES[state.end.outcome]
        if not state.last:
            return StreamStatus.INITIALIZING
        session = self._sessions.live.get(stream_id)
        return StreamStatus.PAUSED if session is not None and session.paused else StreamStatus.RUNNING

    async def get_stream_metrics(self, stream_id: str) -> StreamMetrics | None:
        """What was measured of a stream, so far or until its end; None where nothing was."""
        if self._tracking is None:
            return None
        making = self._asked.get(stream_id)
        if making is not None:
            return making.producer.metrics() if making.producer is not None else None
        state = await self._state(stream_id)
        kept = state.end.facts.get("metrics") if state is not None and state.end is not None else None
        return None if kept is None else msgspec.convert(kept, StreamMetrics)

    async def cancel_stream(self, stream_id: str) -> bool:
        """Stop a stream now, whatever it is doing, and free what it holds. Its readers get
        StreamCancelledException after what had come. False where it is unknown or had ended.
        """
        making = self._asked.get(stream_id)
        if making is not None:
            if making.producer is None and making.terminal is None:
                await making.open()
            return making.stop(CANCELLED)
        state = await self._state(stream_id)
        if state is None or state.end is not None:
            return False
        state = await self._sessions.stop(state)  # another process makes it
        return state.end is not None and state.end.outcome == "cancelled"

    async def aclose(self) -> None:
        """Stop every stream of this manager's; and forget them, where the log is its own."""
        failure = Failure.of(StreamCancelledException("the manager was closed"))
        for making in list(self._asked.values()):
            making.stop(failure)
        if self._owns:
            await self._sessions.aclose(failure)
            for reader in list(self._readers):
                reader.give_up(failure)  # those that had not begun to read yet
        if self._wheel is not None:
            self._wheel.close()
            self._wheel = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def _read(self, stream: Making | Kept, id: str, after: int) -> ManagedStream:
        reader = EnvelopeReader(id, after, stream, self._sessions)
        self._readers.add(reader)
        return ManagedStream(reader)

    def _produce(self, session: Session, context: StreamContext) -> EnvelopeProducer:
        loop = asyncio.get_running_loop()
        if self._wheel is None or self._loop is not loop:
            self._wheel, self._loop = Wheel(loop), loop
        return EnvelopeProducer(session, context, self._wheel, self._tracking)

    async def _state(self, stream_id: str) -> StreamState | None:
        """What the log knows; where a stream has just ended here, with its end."""
        await self._sessions.open()
        state = await self._sessions.state(stream_id)
        if state is None or not state.head.facts.get(ENVELOPES):
            return None
        while state is not None and state.end is None:
            session = self._sessions.live.get(stream_id)
            if session is None or session.producer is not None:
                break
            await self._sessions.log.wait(stream_id, state.last, _WAIT_S)
            state = await self._sessions.state(stream_id)
        return state


def _type_of(stream_type: StreamType | str) -> StreamType:
    try:
        return StreamType(stream_type)
    except ValueError:
        choices = ", ".join(StreamType)
        said = f"stream_type is {stream_type!r}: choose one of {choices}"
        raise RequestError(said, field="stream_type", value=stream_type) from None


def _limit(field: str, seconds: float | None) -> float | None:
    if seconds is None or (_is_time(seconds) and seconds):
        return seconds
    said = f"{field}: must be more than 0 seconds, and finite, not {seconds!r}"
    raise RequestError(f"{said}; default_timeout_seconds=None sets no limit", field=field, value=seconds)


def _is_time(seconds: Any) -> bool:
    return isinstance(seconds, (int, float)) and 0 <= seconds < math.inf


def _refuse(**arguments: Any) -> None:
    for name, value in arguments.items():
        if value is not None:
            raise not_there(name)
