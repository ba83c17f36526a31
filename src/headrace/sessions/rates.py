"""How much each key takes a minute: requests when they come, tokens when they are known.

A minute begins with a key's first request in it. Tokens count after the answer, so the answer that passes the
bound is still given, and what comes next is refused. Counted by `limits`: here, or in a Valkey or Redis
server that several servers share.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple, Protocol

from limits import RateLimitItemPerMinute
from limits.aio.strategies import FixedWindowRateLimiter as SharedLimiter
from limits.storage import Storage
from limits.strategies import FixedWindowRateLimiter

from headrace.config.door import RateSettings
from headrace.core.chunk import Failure
from headrace.errors import ConfigError, RateLimited, Unavailable

logger = logging.getLogger("headrace.server")
_PATIENCE_S = 2.0  # with the shared store
REQUESTS, TOKENS = "requests", "tokens"
Fields = tuple[tuple[bytes, bytes], ...]


class Verdict(NamedTuple):
    """failure: why it is too much. fields: response headers that tell the client how much is left."""

    failure: Failure | None = None
    fields: Fields = ()


class _State(NamedTuple):
    kind: str
    limit: int
    left: int
    reset_s: float
    refused: bool


class Rates(Protocol):
    """Counts for everybody. who: the key's id."""

    def ask(self, who: str, bounds: RateSettings) -> Verdict | Coroutine[Any, Any, Verdict]:
        """Count a request, and say whether it may be answered."""

    def spend(self, who: str, bounds: RateSettings, tokens: int) -> None:
        """Count what an answer took."""

    async def aclose(self) -> None:
        """End what is under way."""


class LocalRates:
    """Counts for this process alone. now_s: Unix seconds."""

    def __init__(self, now_s: Callable[[], float] = time.time) -> None:
        self._now_s = now_s
        self._limiter = FixedWindowRateLimiter(_LoopStorage(now_s))

    def ask(self, who: str, bounds: RateSettings) -> Verdict:
        states = []
        for kind, item in _items(bounds):
            went = (
                self._limiter.test(item, who, kind) if kind == TOKENS else self._limiter.hit(item, who, kind)
            )
            reset_s, left = self._limiter.get_window_stats(item, who, kind)
            states.append(_State(kind, item.amount, left, reset_s, not went))
        return _verdict(states, self._now_s())

    def spend(self, who: str, bounds: RateSettings, tokens: int) -> None:
        if bounds.tokens_per_minute is not None and tokens > 0:
            self._limiter.hit(RateLimitItemPerMinute(bounds.tokens_per_minute), who, TOKENS, cost=tokens)

    async def aclose(self) -> None:
        """There is nothing under way."""


