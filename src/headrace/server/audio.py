"""OpenAI's audio endpoints: /v1/audio/transcriptions, /v1/audio/translations and /v1/audio/speech.

Any model may be asked: one that chats is asked in a chat, where its protocol takes or gives sound. The wire
is loaded at the first request.
"""

from __future__ import annotations

from functools import partial

from headrace.server.answers import Answers
from headrace.server.app import App, Endpoint
from headrace.server.exchange import Exchange
from headrace.server.others import at_first


def install(app: App) -> None:
    """Add the endpoints."""
    for path, translate in (("transcriptions", False), ("translations", True)):
        app.routes["POST", f"/v1/audio/{path}"] = at_first(partial(_transcriptions, app, translate))
    app.routes["POST", "/v1/audio/speech"] = at_first(partial(_speech, app))


def _transcriptions(app: App, translate: bool) -> Endpoint:
    from headrace.wire.openai_audio import TRANSCRIPTION_FRONT, TRANSLATION_FRONT

    answers = Answers(app, TRANSLATION_FRONT if translate else TRANSCRIPTION_FRONT)

    def endpoint(exchange: Exchange) -> None:
        answers.answer(exchange, {"content_type": exchange.headers.get("content-type", "")})

    return endpoint


def _speech(app: App) -> Endpoint:
    from headrace.wire.openai_audio import SOUND_FRONT, SPEECH_FRONT, parse_speech

    sound, events = Answers(app, SOUND_FRONT), Answers(app, SPEECH_FRONT)

    def endpoint(exchange: Exchange) -> None:
        parsed = parse_speech(exchange.body)
        (events if parsed.wanted["events"] else sound).give(exchange, parsed)

    return endpoint
