"""OpenAI's chat endpoint: /v1/chat/completions."""

from __future__ import annotations

from headrace.server.answers import Answers
from headrace.server.app import App
from headrace.wire.openai_chat import FRONT, WIRE


def install(app: App) -> None:
    """Add the endpoint."""
    app.routes["POST", "/v1/chat/completions"] = Answers(app, FRONT, relays=WIRE.name)
