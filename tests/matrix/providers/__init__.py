"""Each vendor's side, by wire."""

from __future__ import annotations

from importlib import import_module

from tests.matrix.providers.base import Provider

WIRES = (
    "openai_chat",
    "openai_completions",
    "openai_responses",
    "openai_audio",
    "anthropic",
    "gemini",
    "ollama",
    "tgi",
    "ui_messages",
)
PROVIDERS: dict[str, Provider] = {
    wire: import_module(f"tests.matrix.providers.{wire}").PROVIDER for wire in WIRES
}
