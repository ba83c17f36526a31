"""OpenAI's chat endpoints: /v1/chat/completions, /v1/models and /v1/models/{id}."""

from __future__ import annotations

from typing import Any

import msgspec

from headrace.core.model import ModelCard
from headrace.server.answers import Answers
from headrace.server.app import App
from headrace.server.exchange import Exchange
from headrace.server.problem import JSON_TYPE
from headrace.wire.openai_chat import FRONT, WIRE


def install(app: App) -> None:
    """Add the endpoints."""
    models = ModelList(app)
    app.routes["POST", "/v1/chat/completions"] = Answers(app, FRONT, relays=WIRE.name)
    app.routes["GET", "/v1/models"] = models.all
    app.trees["GET", "/v1/models/"] = models.one


class ModelList:
    """The models of one server."""

    def __init__(self, app: App) -> None:
        self._app = app

    def all(self, exchange: Exchange) -> None:
        """Every model that can be named."""
        cards = [_card_body(card) for card in self._app.runtime.models()]
        exchange.respond(200, (JSON_TYPE,), msgspec.json.encode({"object": "list", "data": cards}))

    def one(self, exchange: Exchange) -> None:
        """One of them, by id or alias; ids hold slashes."""
        card = self._app.runtime.resolve(exchange.path.removeprefix("/v1/models/")).card
        exchange.respond(200, (JSON_TYPE,), msgspec.json.encode(_card_body(card)))


def _card_body(card: ModelCard) -> dict[str, Any]:
    body: dict[str, Any] = {
        "id": card.id,
        "object": "model",
        "created": card.created_s,
        "owned_by": card.owner,
        "capabilities": list(card.capabilities),
        "state": card.state,
    }
    if card.context_tokens:
        body["context_tokens"] = card.context_tokens
    if card.description:
        body["description"] = card.description
    if card.aliases:
        body["aliases"] = list(card.aliases)
    return body
