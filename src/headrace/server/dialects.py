"""Which protocol a client speaks; the head of its request tells, for refusals before any endpoint."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from headrace.core.chunk import Failure
from headrace.server.exchange import Exchange
from headrace.server.models import dialect_of
from headrace.server.others import GEMINI

# Where a path begins -> the wire whose errors its clients read; what is not here reads OpenAI's.
_WIRES = {
    "/v1/messages": "anthropic",
    "/v1/responses": "openai_responses",
    "/v1beta/": "gemini",
    "/api/ui/": "ui_messages",
    "/api/": "ollama",
    "/generate": "tgi",
    "/info": "tgi",
}


def error_body_of(exchange: Exchange) -> Callable[[Failure], bytes]:
    """An error's JSON in the client's protocol. Its wire is loaded."""
    path = exchange.path
    if path == "/":
        return _of("tgi")
    if path.startswith(GEMINI) and exchange.method == "POST":
        return _of("gemini")
    if path.startswith("/v1/models"):
        return dialect_of(exchange.headers).error_body
    wire = next((wire for prefix, wire in _WIRES.items() if f"{path}/".startswith(prefix)), None)
    return exchange.error_body if wire is None else _of(wire)


def _of(wire: str) -> Callable[[Failure], bytes]:
    written: Callable[[Failure], bytes] = import_module(f"headrace.wire.{wire}.failure").error_body
    return written
