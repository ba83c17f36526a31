"""An engine that does what its job says, to try the worker with. Not a test file."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import time
from typing import Any

from headrace.core.chunk import Finish, Start, Terminal, TextDelta
from headrace.errors import RequestError, RunnerError
from headrace.runners.base import Emit, Facts, Wedged


class ScriptedEngine:
    """job: say (deltas), then crash, hang, refuse or raise. A job that raised leaves it ill."""

    ill = ""

    def load(self, options: dict[str, Any], /) -> Facts:
        print("scripted engine loads", file=sys.stderr, flush=True)
        match options.get("load"):
            case "fail":
                raise RunnerError(f"no such weights: {options.get('path')}", code="E502")
            case "raise":
                raise ZeroDivisionError("in load")
            case "hang":
                time.sleep(60)
            case "exit":
                print(f"native code gives up on '{options.get('path')}'", file=sys.stderr, flush=True)
                os._exit(3)
        return Facts(options.get("slots", 2))

    async def run(self, job: dict[str, Any], emit: Emit, /) -> Terminal:
        if not job.get("silent"):
            await emit([Start("scripted")])
        for number in range(job.get("say", 0)):
            await emit([TextDelta(0, f"{number} ")])
        await self._then(job.get("then"), emit)
        return Finish("stop")

    async def _then(self, what: str | None, emit: Emit) -> None:
        match what:
            case "crash":
                os._exit(9)
            case "tell":
                while True:
                    await asyncio.sleep(0.2)
                    await emit(())
            case "ignore cancel":
                await _deaf()
            case "block":
                time.sleep(60)
            case "hang":
                await asyncio.Event().wait()
            case "refuse":
                raise RequestError("not like this", field="stop")
            case "wedge":
                raise Wedged(RequestError("too much", field="stop"))
            case "raise":
                self.ill = "divided by zero"
                raise ZeroDivisionError("in run")

    async def health(self) -> str:
        return self.ill


async def _deaf() -> None:
    while True:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
