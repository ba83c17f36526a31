"""A request whose answer waits for something else than a model: the streams' log, a shared count."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from headrace.core.chunk import Failure
from headrace.errors import HeadraceError
from headrace.server.exchange import Exchange
from headrace.server.problem import INTERNAL, respond_problem

logger = logging.getLogger("headrace.server")


class Waiting:
    """The listener until whoever answers takes over."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._task: asyncio.Task[None] | None = None
        exchange.listener = self

    def run(self, answering: Coroutine[Any, Any, None]) -> None:
        """Answer by and by; an error is the answer."""
        self._task = asyncio.get_running_loop().create_task(self._answer(answering))

    async def _answer(self, answering: Coroutine[Any, Any, None]) -> None:
        try:
            await answering
        except HeadraceError as error:
            respond_problem(self._exchange, Failure.of(error))
        except Exception:
            # A bug must not leave the client without an answer.
            exchange = self._exchange
            logger.exception("%s %s failed", exchange.method, exchange.path)
            if exchange.status:
                exchange.abort()
            else:
                respond_problem(exchange, INTERNAL)

    def on_pause(self) -> None:
        """Nothing is written before the answer."""

    def on_resume(self) -> None:
        """Nothing is written before the answer."""

    def on_lost(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def on_shutdown(self, failure: Failure, /) -> None:
        if self._task is not None:
            self._task.cancel()
        respond_problem(self._exchange, failure)