class SharedRates:
    """Counts together with others in a Valkey or Redis server, by the package `redis`.

    Where that cannot be reached a request is refused with 503: what bounds costs must not fail open.
    Raises ConfigError where the package is not there or the URL is none.
    """

    def __init__(self, url: str, now_s: Callable[[], float] = time.time) -> None:
        try:
            from limits.aio.storage import RedisStorage
            from redis.asyncio import ConnectionPool
        except ModuleNotFoundError as error:
            message = f"limits.store needs {error.name}: pip install 'headrace[valkey]'"
            raise ConfigError(message, field="limits.store") from error
        plain = url.replace("valkeys://", "rediss://", 1).replace("valkey://", "redis://", 1)
        try:
            pool = ConnectionPool.from_url(
                plain, socket_timeout=_PATIENCE_S, socket_connect_timeout=_PATIENCE_S
            )
        except ValueError as error:
            message = "limits.store: must be the URL of a Valkey or Redis server, such as valkey://host:6379"
            raise ConfigError(message, field="limits.store") from error
        self._now_s = now_s
        self._pool = pool
        options: dict[str, Any] = {"connection_pool": pool, "implementation": "redispy"}
        storage = RedisStorage("async+redis://in-the-pool:1", wrap_exceptions=True, **options)
        self._limiter = SharedLimiter(storage)
        self._tasks: set[asyncio.Task[None]] = set()

    async def ask(self, who: str, bounds: RateSettings) -> Verdict:
        from limits.errors import StorageError

        states = []
        try:
            for kind, item in _items(bounds):
                limiter = self._limiter
                went = await (limiter.test if kind == TOKENS else limiter.hit)(item, who, kind)
                reset_s, left = await limiter.get_window_stats(item, who, kind)
                states.append(_State(kind, item.amount, left, reset_s, not went))
        except StorageError as error:
            logger.warning("the store of rate limits does not answer: %r", error.storage_error)
            message = "requests cannot be counted at the moment: try again later"
            return Verdict(Failure.of(Unavailable(message, code="limits_unavailable", http_status=503)))
        return _verdict(states, self._now_s())

    def spend(self, who: str, bounds: RateSettings, tokens: int) -> None:
        if bounds.tokens_per_minute is not None and tokens > 0:
            task = asyncio.get_running_loop().create_task(self._spend(who, bounds.tokens_per_minute, tokens))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _spend(self, who: str, limit: int, tokens: int) -> None:
        from limits.errors import StorageError

        try:
            await self._limiter.hit(RateLimitItemPerMinute(limit), who, TOKENS, cost=tokens)
        except StorageError as error:
            logger.warning("%d tokens of %s are not counted: %r", tokens, who, error.storage_error)

    async def aclose(self) -> None:
        if self._tasks:
            await asyncio.wait(self._tasks)
        await self._pool.aclose()


def _items(bounds: RateSettings) -> list[tuple[str, RateLimitItemPerMinute]]:
    """Tokens first: a request that they refuse counts as none."""
    found = ((TOKENS, bounds.tokens_per_minute), (REQUESTS, bounds.requests_per_minute))
    return [(kind, RateLimitItemPerMinute(limit)) for kind, limit in found if limit is not None]


def _verdict(states: list[_State], now_s: float) -> Verdict:
    """The headers are named and written as OpenAI's (its rate limit guide, read 2026-11-25)."""
    fields: list[tuple[bytes, bytes]] = []
    failure = None
    for kind, limit, left, reset_s, refused in states:
        wait_s = max(math.ceil(reset_s - now_s), 0) if left < limit else 0
        for what, value in (("limit", f"{limit}"), ("remaining", f"{left}"), ("reset", f"{wait_s}s")):
            fields.append((f"x-ratelimit-{what}-{kind}".encode(), value.encode()))
        if refused and failure is None:
            message = f"{limit} {kind} a minute are reached: try again in {wait_s} s"
            code = "rate_limit_exceeded"
            failure = Failure.of(RateLimited(message, code=code, retry_after_s=float(max(wait_s, 1))))
    return Verdict(failure, tuple(fields))


class _LoopStorage(Storage):
    """Counters in a dict. The library's own starts a thread every 10 ms that there are requests.

    Names are those of keys, so there are few, and an old one is overwritten.
    """

    STORAGE_SCHEME = None

    def __init__(self, now_s: Callable[[], float]) -> None:
        super().__init__()
        self._now_s = now_s
        self._counts: dict[str, tuple[int, float]] = {}  # and when the window ends

    @property
    def base_exceptions(self) -> type[Exception]:
        return ValueError

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        now_s = self._now_s()
        count, ends_s = self._counts.get(key, (0, 0.0))
        # A clock that is set back must not make a window longer than it is.
        if not now_s < ends_s <= now_s + expiry:
            count, ends_s = 0, now_s + expiry
        self._counts[key] = count + amount, ends_s
        return count + amount

    def get(self, key: str) -> int:
        count, ends_s = self._counts.get(key, (0, 0.0))
        return count if self._now_s() < ends_s else 0

    def get_expiry(self, key: str) -> float:
        return self._counts.get(key, (0, 0.0))[1]

    def check(self) -> bool:
        return True

    def reset(self) -> int:
        count = len(self._counts)
        self._counts.clear()
        return count

    def clear(self, key: str) -> None:
        self._counts.pop(key, None)
