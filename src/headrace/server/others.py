"""The endpoints of the other protocols that clients speak, each against any model.

A protocol's wire is loaded at its first request: a server whose clients speak one protocol holds one.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from headrace.server.answers import Answers
from headrace.server.app import App, Endpoint
from headrace.server.exchange import Exchange
from headrace.wire import wire_named


def install(app: App) -> None:
    """Add the endpoints."""
    for path, wire in (("/v1/completions", "openai_completions"), ("/v1/messages", "anthropic")):
        app.routes["POST", path] = _at_first(partial(_own, app, wire))
    app.routes["POST", "/api/chat"] = _at_first(partial(_ollama, app, chat=True))
    app.routes["POST", "/api/generate"] = _at_first(partial(_ollama, app, chat=False))
    for path in ("/", "/generate", "/generate_stream"):
        app.routes["POST", path] = _at_first(partial(_tgi, app, path))


def _at_first(make: Callable[[], Endpoint]) -> Endpoint:
    made: list[Endpoint] = []

    def endpoint(exchange: Exchange) -> None:
        if not made:
            made.append(make())
        made[0](exchange)

    return endpoint


def _own(app: App, wire: str) -> Endpoint:
    return Answers(app, wire_named(wire))


def _ollama(app: App, *, chat: bool) -> Endpoint:
    from headrace.wire.ollama import CHAT_FRONT, GENERATE_FRONT, WIRE

    return Answers(app, WIRE, CHAT_FRONT if chat else GENERATE_FRONT)


def _tgi(app: App, path: str) -> Endpoint:
    from headrace.wire.tgi import GENERATE_FRONT, GENERATE_STREAM_FRONT, ROOT_FRONT, WIRE

    fronts = {"/": ROOT_FRONT, "/generate": GENERATE_FRONT, "/generate_stream": GENERATE_STREAM_FRONT}
    answers = Answers(app, WIRE, fronts[path])

    def endpoint(exchange: Exchange) -> None:
        # These requests name no model: a server of theirs has only one.
        answers.answer(exchange, {"model": app.runtime.default_model})

    return endpoint
