"""Hand-written answers, from OpenAI's schema of transcription and speech (openai 3.52, read 2026-11-25)."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

from headrace.core.chunk import Failure
from headrace.core.fold import fold
from headrace.core.reply import Reply
from headrace.testing import stages
from headrace.wire.openai_audio import AudioDecoder

USAGE = {
    "type": "tokens",
    "input_tokens": 14,
    "input_token_details": {"text_tokens": 10, "audio_tokens": 4},
    "output_tokens": 31,
    "total_tokens": 45,
}
SECONDS = {"type": "duration", "seconds": 9.5}


def event(kind: str, **fields: Any) -> bytes:
    return b"data: " + json.dumps({"type": kind, **fields}).encode() + b"\n\n"


def delta(text: str, **fields: Any) -> bytes:
    return event("transcript.text.delta", delta=text, **fields)


def segment(number: int, start: float, end: float, speaker: str, text: str) -> bytes:
    fields = {"id": f"seg_{number}", "start": start, "end": end, "speaker": speaker, "text": text}
    return event("transcript.text.segment", **fields)


def done(text: str, **fields: Any) -> bytes:
    return event("transcript.text.done", text=text, **fields)


def sound(data: bytes, **fields: Any) -> bytes:
    return event("speech.audio.delta", audio=b64encode(data).decode(), **fields)


def decode(*events: bytes, **quirks: Any) -> list[Any]:
    return stages.run(AudioDecoder(quirks), [[b"".join(events)]])


def reply(*events: bytes, **quirks: Any) -> Reply:
    return fold(decode(*events, **quirks))


def failure(*events: bytes) -> Failure:
    last = decode(*events)[-1]
    assert isinstance(last, Failure)
    return last


def logprob(token: str, value: float) -> dict[str, Any]:
    return {"token": token, "logprob": value, "bytes": list(token.encode())}


TEXT = (delta("I see"), delta(" skies"), delta(" of blue 🙂"), done("I see skies of blue 🙂", usage=USAGE))
WITH_LOGPROBS = (
    delta("I", logprobs=[logprob("I", -0.5)]),
    delta(" see", logprobs=[logprob(" see", -0.25)]),
    done("I see", logprobs=[logprob("I", -0.5), logprob(" see", -0.25)], usage=USAGE),
)
DIARIZED = (
    delta("Hi.", segment_id="seg_1"),
    segment(1, 0.0, 1.5, "agent", "Hi."),
    delta(" Hello.", segment_id="seg_2"),
    segment(2, 1.5, 2.75, "A", "Hello."),
    done("Hi. Hello.", usage=USAGE),
)
SPEECH = (
    sound(b"\x01\x02\x03"),
    sound(b"\x04" * 40),
    event("speech.audio.done", usage={"input_tokens": 13, "output_tokens": 101, "total_tokens": 114}),
)
EVERYTHING = (
    event("transcript.session", odd=1),
    delta("Hé", novel={"a": 1}),
    delta("llo", logprobs=[{"token": "llo", "logprob": -1.5, "bytes": None}], segment_id="seg_1"),
    segment(1, 0.0, 1.0, "A", "Héllo"),
    done("Héllo", languages=[{"code": "fr"}], usage=SECONDS, model="whisper"),
)
STREAMS = {
    "text": TEXT,
    "logprobs": WITH_LOGPROBS,
    "diarized": DIARIZED,
    "speech": SPEECH,
    "everything": EVERYTHING,
}

VERBOSE = {
    "task": "transcribe",
    "language": "english",
    "duration": 8.47,
    "text": "The beach was popular.",
    "segments": [
        {"id": 0, "seek": 0, "start": 0.0, "end": 3.32, "text": " The beach was popular.",
         "tokens": [50364, 440], "temperature": 0.0, "avg_logprob": -0.286,
         "compression_ratio": 1.236, "no_speech_prob": 0.0098},
    ],
    "words": [{"word": "The", "start": 0.0, "end": 0.24}, {"word": "beach", "start": 0.24, "end": 0.6}],
    "usage": SECONDS,
    "x_groq": {"id": "req_1"},
}  # fmt: skip
