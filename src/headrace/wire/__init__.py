"""Vendors' protocols, both directions, sans-io, one folder each; no wire imports another."""

from __future__ import annotations

from importlib import import_module

from headrace.errors import RequestError
from headrace.wire.base import Wire

WIRES = (
    "openai_chat",
    "openai_completions",
    "openai_responses",
    "anthropic",
    "gemini",
    "ollama",
    "tgi",
    "cohere",
    "bedrock",
)


def wire_named(name: str) -> Wire:
    """The wire of that name, loaded on first use. Raises RequestError for a name that is not one."""
    if name not in WIRES:
        raise RequestError(
            f"no wire is called {name!r}: choose one of {', '.join(WIRES)}", field="wire", value=name
        )
    wire: Wire = import_module(f"headrace.wire.{name}").WIRE
    return wire
