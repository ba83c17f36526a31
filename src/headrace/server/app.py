"""The server less its sockets: which endpoint answers, what is under way, and the end of it all."""

from __future__ import annotations

import asyncio
import difflib
import logging
import re
import secrets
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, Unpack

import msgspec

from headrace.core.chunk import Failure
from headrace.core.excerpt import excerpt
from headrace.core.model import Model, ModelCard
from headrace.core.request import Request
from headrace.errors import AuthError, HeadraceError, Unavailable, UnknownModel
from headrace.metrics.clock import TARGETS
from headrace.metrics.measures import Measures
from headrace.server.door import Door, refusal_fields
from headrace.server.exchange import Exchange
from headrace.server.keys import NOBODY
from headrace.server.limits import Limits
from headrace.server.options import AppOptions, checked
from headrace.server.place import Place
from headrace.server.problem import INTERNAL, problem, respond_problem, shown_path, unknown_path
from headrace.server.squeeze import takes_gzip
from headrace.server.waiting import Waiting
from headrace.sessions.admission import Admission, Claim
from headrace.sessions.produce import Report
from headrace.sessions.table import Sessions
from headrace.transport.wheel import Wheel

if TYPE_CHECKING:
    from headrace.sessions.rates import Verdict

Endpoint: TypeAlias = Callable[[Exchange], None]
logger = logging.getLogger("headrace.server")
_access = logging.getLogger("headrace.access")
_SANE_ID = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")
_LAST_COMMIT_S = 2.0  # for the log to take how the last streams ended
_LONGEST_MEANT_CHARS = 64
SHUTTING_DOWN = Failure.of(Unavailable("the server is shutting down", code="shutting_down", http_status=503))


class Runtime(Protocol):
    """What the server asks of the rest of the house; `headrace.dispatch.runtime.Runtime` is one."""

    def resolve(self, model_id: str, /) -> Model:
        """The model of that id or alias. Raises UnknownModel."""

    @property
    def default_model(self) -> str:
        """What answers where a protocol's requests name no model."""

    def troubles(self) -> dict[str, str]:
        """Model id -> what is known to be wrong with it."""

    def models(self) -> list[ModelCard]:
        """Every model that can be named, in a stable order."""


