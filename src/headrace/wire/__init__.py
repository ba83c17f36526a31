"""Vendors' protocols, both directions, sans-io, one folder each; no wire imports another."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from headrace.errors import RequestError
from headrace.wire.base import Front, Wire

WIRES = (
    "openai_chat",
    "openai_completions",
    "openai_responses",
    "openai_audio",
    "anthropic",
    "gemini",
    "ollama",
    "tgi",
    "cohere",
    "bedrock",
    "ui_messages",
)

# What clients can speak -> (folder here, its `WIRE` or another front of it).
FRONTS = {
    "openai_chat": ("openai_chat", "WIRE"),
    "openai_completions": ("openai_completions", "WIRE"),
    "openai_responses": ("openai_responses", "WIRE"),
    "openai_audio": ("openai_audio", "WIRE"),
    "openai_audio_speech": ("openai_audio", "SPEECH_FRONT"),
    "anthropic": ("anthropic", "WIRE"),
    "gemini": ("gemini", "WIRE"),
    "gemini_array": ("gemini", "ARRAY_FRONT"),
    "ollama": ("ollama", "WIRE"),
    "ollama_generate": ("ollama", "GENERATE_FRONT"),
    "tgi": ("tgi", "WIRE"),
    "cohere": ("cohere", "WIRE"),
    "bedrock": ("bedrock", "WIRE"),
    "ui_messages": ("ui_messages", "WIRE"),
}


def wire_named(name: str) -> Wire:
    """The wire of that name, loaded on first use. Raises RequestError for a name that is not one."""
    if name not in WIRES:
        raise RequestError(
            f"no wire is called {name!r}: choose one of {', '.join(WIRES)}", field="wire", value=name
        )
    wire: Wire = import_module(f"headrace.wire.{name}").WIRE
    return wire


def front_named(name: str) -> Front:
    """What a server speaks to clients of that name. Raises RequestError for a name that is not one."""
    if name not in FRONTS:
        raise RequestError(
            f"no client speaks {name!r}: choose one of {', '.join(FRONTS)}", field="front", value=name
        )
    folder, member = FRONTS[name]
    found: Any = getattr(import_module(f"headrace.wire.{folder}"), member)
    if isinstance(found, Wire):
        found = found.front
    front: Front = found
    return front


def reader_of(front: str) -> Wire:
    """The wire that reads what a server speaks under that name."""
    return wire_named(FRONTS[front][0])
