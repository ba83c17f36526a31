"""Running the calls of one step: at once, within bounds, each to a result for the model."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, TypeAlias

from headrace.core.chunk import ToolResult
from headrace.core.message import ResultPart, TextPart
from headrace.core.reply import ToolCall
from headrace.core.shape import Invalid
from headrace.dispatch.tool_threads import NoThread, in_thread
from headrace.errors import ToolError
from headrace.structured.function import Arguments, FunctionTool
from headrace.structured.tool_output import output_parts

log = logging.getLogger("headrace.tools")
OnError: TypeAlias = Literal["tell", "raise"]
MAX_OUTPUT_CHARS = 1_000_000
_MODELS_FAULT = ("bad_arguments", "unknown_tool")


@dataclass(frozen=True, slots=True)
class CallRunner:
    """Runs calls of `tools`, at most `max_parallel` at a time.

    timeout_s: for one call, where its tool has none of its own. on_error: tell the model what went wrong, so
    that it can try again, or raise ToolError.
    """

    tools: Mapping[str, FunctionTool[..., Any]]
    max_parallel: int
    timeout_s: float | None
    on_error: OnError

    async def run(self, calls: Sequence[ToolCall], give: Callable[[ToolResult], None]) -> None:
        """Give the result of each call, in the order of the calls, once it and those before it are there.

        However it ends, no call is running afterwards (a plain function may be: see `tool_threads`).
        Raises: ToolError where `on_error` says so.
        """
        free = asyncio.Semaphore(self.max_parallel)
        tasks = [asyncio.create_task(self._one(call, free)) for call in calls]
        try:
            for task in tasks:
                give(await task)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _one(self, call: ToolCall, free: asyncio.Semaphore) -> ToolResult:
        async with free:
            try:
                return ToolResult(call.id, call.name, _parts(call, await self._called(call)))
            except ToolError as error:
                if self.on_error == "raise":
                    raise
                own = error.__cause__ if error.code == "raised" else None
                level = logging.INFO if error.code in _MODELS_FAULT else logging.WARNING
                log.log(level, "tool %s: %s", call.name, error.message, exc_info=own)
                return ToolResult(call.id, call.name, (TextPart(error.message),), is_error=True)

    async def _called(self, call: ToolCall) -> Any:
        tool = self.tools.get(call.name)
        if tool is None:
            names = ", ".join(self.tools)
            raise _failed(call, "unknown_tool", f"no tool is called {call.name!r}: there are {names}")
        try:
            arguments = tool.read(call.arguments)
        except Invalid as error:
            where = error.path.lstrip(".")
            why = f"{where}: {error.why}" if where else error.why
            raise _failed(call, "bad_arguments", f"the arguments of {call.name} are wrong: {why}") from error
        limit_s = self.timeout_s if tool.timeout_s is None else tool.timeout_s
        limit = asyncio.timeout(limit_s)
        try:
            async with limit:
                return await _run(tool, arguments)
        except NoThread as error:
            raise _failed(call, "busy", str(error)) from None
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            raise _failed(call, "raised", f"{call.name} was cancelled") from error
        except Exception as error:  # the function's own
            if limit.expired():
                raise _failed(call, "timeout", f"{call.name} took longer than {limit_s:g} s") from None
            raise _failed(call, "raised", f"{type(error).__name__}: {error}") from error


def _parts(call: ToolCall, returned: Any) -> tuple[ResultPart, ...]:
    try:
        parts = output_parts(returned)
    except Exception as error:  # whatever writing a value of the function's as JSON may raise
        raise _failed(call, "bad_result", f"the result of {call.name} is no JSON: {error}") from error
    if sum(len(part.text) for part in parts if isinstance(part, TextPart)) > MAX_OUTPUT_CHARS:
        why = f"the result of {call.name} is longer than {MAX_OUTPUT_CHARS} characters"
        raise _failed(call, "bad_result", why)
    return parts


async def _run(tool: FunctionTool[..., Any], arguments: Arguments) -> Any:
    call = partial(tool.function, *arguments.positional, **arguments.named)
    returned = call() if tool.is_async else await in_thread(call)
    return await returned if inspect.isawaitable(returned) else returned


def _failed(call: ToolCall, code: str, message: str) -> ToolError:
    return ToolError(message, code=code, tool=call.name, call_id=call.id)