class App:
    """Answers exchanges, whatever carries them. options: see `AppOptions`.

    routes: (method, path) -> endpoint. trees: the same for every path that begins so; `path` ends in "/".
    sessions: the streams. measures: counts every answer, and tells the watchers. door: who comes in.
    admission: what is answered at once, and what waits. error_body_of: an error's JSON in the protocol that
    the head of a request speaks. live: what is being answered now. draining: nothing new is taken.
    """

    def __init__(self, runtime: Runtime, **options: Unpack[AppOptions]) -> None:
        checked(options)
        self.runtime = runtime
        self.limits = options.get("limits") or Limits()
        self.sessions = options.get("sessions") or Sessions()
        targets, watchers = options.get("targets", TARGETS), options.get("watchers", ())
        self.measures = Measures(self._known_models, targets, watchers)
        self.counters = self.measures.counters
        self.door = options.get("door") or Door()
        self.admission = Admission(self.door.queue, lambda: self.wheel)
        self.error_body_of: Callable[[Exchange], Callable[[Failure], bytes]] = lambda exchange: (
            exchange.error_body
        )
        self.routes: dict[tuple[str, str], Endpoint] = {}
        self.trees: dict[tuple[str, str], Endpoint] = {}
        self.live: set[Exchange] = set()
        self.draining = False
        self._access_log = options.get("access_log", False)
        self._wheel: Wheel | None = None
        self._wheel_loop: asyncio.AbstractEventLoop | None = None
        self._quiet: asyncio.Event | None = None
        self.sessions.on_quiet = self._look_quiet
        self._on_done = self._done  # one bound method for all exchanges

    @property
    def wheel(self) -> Wheel:
        """Every deadline of the running loop's connections and streams."""
        loop = asyncio.get_running_loop()
        if self._wheel is None or self._wheel_loop is not loop:
            self._wheel, self._wheel_loop = Wheel(loop), loop
        return self._wheel

    def answer(self, exchange: Exchange) -> None:
        """Answer, at once or later. Never raises."""
        self.counters.requests += 1
        self.live.add(exchange)
        exchange.on_done = self._on_done
        exchange.request_id = _request_id(exchange.headers)
        self._guarded(exchange, lambda: self._enter(exchange))

    def _guarded(self, exchange: Exchange, step: Callable[[], object]) -> None:
        """Do it; an error is the answer."""
        try:
            step()
        except HeadraceError as error:
            self._give_up(exchange, Failure.of(error))
        except Exception:
            # One request's bug must not take the others' connections with it.
            logger.exception("%s %s failed", exchange.method, exchange.path)
            self._give_up(exchange, INTERNAL)

    async def open(self) -> None:
        """Make the streams' log ready. Raises ConfigError where it cannot be."""
        await self.sessions.open()

    async def drain(self, drain_s: float) -> None:
        """Take nothing new, wait up to `drain_s` for what is under way, then end the rest."""
        self.draining = True
        if not await self._quiet_within(drain_s):
            count = max(len(self.live), len(self.sessions.live))
            logger.warning("ending %d answers that outlast the drain of %g s", count, drain_s)
        for exchange in list(self.live):
            exchange.shut_down(SHUTTING_DOWN)
        self.sessions.stop_all(SHUTTING_DOWN)
        await self._quiet_within(_LAST_COMMIT_S)

    async def _quiet_within(self, wait_s: float) -> bool:
        """Whether nothing is under way any more within that time; or nobody will wait for it."""
        if not self.live and not self.sessions.live:
            return True
        self._quiet = asyncio.Event()
        try:
            async with asyncio.timeout(wait_s):
                await self._quiet.wait()
        except TimeoutError:
            return False
        return True

    def _look_quiet(self) -> None:
        if self._quiet is not None and not self.live and not self.sessions.live:
            self._quiet.set()

    def hurry(self) -> None:
        """End the drain's waiting now."""
        if self._quiet is not None:
            self._quiet.set()

    async def aclose(self) -> None:
        """Close the streams' log, and forget the deadlines of a loop that ends."""
        await self.sessions.aclose()
        await self.door.aclose()
        if self._wheel is not None:
            self._wheel.close()
            self._wheel = self._wheel_loop = None

    def resolve(self, exchange: Exchange, model_id: str) -> Model:
        """The model of that id or alias, where the key may ask it. Raises UnknownModel, AuthError."""
        key = exchange.key
        try:
            model = self.runtime.resolve(model_id)
        except UnknownModel:
            if key.may_ask(model_id):
                raise
            raise _forbidden(model_id) from None  # whether there is one is not told
        if not key.may_ask(model_id, model.card.id):
            raise _forbidden(model_id)
        return model

    def models(self, exchange: Exchange) -> list[ModelCard]:
        """Every model that the key may ask."""
        key = exchange.key
        return [card for card in self.runtime.models() if key.may_ask(card.id, *card.aliases)]

    def admit(
        self, exchange: Exchange, model_id: str, request: Request, claim: Claim, report: Report
    ) -> Place:
        """A place for an answer, now or later; whoever has one lets it end. Raises RateLimited."""
        return Place(self.door, self.admission, exchange, model_id, request, claim, report)

    def refuse(self, exchange: Exchange, refusal: Failure) -> None:
        """Answer a request that no endpoint answers, in the protocol that its head speaks."""
        exchange.error_body = self.error_body_of(exchange)
        exchange.fields = (*exchange.fields, *refusal_fields(refusal))
        respond_problem(exchange, refusal)

    def _enter(self, exchange: Exchange) -> None:
        if not self._is_refused(exchange):
            self._let_in(exchange)

    def _is_refused(self, exchange: Exchange) -> bool:
        """The one place that every request passes, before its endpoint; a refused one has been answered."""
        cors = self.door.cors
        if cors is not None:
            exchange.fields = cors.fields(exchange.headers)
            if cors.answers(exchange):
                return True
        if self.door.compress != "off" and takes_gzip(exchange.headers):
            exchange.squeezes = self.door.compress
        refusal = SHUTTING_DOWN if self.draining else self.door.refusal(exchange)
        if refusal is None:
            return False
        self.refuse(exchange, refusal)
        return True

    def _let_in(self, exchange: Exchange) -> None:
        """Count it, where that is done, and call its endpoint."""
        asks = self.door.asks(exchange)
        if isinstance(asks, Coroutine):
            Waiting(exchange).run(self._let_in_later(exchange, asks))
        else:
            self._judge(exchange, asks)

    async def _let_in_later(self, exchange: Exchange, asks: Coroutine[Any, Any, Verdict]) -> None:
        verdict = await asks
        self._guarded(exchange, lambda: self._judge(exchange, verdict))

    def _judge(self, exchange: Exchange, verdict: Verdict | None) -> None:
        if verdict is not None:
            exchange.fields = (*exchange.fields, *verdict.fields)
            if verdict.failure is not None:
                self.refuse(exchange, verdict.failure)
                return
        endpoint = self._endpoint(exchange)
        if endpoint is not None:
            endpoint(exchange)

    def _known_models(self) -> set[str]:
        return {card.id for card in self.runtime.models()}

    def _endpoint(self, exchange: Exchange) -> Endpoint | None:
        """The endpoint; None when the exchange has been answered with 404 or 405."""
        method = "GET" if exchange.method == "HEAD" else exchange.method
        path = exchange.path
        endpoint = self.routes.get((method, path))
        if endpoint is not None:
            return endpoint
        allowed = {known for known, at in self.routes if at == path}
        for (known, tree), endpoint in self.trees.items():
            if path.startswith(tree) and len(path) > len(tree):
                if known == method:
                    return endpoint
                allowed.add(known)
        self._refuse_route(exchange, allowed, {at for known, at in self.routes if known == method})
        return None

    def _refuse_route(self, exchange: Exchange, allowed: set[str], known: set[str]) -> None:
        """allowed: the methods that the path takes. known: the paths that take the method."""
        if not allowed:
            near = _near(exchange.path, known)
            hint = f": did you mean {near}?" if near else ""
            self.refuse(exchange, unknown_path(exchange.path, hint))
            return
        if "GET" in allowed:
            allowed = {*allowed, "HEAD"}
        exchange.fields = (*exchange.fields, (b"allow", ", ".join(sorted(allowed)).encode()))
        message = f"{shown_path(exchange.path)} does not take {excerpt(exchange.method)}"
        self.refuse(exchange, problem(405, message, "method_not_allowed"))

    def _give_up(self, exchange: Exchange, failure: Failure) -> None:
        if exchange.closed:
            return  # it has been answered, and its connection may serve another
        if exchange.status:
            exchange.abort()
        else:
            respond_problem(exchange, failure)

    def _done(self, exchange: Exchange) -> None:
        self.live.discard(exchange)
        self.counters.bytes_out += exchange.bytes_out
        self.counters.disconnects += exchange.lost
        self._look_quiet()
        if self._access_log:
            _log(exchange)


