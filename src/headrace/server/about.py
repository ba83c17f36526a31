"""What the clients of Ollama and TGI ask of a server besides answers: its models, its version."""

from __future__ import annotations

from functools import partial
from importlib.metadata import version

import msgspec

from headrace.server.app import App
from headrace.server.exchange import Exchange
from headrace.server.problem import JSON_TYPE


def install(app: App) -> None:
    """Add the endpoints. (TGI's `/health` is the server's own: its clients look at the status alone.)"""
    app.routes["GET", "/api/tags"] = partial(_tags, app)
    app.routes["GET", "/api/ps"] = partial(_running, app)
    app.routes["POST", "/api/show"] = partial(_show, app)
    app.routes["GET", "/api/version"] = _version
    app.routes["GET", "/info"] = partial(_info, app)


def _tags(app: App, exchange: Exchange) -> None:
    from headrace.wire.ollama.models import tags_body

    exchange.respond(200, (JSON_TYPE,), tags_body(app.models(exchange)))


def _running(app: App, exchange: Exchange) -> None:
    from headrace.wire.ollama.models import running_body

    cards = [card for card in app.models(exchange) if card.loaded]
    exchange.respond(200, (JSON_TYPE,), running_body(cards))


def _show(app: App, exchange: Exchange) -> None:
    from headrace.wire.ollama.failure import error_body
    from headrace.wire.ollama.models import parse_show, show_body

    exchange.error_body = error_body
    card = app.resolve(exchange, parse_show(exchange.body)).card
    exchange.respond(200, (JSON_TYPE,), show_body(card))


def _version(exchange: Exchange) -> None:
    exchange.respond(200, (JSON_TYPE,), msgspec.json.encode({"version": version("headrace")}))


def _info(app: App, exchange: Exchange) -> None:
    """The model that answers TGI's clients, whose requests name none."""
    from headrace.wire.tgi.models import info_body

    card = app.resolve(exchange, app.runtime.default_model).card
    exchange.respond(200, (JSON_TYPE,), info_body(card, version("headrace")))
