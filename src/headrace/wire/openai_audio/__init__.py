"""OpenAI's transcription and speech (`/v1/audio/...`), both directions.

A server has four fronts: `TRANSCRIPTION_FRONT` (the wire's own), `TRANSLATION_FRONT` (into English), and for
speech `SOUND_FRONT` (sound as it is) and `SPEECH_FRONT` (events): the request's `stream_format` chooses, and
`parse_speech(...).wanted["events"]` tells.
"""

from __future__ import annotations

from functools import partial

from headrace.core.chunk import Chunk, Failure
from headrace.core.stage import Stage
from headrace.wire.base import Front, ParsedRequest, Says, Wire
from headrace.wire.openai_audio.as_text import body_decoder, decoder
from headrace.wire.openai_audio.bodies import sound_body, transcription_body, transcription_type
from headrace.wire.openai_audio.build import build
from headrace.wire.openai_audio.decode import AudioDecoder
from headrace.wire.openai_audio.encode_sound import SoundEncoder
from headrace.wire.openai_audio.encode_text import TranscriptEncoder
from headrace.wire.openai_audio.parse import parse_speech, parse_transcription
from headrace.wire.openai_audio.quirks import QUIRKS
from headrace.wire.openai_audio.schema import WIRE_NAME
from headrace.wire.openai_error import error_body, failure_from_response
from headrace.wire.openai_models import LISTING

__all__ = [
    "SOUND_FRONT",
    "SPEECH_FRONT",
    "TRANSCRIPTION_FRONT",
    "TRANSLATION_FRONT",
    "WIRE",
    "AudioDecoder",
    "SoundEncoder",
    "TranscriptEncoder",
    "body_decoder",
    "parse_speech",
    "parse_transcription",
]


def _transcript_encoder(_says: Says, parsed: ParsedRequest) -> Stage[Chunk, bytes | Failure]:
    return TranscriptEncoder(
        logprobs=parsed.request.settings.logprobs,
        segments=parsed.wanted.get("response_format") == "diarized_json",
    )


def _sound_encoder(_says: Says, parsed: ParsedRequest, *, events: bool) -> Stage[Chunk, bytes | Failure]:
    speech = parsed.request.speech
    return SoundEncoder(speech.format if speech is not None else "", events=events)


def _transcription_front(*, translate: bool) -> Front:
    return Front(
        content_type="text/event-stream; charset=utf-8",
        ping=b": ping\n",
        parse=partial(parse_transcription, translate=translate),
        encoder=_transcript_encoder,
        body=transcription_body,
        error_body=error_body,
        body_type=transcription_type,
    )


TRANSCRIPTION_FRONT = _transcription_front(translate=False)
TRANSLATION_FRONT = _transcription_front(translate=True)

SPEECH_FRONT = Front(
    content_type="text/event-stream; charset=utf-8",
    ping=b": ping\n",
    parse=lambda body, _head: parse_speech(body),
    encoder=partial(_sound_encoder, events=True),
    body=sound_body,
    error_body=error_body,
)

SOUND_FRONT = Front(
    content_type="application/octet-stream",
    ping=b"",  # there is nothing that a player would skip
    parse=lambda body, _head: parse_speech(body),
    encoder=partial(_sound_encoder, events=False),
    body=sound_body,
    error_body=error_body,
    type_of=lambda encoder: str(encoder.content_type),
)

WIRE = Wire(
    name=WIRE_NAME,
    content_type="text/event-stream",
    build=build,
    decoder=decoder,
    failure=failure_from_response,
    front=TRANSCRIPTION_FRONT,
    body_decoder=body_decoder,
    capabilities=("asr", "tts"),
    listing=LISTING,
    quirks=QUIRKS,
)
