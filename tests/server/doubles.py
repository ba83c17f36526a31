"""Models and a runtime for the server's tests."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from headrace.core.chunk import (
    TERMINALS,
    BlockEnd,
    BlockStart,
    Cancelled,
    CandidateEnd,
    Chunk,
    Finish,
    Start,
    Terminal,
    TextDelta,
    UsageReport,
)
from headrace.core.model import Model, ModelCard, Opened, OpenedRelay, Sink
from headrace.core.request import Request
from headrace.core.usage import Usage
from headrace.errors import UnknownModel
from headrace.simulate.script import ScriptedSource
from headrace.wire.openai_chat.relay import ChatRelay

BEGIN: list[Chunk] = [Start("id-1", "m", 1), BlockStart(0, "text")]
END: list[Chunk] = [BlockEnd(0), CandidateEnd("stop"), UsageReport(Usage(3, 2))]


class HandSource:
    """A source that a test pushes by hand, and that tells what was asked of it.

    relay: what is pushed goes through it, as a provider's bytes do.
    """

    def __init__(self, relay: ChatRelay | None = None) -> None:
        self.relay = relay
        self.sink: Sink[Any] | None = None
        self.started = asyncio.Event()
        self.was_cancelled = asyncio.Event()
        self.was_paused = asyncio.Event()
        self.was_resumed = asyncio.Event()
        self.paused = False
        self.ended = False

    def start(self, sink: Sink[Any], /) -> None:
        assert self.sink is None, "a source is started once"
        self.sink = sink
        self.started.set()

    def pause(self) -> None:
        self.paused = True
        self.was_paused.set()

    def resume(self) -> None:
        self.paused = False
        self.was_resumed.set()

    def cancel(self) -> None:
        self.was_cancelled.set()
        self.end(Cancelled("cancelled"))

    def push(self, *batch: Any) -> None:
        assert self.sink is not None
        if self.ended:
            return
        if self.relay is None:
            self.sink.push(batch)
        else:
            self._pass(self.relay.feed(batch))

    def say(self, text: str) -> None:
        self.push(TextDelta(0, text))

    def end(self, terminal: Terminal | None = None) -> None:
        assert self.sink is not None
        if self.ended:
            return
        if self.relay is not None and (terminal is None or isinstance(terminal, Finish)):
            self._pass(self.relay.close())
            return
        self.ended = True
        self.sink.end(terminal if terminal is not None else Finish())

    def _pass(self, out: Sequence[bytes | Terminal]) -> None:
        assert self.sink is not None
        frames = [item for item in out if isinstance(item, bytes)]
        if frames:
            self.sink.push(frames)
        for item in out:
            if not isinstance(item, bytes):
                self.ended = True
                self.sink.end(item)


class HandModel:
    """Gives out `HandSource`s. relays: answers streamed requests with raw frames."""

    def __init__(
        self, *, relays: bool = False, warnings: Sequence[str] = (), error: Exception | None = None
    ) -> None:
        self.card = ModelCard("m", owner="test", aliases=("other",))
        self.relays, self.warnings, self.error = relays, tuple(warnings), error
        self.sources: asyncio.Queue[HandSource] = asyncio.Queue()
        self.requests: list[Request] = []
        self.source_in_use: HandSource  # a test's own note

    def _source(self, relay: ChatRelay | None = None) -> HandSource:
        if self.error is not None:
            raise self.error
        source = HandSource(relay)
        self.sources.put_nowait(source)
        return source

    def open(self, request: Request, /) -> Opened:
        self.requests.append(request)
        return Opened(self._source(), self.warnings)

    def open_relay(self, wire: str, body: bytes, include_usage: bool, /) -> OpenedRelay | None:
        if not self.relays:
            return None
        assert wire == "openai_chat"
        relay = ChatRelay(include_usage)
        return OpenedRelay(self._source(relay), relay)

    async def source(self) -> HandSource:
        """The next source asked for, started."""
        async with asyncio.timeout(30):
            source = await self.sources.get()
            await source.started.wait()
        return source


class ScriptModel:
    """Plays a script of chunks for each request, one script after the other."""

    def __init__(self, *scripts: Sequence[Chunk]) -> None:
        self.card = ModelCard("m", owner="test")
        self._scripts = iter(scripts)
        self.requests: list[Request] = []

    def open(self, request: Request, /) -> Opened:
        self.requests.append(request)
        *chunks, terminal = next(self._scripts)
        assert isinstance(terminal, TERMINALS)
        return Opened(ScriptedSource(chunks, terminal))

    def open_relay(self, wire: str, body: bytes, include_usage: bool, /) -> None:
        return None


class Models:
    """A runtime of given models."""

    def __init__(self, *models: Model) -> None:
        self._models = models
        self.trouble: dict[str, str] = {}

    def resolve(self, model_id: str, /) -> Model:
        for model in self._models:
            if model_id == model.card.id or model_id in model.card.aliases:
                return model
        raise UnknownModel(f"no model is called {model_id!r}", field="model", value=model_id)

    @property
    def default_model(self) -> str:
        return self._models[0].card.id

    def troubles(self) -> dict[str, str]:
        return self.trouble

    def models(self) -> list[ModelCard]:
        return [model.card for model in self._models]


def frames(*texts: str, done: bool = True) -> bytes:
    """A provider's stream that says `texts`."""
    events = [f'{{"id":"c","choices":[{{"index":0,"delta":{{"content":"{text}"}}}}]}}' for text in texts]
    if done:
        events.append('{"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}')
        events.append("[DONE]")
    return "".join(f"data: {event}\n\n" for event in events).encode()
