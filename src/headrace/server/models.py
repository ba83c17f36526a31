"""The models of this server, in each protocol's own list; whatever is asked, the same cards answer.

Three vendors ask at `/v1/models`. Anthropic's clients tell their version in a header and Google's their key
or library in theirs; everybody else gets OpenAI's list, which has no pages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from urllib.parse import parse_qs

import msgspec

from headrace.core.chunk import Failure
from headrace.core.excerpt import excerpt
from headrace.core.model import ModelCard
from headrace.errors import RequestError
from headrace.server.app import App
from headrace.server.exchange import Exchange
from headrace.server.problem import JSON_TYPE

Query = Mapping[str, list[str]]
MAX_PAGE = 1000
# How many models a page has where the client does not say: as at the vendors'.
ANTHROPIC_PAGE, GEMINI_PAGE = 20, 50


@dataclass(frozen=True, slots=True)
class Dialect:
    """One protocol's way to tell of models.

    several: (every card, the query) -> the body; raises RequestError.
    """

    several: Callable[[Sequence[ModelCard], Query], bytes]
    one: Callable[[ModelCard], bytes]
    error_body: Callable[[Failure], bytes]


def install(app: App) -> None:
    """Add the endpoints."""
    app.routes["GET", "/v1/models"] = partial(_several, app, dialect_of)
    app.trees["GET", "/v1/models/"] = partial(_one, app, dialect_of, "/v1/models/")
    app.routes["GET", "/v1beta/models"] = partial(_several, app, lambda _headers: _gemini())
    app.trees["GET", "/v1beta/models/"] = partial(_one, app, lambda _headers: _gemini(), "/v1beta/models/")


def dialect_of(headers: Mapping[str, str]) -> Dialect:
    """The protocol of a client that asks at an address that several share."""
    if "anthropic-version" in headers:
        return _anthropic()
    if "x-goog-api-key" in headers or "x-goog-api-client" in headers:
        return _gemini()
    return _openai()


def _several(app: App, speaks: Callable[[Mapping[str, str]], Dialect], exchange: Exchange) -> None:
    dialect = speaks(exchange.headers)
    exchange.error_body = dialect.error_body
    query = parse_qs(exchange.query)
    exchange.respond(200, (JSON_TYPE,), dialect.several(app.models(exchange), query))


def _one(app: App, speaks: Callable[[Mapping[str, str]], Dialect], tree: str, exchange: Exchange) -> None:
    """One of them, by id or alias; ids hold slashes."""
    dialect = speaks(exchange.headers)
    exchange.error_body = dialect.error_body
    card = app.resolve(exchange, exchange.path.removeprefix(tree)).card
    exchange.respond(200, (JSON_TYPE,), dialect.one(card))


@cache
def _openai() -> Dialect:
    from headrace.wire.openai_error import error_body
    from headrace.wire.openai_models import list_body, model_body

    return Dialect(
        lambda cards, _query: list_body(cards), lambda card: msgspec.json.encode(model_body(card)), error_body
    )


@cache
def _anthropic() -> Dialect:
    from headrace.wire.anthropic.failure import error_body
    from headrace.wire.anthropic.models import list_body, model_body

    def several(cards: Sequence[ModelCard], query: Query) -> bytes:
        stages = {*query.get("lifecycle", ()), *query.get("lifecycle[]", ())}
        if stages and "active" not in stages:
            cards = ()
        size = _size(query, "limit", ANTHROPIC_PAGE)
        if "before_id" in query:
            before = cards[: _place(cards, query, "before_id")]
            return list_body(before[-size:], len(before) > size)
        after = cards[_place(cards, query, "after_id") + 1 :]
        return list_body(after[:size], len(after) > size)

    return Dialect(several, lambda card: msgspec.json.encode(model_body(card)), error_body)


@cache
def _gemini() -> Dialect:
    from headrace.wire.gemini.failure import error_body
    from headrace.wire.gemini.models import list_body, model_body

    def several(cards: Sequence[ModelCard], query: Query) -> bytes:
        size = _size(query, "pageSize", GEMINI_PAGE)
        after = cards[_place(cards, query, "pageToken") + 1 :]
        page = after[:size]
        return list_body(page, page[-1].id if len(after) > size else "")

    return Dialect(several, lambda card: msgspec.json.encode(model_body(card)), error_body)


def _size(query: Query, field: str, default: int) -> int:
    """How many models a page may have. Raises RequestError for what is no number from 1."""
    given = query.get(field, [str(default)])[-1]
    if not (given.isascii() and given.isdigit() and len(given) < 10) or int(given) == 0:
        raise RequestError(
            f"{field} must be a whole number from 1 to {MAX_PAGE}", field=field, value=excerpt(given)
        )
    return min(int(given), MAX_PAGE)


def _place(cards: Sequence[ModelCard], query: Query, field: str) -> int:
    """Where the model stands that `field` names, -1 where it names none. Raises RequestError."""
    if field not in query:
        return -1
    id = query[field][-1]
    place = next((at for at, card in enumerate(cards) if card.id == id), None)
    if place is None:
        raise RequestError(
            f"{field}: no model of this list is called {excerpt(id)!r}", field=field, value=excerpt(id)
        )
    return place