def _forbidden(model_id: str) -> AuthError:
    message = f"this API key may not ask the model {excerpt(model_id)!r}"
    return AuthError(message, code="model_not_allowed", http_status=403)


def _near(path: str, known: set[str]) -> str:
    """The path that was meant: most often one without its /v1, or with two."""
    if len(path) > _LONGEST_MEANT_CHARS:  # likeness costs the product of the lengths
        return ""
    ends = [one for one in known if one.count("/") > 1 and (one.endswith(path) or path.endswith(one))]
    return next(iter(sorted(ends, key=len) or difflib.get_close_matches(path, known, n=1, cutoff=0.8)), "")


def _request_id(headers: Mapping[str, str]) -> str:
    """The client's own id where it is short and plain, else a new one."""
    given = headers.get("x-request-id", "")
    return given if _SANE_ID.fullmatch(given) else f"req_{secrets.token_hex(8)}"


def _log(exchange: Exchange) -> None:
    line: dict[str, Any] = {
        "time": round(time.time(), 3),
        "request_id": exchange.request_id,
        "method": exchange.method,
        "path": exchange.path,
        "status": exchange.status,
        "bytes_out": exchange.bytes_out,
        "duration_s": round(exchange.wheel.now_s() - exchange.began_s, 6),
    }
    if exchange.key is not NOBODY:
        line["key"] = exchange.key.id
    _access.info("%s", msgspec.json.encode(line).decode())
