"""The endpoints of the other protocols that clients speak, each against any model.

A protocol's wire is loaded at its first request: a server whose clients speak one protocol holds one.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from headrace.core.excerpt import excerpt
from headrace.errors import RequestError
from headrace.server.answers import Answers
from headrace.server.app import App, Endpoint
from headrace.server.counting import Counts
from headrace.server.exchange import Exchange
from headrace.wire import wire_named
from headrace.wire.base import Front

# A request's body says all there is to know.
PLAIN = {
    "/v1/completions": "openai_completions",
    "/v1/responses": "openai_responses",
    "/v1/messages": "anthropic",
    "/api/chat": "ollama",
}
GEMINI = ("/v1beta/models/", "/v1/models/")  # the official client asks under either
_GEMINI_METHODS = ("generateContent", "streamGenerateContent")


def install(app: App) -> None:
    """Add the endpoints."""
    for path, wire in PLAIN.items():
        app.routes["POST", path] = at_first(partial(_plain, app, wire))
    app.routes["POST", "/v1/messages/count_tokens"] = at_first(partial(_anthropic_count, app))
    app.routes["POST", "/api/generate"] = at_first(partial(_ollama_generate, app))
    app.routes["POST", "/api/ui/chat"] = at_first(partial(_ui_messages, app))
    for path in ("/", "/generate", "/generate_stream"):
        app.routes["POST", path] = at_first(partial(_tgi, app, path))
    for tree in GEMINI:
        app.trees["POST", tree] = at_first(partial(_gemini, app, tree))


def at_first(make: Callable[[], Endpoint]) -> Endpoint:
    """The endpoint that `make` makes at its first request."""
    made: list[Endpoint] = []

    def endpoint(exchange: Exchange) -> None:
        if not made:
            made.append(make())
        made[0](exchange)

    return endpoint


def _plain(app: App, wire: str) -> Endpoint:
    found = wire_named(wire)
    assert found.front is not None
    return Answers(app, wire, found.front, relays=wire if found.relay is not None else "")


def _anthropic_count(app: App) -> Endpoint:
    from headrace.wire.anthropic import count_body, error_body, parse_count

    return Counts(app, lambda body, _path: parse_count(body), count_body, error_body)


def _ollama_generate(app: App) -> Endpoint:
    from headrace.wire.ollama import GENERATE_FRONT

    return Answers(app, "ollama_generate", GENERATE_FRONT)


def _tgi(app: App, path: str) -> Endpoint:
    from headrace.wire.tgi import GENERATE_FRONT, GENERATE_STREAM_FRONT, ROOT_FRONT

    fronts = {"/": ROOT_FRONT, "/generate": GENERATE_FRONT, "/generate_stream": GENERATE_STREAM_FRONT}
    return _unnamed(app, "tgi", fronts[path])


def _ui_messages(app: App) -> Endpoint:
    from headrace.wire.ui_messages import FRONT

    return _unnamed(app, "ui_messages", FRONT)


def _unnamed(app: App, name: str, front: Front) -> Endpoint:
    """Requests that need not name a model: the default one answers them."""
    answers = Answers(app, name, front)

    def endpoint(exchange: Exchange) -> None:
        answers.answer(exchange, {"model": app.runtime.default_model})

    return endpoint


def _gemini(app: App, tree: str) -> Endpoint:
    from headrace.wire.gemini import ARRAY_FRONT, FRONT, WIRE, count_body, parse_count
    from headrace.wire.gemini.count import METHOD

    events = Answers(app, "gemini", FRONT, relays=WIRE.name)
    array = Answers(app, "gemini_array", ARRAY_FRONT)
    counts = Counts(app, parse_count, count_body, FRONT.error_body)
    served = (*_GEMINI_METHODS, METHOD)

    def endpoint(exchange: Exchange) -> None:
        exchange.error_body = FRONT.error_body
        model, _, method = exchange.path.removeprefix(tree).rpartition(":")
        path = {"model": model, "method": method}
        if method not in served:
            choices = f"{', '.join(served[:-1])} and {served[-1]}"
            raise RequestError(
                f"there is no method {excerpt(method)!r}: {choices} are served",
                field="method",
                http_status=404,
            )
        if method == METHOD:
            counts.answer(exchange, path)
        elif "alt=sse" in exchange.query.split("&"):
            events.answer(exchange, path)
        else:
            array.answer(exchange, path)

    return endpoint
