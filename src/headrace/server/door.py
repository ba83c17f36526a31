"""Who comes in: keys, counts a minute, overload. What is asked of a request before any endpoint sees it."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from headrace.config.door import LimitSettings, QueueSettings, RateSettings
from headrace.core.chunk import Failure
from headrace.errors import AuthError, Unavailable
from headrace.server.cors import Cors
from headrace.server.exchange import Exchange
from headrace.server.keys import NOBODY, Key, Keys, brought
from headrace.server.lag import LagWatch
from headrace.server.squeeze import Compress

if TYPE_CHECKING:
    from headrace.sessions.rates import Rates, Verdict

# Nothing in them is secret, and whoever watches a server or writes a client for it has no key.
OPEN_PATHS = frozenset({"/health", "/openapi.json"})
_LACKING = AuthError(
    "an API key is needed: send it as `Authorization: Bearer KEY`", code="missing_api_key", http_status=401
)
_WRONG = AuthError("this API key is not valid here", code="invalid_api_key", http_status=401)
NO_KEY, BAD_KEY = Failure.of(_LACKING), Failure.of(_WRONG)


class Door:
    """keys: None where none is needed. limits: of every key that does not say otherwise, and of everybody
    together where none is needed. rates: counts them. queue, compress: see `headrace.config`.
    """

    def __init__(
        self,
        *,
        keys: Keys | None = None,
        limits: LimitSettings | None = None,
        rates: Rates | None = None,
        queue: QueueSettings | None = None,
        cors: Cors | None = None,
        compress: Compress = "off",
    ) -> None:
        self.keys = keys
        self.rates = rates
        self.queue = queue or QueueSettings()
        self.cors = cors
        self.compress = compress
        self._limits = limits or LimitSettings()
        self._lag = LagWatch() if self.queue.max_lag_s is not None else None

    def refusal(self, exchange: Exchange) -> Failure | None:
        """Why the request is not served. The exchange gets to know whose it is."""
        is_open = exchange.path in OPEN_PATHS
        if not is_open and self._lag is not None and self._lag.lag_s() > (self.queue.max_lag_s or 0):
            message = "the server has more to do than it can: try again in a moment"
            return Failure.of(Unavailable(message, code="overloaded", http_status=503, retry_after_s=1.0))
        if self.keys is None:
            return None
        failure = self._recognize(exchange, self.keys)
        return None if is_open else failure

    def asks(self, exchange: Exchange) -> Verdict | Coroutine[Any, Any, Verdict] | None:
        """Whether the key may have another answer, where that is counted: what is posted asks a model."""
        if self.rates is None or exchange.method != "POST":
            return None
        key = exchange.key
        return self.rates.ask(key.id, self.bounds_of(key))

    def bounds_of(self, key: Key) -> RateSettings:
        """The key's own bounds over everybody's."""
        if key is NOBODY:
            return self._limits
        own = key.settings
        return RateSettings(
            *(
                getattr(self._limits, name) if getattr(own, name) is None else getattr(own, name)
                for name in RateSettings.__struct_fields__
            )
        )

    def counts_tokens(self, key: Key) -> bool:
        """Whether this key's tokens are counted."""
        return self.rates is not None and self.bounds_of(key).tokens_per_minute is not None

    def spend(self, key: Key, tokens: int) -> None:
        """Count what an answer took."""
        if self.rates is not None:
            self.rates.spend(key.id, self.bounds_of(key), tokens)

    async def aclose(self) -> None:
        """Look and count no more."""
        if self._lag is not None:
            self._lag.close()
        if self.rates is not None:
            await self.rates.aclose()

    def _recognize(self, exchange: Exchange, keys: Keys) -> Failure | None:
        failure = NO_KEY
        for text in brought(exchange.headers, exchange.query):
            key = keys.find(text)
            if key is not None:
                exchange.key, exchange.owner = key, key.owner
                return None
            failure = BAD_KEY
        return failure


def refusal_fields(failure: Failure) -> tuple[tuple[bytes, bytes], ...]:
    """What a 401 says besides (RFC 9110 11.6.1)."""
    return ((b"www-authenticate", b"Bearer"),) if failure.http_status == 401 else ()
