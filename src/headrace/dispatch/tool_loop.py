"""A model and its tools in turn, as one source: a step of the model, the results of its calls, the next."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Literal, TypeAlias

import msgspec

from headrace.core.chunk import BlockStart, Cancelled, Chunk, Finish, Terminal, ToolResult
from headrace.core.fold import ReplyFold
from headrace.core.message import Message, ToolResultPart
from headrace.core.model import Opened, Sink, Source
from headrace.core.reply import Reply, ToolCall
from headrace.core.request import Request
from headrace.dispatch.tool_calls import CallRunner
from headrace.errors import StreamingError, ToolError
from headrace.stream.push import failed, raised
from headrace.stream.renumber import Joined, Renumber

OnLimit: TypeAlias = Literal["finish", "raise"]
AT_LIMIT = "max_steps"  # `Finish.raw_reason` of a run that ended at its limit


class _Step:
    """The sink of one step of the model."""

    def __init__(self, loop: ToolLoop, source: Source[Chunk], stage: Renumber) -> None:
        self.source = source
        self.reply = ReplyFold()
        self._loop = loop
        self._stage = stage

    def push(self, batch: Sequence[Chunk], /) -> None:
        chunks = [_identified(chunk) for chunk in self._stage.feed(batch)]
        self.reply.feed(chunks)
        self._loop.give(chunks)

    def end(self, terminal: Terminal, /) -> None:
        self._stage.close()
        self.reply.feed([terminal])
        self._loop.stepped(self, terminal)


class ToolLoop:
    """A source: the chunks of every step, block numbers and usage going on, with one terminal at the end.

    request, first: what the first step asks, and its source. open: opens the next one. max_steps: requests to
    the model at most; the calls that its last answer asks for are not run.
    The run ends where the model calls nothing, where a step fails, is cut or is cancelled, and where a call
    raises. Cancelling cancels the step or the calls that are under way.
    """

    def __init__(
        self,
        request: Request,
        first: Opened,
        open: Callable[[Request], Opened],
        runner: CallRunner,
        *,
        max_steps: int,
        on_limit: OnLimit,
    ) -> None:
        self._request = request
        self._open = open
        self._runner = runner
        self._max_steps = max_steps
        self._on_limit = on_limit
        self._joined = Joined()
        self._steps = 1
        self._step: _Step | None = _Step(self, first.source, Renumber(self._joined, 1))
        self._task: asyncio.Task[None] | None = None
        self._answering = False
        self._below: Sink[Chunk] | None = None
        self._paused = False
        self._cancelled = False
        self._over = False

    # A source

    def start(self, sink: Sink[Chunk], /) -> None:
        self._below = sink
        assert self._step is not None
        self._step.source.start(self._step)

    def pause(self) -> None:
        self._paused = True
        if self._step is not None:
            self._step.source.pause()

    def resume(self) -> None:
        self._paused = False
        if self._step is not None:
            self._step.source.resume()

    def cancel(self) -> None:
        self._cancelled = True
        if self._step is not None:
            self._step.source.cancel()
        elif self._task is not None and self._answering:
            self._task.cancel()  # before its first step it would never run: it looks at the flag itself

    # What a step tells

    def give(self, chunks: Sequence[Chunk]) -> None:
        """Hand chunks on."""
        if chunks and self._below is not None and not self._over:
            self._below.push(chunks)

    def stepped(self, step: _Step, terminal: Terminal) -> None:
        """The model's answer has ended."""
        self._step = None
        reply = step.reply.reply()
        calls = reply.tool_calls
        if not isinstance(terminal, Finish) or not calls or reply.finish_reason not in ("tool_calls", "stop"):
            self._finish(terminal)
        elif self._cancelled:
            self._finish(Cancelled("cancelled by the reader"))
        elif self._steps >= self._max_steps:
            self._finish(self._limit(terminal))
        else:
            self._task = asyncio.get_running_loop().create_task(self._answer(reply, calls))

    def _limit(self, terminal: Finish) -> Terminal:
        if self._on_limit == "raise":
            why = f"the model still calls tools after {self._max_steps} steps (max_steps)"
            return failed(StreamingError(why, code=AT_LIMIT))
        return msgspec.structs.replace(terminal, finish_reason="tool_calls", raw_reason=AT_LIMIT)

    async def _answer(self, reply: Reply, calls: Sequence[ToolCall]) -> None:
        """Run the calls, and begin the next step."""
        self._answering = True
        results: list[ToolResultPart] = []

        def give(result: ToolResult) -> None:
            results.append(ToolResultPart(result.id, result.parts, result.is_error))
            self.give([result])

        terminal: Terminal = Cancelled("its task was cancelled")
        try:
            if self._cancelled:
                terminal = Cancelled("cancelled by the reader")
                return
            await self._runner.run(calls, give)
            self._begin(reply, results)
            return
        except asyncio.CancelledError:
            if not self._cancelled:
                raise
            terminal = Cancelled("cancelled by the reader")
        except ToolError as error:
            terminal = raised(error)  # with the function's own error as its cause
        except Exception as error:  # noqa: BLE001 - what cannot be asked next is the run's failure
            terminal = failed(error)
        finally:
            self._task, self._answering = None, False
            if self._step is None:
                self._finish(terminal)

    def _begin(self, reply: Reply, results: Sequence[ToolResultPart]) -> None:
        choice = self._request.tool_choice
        self._request = msgspec.structs.replace(
            self._request,
            messages=(*self._request.messages, reply.message, Message("tool", tuple(results))),
            # A call that was demanded has been made: demanded again, it would be made for ever.
            tool_choice=None if choice is not None and choice.mode in ("required", "tool") else choice,
        )
        opened = self._open(self._request)
        self._steps += 1
        step = _Step(self, opened.source, Renumber(self._joined, self._steps))
        opened.source.start(step)
        self._step = step
        if self._paused:
            opened.source.pause()

    def _finish(self, terminal: Terminal) -> None:
        if not self._over and self._below is not None:
            self._over = True
            self._below.end(terminal)


def _identified(chunk: Chunk) -> Chunk:
    """A call without an id gets one: its result must name it."""
    if type(chunk) is BlockStart and chunk.kind == "tool-call" and not chunk.id:
        return msgspec.structs.replace(chunk, id=f"call_{chunk.block}")
    return chunk
