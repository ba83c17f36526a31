"""GET /openapi.json: every endpoint, from the routes as they are; OpenAPI 3.1.

A vendor's own schema is his: what stands here of a body is what this server cannot do without.
"""

from __future__ import annotations

from functools import partial
from importlib.metadata import version
from typing import Any, NamedTuple

import msgspec

from headrace.server.app import App
from headrace.server.exchange import Exchange
from headrace.server.openapi_bodies import BODIES
from headrace.server.problem import JSON_TYPE

JSON, EVENTS, TEXT = "application/json", "text/event-stream", "text/plain"


class Operation(NamedTuple):
    """path: with its variable parts in braces. body: among `BODIES`, empty where it takes none. gives: types
    of a good answer. query: parameters. nothing: when a good answer has no body (204), empty: it always has.
    """

    method: str
    path: str
    summary: str
    body: str = ""
    gives: tuple[str, ...] = (JSON,)
    query: tuple[str, ...] = ()
    nothing: str = ""


_GEMINI = tuple(
    Operation("POST", f"{tree}{{model}}:{method}", f"Gemini: {summary}", body, gives)
    for tree in ("/v1beta/models/", "/v1/models/")
    for method, summary, body, gives in (
        ("generateContent", "an answer", "gemini", (JSON,)),
        ("streamGenerateContent", "an answer as a stream", "gemini", (JSON, EVENTS)),
        ("countTokens", "how many tokens a prompt has", "gemini", (JSON,)),
    )
)
OPERATIONS = (
    Operation("GET", "/health", "Whether the server is up"),
    Operation("GET", "/metrics", "The server's figures, as OpenMetrics text", "", (TEXT,)),
    Operation("GET", "/openapi.json", "This description"),
    Operation("POST", "/v1/chat/completions", "OpenAI: an answer in a chat", "chat", (JSON, EVENTS)),
    Operation("POST", "/v1/completions", "OpenAI: a text gone on with", "completion", (JSON, EVENTS)),
    Operation("POST", "/v1/responses", "OpenAI: a response", "response", (JSON, EVENTS)),
    Operation(
        "GET",
        "/v1/responses/{id}",
        "OpenAI: a response that is kept",
        "",
        (JSON, EVENTS),
        ("stream", "starting_after"),
    ),
    Operation("DELETE", "/v1/responses/{id}", "OpenAI: forget a response"),
    Operation("POST", "/v1/responses/{id}/cancel", "OpenAI: stop a response in the background"),
    Operation("POST", "/v1/audio/transcriptions", "OpenAI: sound to text", "sound", (JSON, TEXT, EVENTS)),
    Operation(
        "POST", "/v1/audio/translations", "OpenAI: sound to English text", "sound", (JSON, TEXT, EVENTS)
    ),
    Operation("POST", "/v1/audio/speech", "OpenAI: text to sound", "speech", ("audio/*", EVENTS)),
    Operation("POST", "/v1/messages", "Anthropic: an answer", "messages", (JSON, EVENTS)),
    Operation("POST", "/v1/messages/count_tokens", "Anthropic: how many tokens a prompt has", "messages"),
    *_GEMINI,
    Operation("POST", "/api/chat", "Ollama: an answer in a chat", "chat", (JSON, "application/x-ndjson")),
    Operation(
        "POST", "/api/generate", "Ollama: an answer to a prompt", "completion", (JSON, "application/x-ndjson")
    ),
    Operation("POST", "/api/show", "Ollama: a model", "model"),
    Operation("GET", "/api/tags", "Ollama: the models"),
    Operation("GET", "/api/ps", "Ollama: the models that are loaded"),
    Operation("GET", "/api/version", "Ollama: the server's version"),
    Operation("POST", "/", "TGI: an answer, or a stream of it", "tgi", (JSON, EVENTS)),
    Operation("POST", "/generate", "TGI: an answer", "tgi"),
    Operation("POST", "/generate_stream", "TGI: an answer as a stream", "tgi", (EVENTS,)),
    Operation("GET", "/info", "TGI: the model that answers"),
    Operation("POST", "/api/ui/chat", "UI messages: an answer as a stream", "ui", (EVENTS,)),
    Operation(
        "GET",
        "/api/ui/chat/{id}/stream",
        "UI messages: a chat's stream that is being made",
        gives=(EVENTS,),
        nothing="No stream of the chat is being made",
    ),
    Operation("GET", "/v1/models", "The models, as the client's vendor lists them"),
    Operation("GET", "/v1/models/{id}", "A model, as the client's vendor describes it"),
    Operation("GET", "/v1beta/models", "Gemini: the models", "", (JSON,), ("pageSize", "pageToken")),
    Operation("GET", "/v1beta/models/{id}", "Gemini: a model"),
    Operation("GET", "/v1/streams", "Your latest streams"),
    Operation(
        "GET",
        "/v1/streams/{id}",
        "A stream, from behind the record that you have",
        gives=(EVENTS,),
        query=("after",),
        nothing="You have all of it, and it has ended",
    ),
    Operation("DELETE", "/v1/streams/{id}", "Stop a stream"),
    Operation("GET", "/v1/streams/{id}/status", "How a stream is"),
)


def install(app: App) -> None:
    """Add the endpoint."""
    app.routes["GET", "/openapi.json"] = partial(_answer, app)


def description(app: App) -> dict[str, Any]:
    """What this server serves. Raises KeyError for a route that nobody has described."""
    paths: dict[str, dict[str, Any]] = {}
    for method, path in app.routes:
        found = next((one for one in OPERATIONS if (one.method, one.path) == (method, path)), None)
        if found is None:
            raise KeyError(f"{method} {path}")
        paths.setdefault(path, {})[method.lower()] = _described(found)
    for method, tree in app.trees:
        under = [one for one in OPERATIONS if one.method == method and one.path.startswith(tree + "{")]
        if not under:
            raise KeyError(f"{method} {tree}")
        for one in under:
            paths.setdefault(one.path, {})[method.lower()] = _described(one)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Headrace", "version": version("headrace")},
        "security": [{"bearer": []}, {}] if app.door.keys is None else [{"bearer": []}],
        "paths": paths,
        "components": {
            "schemas": BODIES,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def _answer(app: App, exchange: Exchange) -> None:
    exchange.respond(200, (JSON_TYPE,), msgspec.json.encode(description(app)))


def _described(operation: Operation) -> dict[str, Any]:
    names = [part.partition("}")[0] for part in operation.path.split("{")[1:]]
    text = {"type": "string"}
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {**text, "minLength": 1}} for name in names
    ]
    parameters += [{"name": name, "in": "query", "schema": text} for name in operation.query]
    described: dict[str, Any] = {
        "summary": operation.summary,
        "parameters": parameters,
        "responses": {
            "200": {"description": "The answer", "content": {kind: {} for kind in operation.gives}},
            "default": {
                "description": "What is wrong, in the client's protocol",
                "content": {JSON: {"schema": {"type": "object"}}},
            },
        },
    }
    if operation.nothing:
        described["responses"]["204"] = {"description": operation.nothing}
    if operation.body:
        kind = "multipart/form-data" if operation.body == "sound" else JSON
        schema = {"$ref": f"#/components/schemas/{operation.body}"}
        described["requestBody"] = {"required": True, "content": {kind: {"schema": schema}}}
    return described
