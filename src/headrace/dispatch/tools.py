"""Letting a model call Python functions: `run_tools`, `run_tools_sync`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias, Unpack, cast

from headrace.core.chunk import Chunk, Finish
from headrace.core.message import Message
from headrace.core.model import Opened
from headrace.core.request import Request
from headrace.dispatch.ask import Ask, AskWithoutTools, read_ask
from headrace.dispatch.runtime import Runtime, runtime_here
from headrace.dispatch.text import TextResult
from headrace.dispatch.tool_calls import CallRunner, OnError
from headrace.dispatch.tool_loop import AT_LIMIT, OnLimit, ToolLoop
from headrace.errors import RequestError
from headrace.stream.sync import SyncStream, iterate_sync
from headrace.structured.function import FunctionTool

ToolFunction: TypeAlias = "Callable[..., Any] | FunctionTool[..., Any]"


class RunAsk(AskWithoutTools, total=False):
    """The keywords of a run, beside those of a call.

    max_steps: requests to the model at most, 8. on_limit: at that limit "finish" (the default) ends the run
    with the calls that were not run in `response.tool_calls`, "raise" with a StreamingError. on_error: what
    goes wrong with a call is told to the model as its result ("tell", the default), or raised as ToolError
    ("raise"). max_parallel: calls that run at once, 8. tool_timeout_s: seconds for one call, 60; None sets no
    limit. runtime: where models are found; the running loop's own where it is not given.
    """

    max_steps: int
    on_limit: OnLimit
    on_error: OnError
    max_parallel: int
    tool_timeout_s: float | None
    runtime: Runtime | None


class ToolRun(TextResult):
    """A run under way: everything that a `TextResult` has, over all steps of the model.

    chunks: each step is a `Start`, its blocks and its `CandidateEnd`, then a `ToolResult` for each of its
    calls; block numbers go on from step to step and usage is the sum so far; one terminal ends the run.
    response: of which `text` and `tool_calls` are the last step's.
    """

    def __init__(self, opened: Opened, model: str, asked: Request, warnings: list[str]) -> None:
        super().__init__(opened, model)
        self._asked = asked
        self._warnings = warnings  # later steps may add to them

    @property
    def messages(self) -> tuple[Message, ...]:
        """The conversation so far, the question first: what to ask the next question after."""
        return (*self._asked.messages, *self.response.messages)

    @property
    def at_limit(self) -> bool:
        """Whether the run ended because `max_steps` was reached and the model still called tools."""
        terminal = self.response.terminal
        return isinstance(terminal, Finish) and terminal.raw_reason == AT_LIMIT

    async def answer(self) -> str:
        """The text of the model's last step, once the run is complete; whatever of it was read before.

        Raises what the run raises.
        """
        async with self.chunks as chunks:
            async for _ in chunks:
                pass
        return self.text


def run_tools(
    model: str,
    prompt: str | None = None,
    *,
    tools: Iterable[ToolFunction],
    **ask: Unpack[RunAsk],
) -> ToolRun:
    """Ask `model`, run the functions that it calls, tell it the results, and go on until it calls none.

        def weather(city: str) -> str:
            "Today's weather in a city."

        async for text in run_tools("openai/gpt-4o", "Do I need a coat in Oslo?", tools=[weather]).stream:
            print(text, end="")

    tools: functions, plain (each call runs in a thread) or coroutine functions. What the model is told of
    them is read from their names, docstrings and signatures; `headrace.tool` says it otherwise. Arguments
    are checked against the signature. Calls of one step run at the same time, their results keep their order.
    A `tool_choice` that demands a call holds for the first step. ask: see `RunAsk`, and `stream_text`.
    Nothing is sent before the first read. Closing the stream stops the model and cancels running calls; a
    plain function that runs is left to end by itself.
    Raises: RequestError for what cannot be asked, naming the argument. What goes wrong later is raised where
    the stream is read.
    """
    runtime = ask.pop("runtime", None) or runtime_here()
    by_name = _by_name(tools)
    max_steps = _at_least_one("max_steps", ask.pop("max_steps", 8))
    on_limit = _one_of("on_limit", ask.pop("on_limit", "finish"), ("finish", "raise"))
    runner = CallRunner(
        by_name,
        _at_least_one("max_parallel", ask.pop("max_parallel", 8)),
        ask.pop("tool_timeout_s", 60.0),
        _one_of("on_error", ask.pop("on_error", "tell"), ("tell", "raise")),
    )
    plain: Ask = {**cast(AskWithoutTools, ask), "tools": [one.request for one in by_name.values()]}
    request, said = read_ask(model, prompt, **plain)
    if request.settings.n != 1:
        raise RequestError("a run follows one answer: n must be 1", field="n", value=request.settings.n)
    warnings = list(said)

    def open_step(request: Request) -> Opened:
        opened = runtime.resolve(model).open(request)
        warnings.extend(one for one in opened.warnings if one not in warnings)
        return opened

    first = open_step(request)
    loop = ToolLoop(request, first, open_step, runner, max_steps=max_steps, on_limit=on_limit)
    return ToolRun(Opened(loop), model, request, warnings)


def run_tools_sync(
    model: str, prompt: str | None = None, *, tools: Iterable[ToolFunction], **ask: Unpack[RunAsk]
) -> SyncStream[Chunk]:
    """`run_tools(...).chunks` for scripts and notebooks: a plain iterator of every chunk.

    `fold(chunks)` gives the `Reply`: its `text`, and its `messages` to go on with. Plain functions run in
    threads of their own, coroutine functions in the background loop.
    """
    return iterate_sync(lambda: run_tools(model, prompt, tools=tools, **ask).chunks)


def _by_name(tools: Iterable[ToolFunction]) -> dict[str, FunctionTool[..., Any]]:
    by_name: dict[str, FunctionTool[..., Any]] = {}
    for at, one in enumerate[Any](tools):
        if not callable(one):
            why = "a run calls Python functions: give stream_text the tools that somebody else runs"
            raise RequestError(f"tools.{at} is {one!r:.80}: {why}", field=f"tools.{at}", value=one)
        made = one if isinstance(one, FunctionTool) else FunctionTool(one)
        if made.name in by_name:
            raise RequestError(f"two tools are called {made.name}", field=f"tools.{at}", value=made.name)
        by_name[made.name] = made
    if not by_name:
        raise RequestError(
            "tools is empty: there is nothing that the model could call", field="tools", value=[]
        )
    return by_name


def _at_least_one(name: str, value: int) -> int:
    if not isinstance(value, int) or value < 1:
        raise RequestError(f"{name} is {value!r}: give a whole number from 1 on", field=name, value=value)
    return value


def _one_of(name: str, value: Any, choices: tuple[str, ...]) -> Any:
    if value not in choices:
        raise RequestError(
            f"{name} is {value!r}: choose one of {', '.join(choices)}", field=name, value=value
        )
    return value


__all__ = ["RunAsk", "ToolFunction", "ToolRun", "run_tools", "run_tools_sync"]
