"""What the conformance suite is told of this wire: of what it hears, and of what it speaks."""

from __future__ import annotations

from typing import Any

from tests.wire.asking import asked
from tests.wire.openai_audio.events import DIARIZED, EVERYTHING, SPEECH, TEXT, WITH_LOGPROBS

from headrace.core.usage import Usage
from headrace.framing.multipart import FormPart, encode_form
from headrace.testing.conformance import ClientBody, Said, Sample, WireCase
from headrace.wire.openai_audio import SPEECH_FRONT, WIRE

COUNTED = Usage(14, 31)
FIELDS = (
    FormPart("file", b"RIFF\x01\x02", "a.wav"),
    FormPart("model", b"m"),
    FormPart("response_format", b"diarized_json"),
    FormPart("stream", b"true"),
)
FORM, FORM_TYPE = encode_form([*FIELDS, FormPart("include[]", b"logprobs")])
UNCOUNTED = ("cached_input_tokens", "cache_write_tokens", "reasoning_tokens")
ASK: dict[str, Any] = {"model": "m", "input": "Hello", "voice": "coral", "stream_format": "sse"}

TRANSCRIPTION = WireCase(
    WIRE,
    (
        Sample("text", b"".join(TEXT), Said(transcript="I see skies of blue 🙂", usage=COUNTED)),
        Sample("logprobs", b"".join(WITH_LOGPROBS), Said(transcript="I see", usage=COUNTED)),
        Sample("diarized", b"".join(DIARIZED), Said(transcript="Hi. Hello.", usage=COUNTED)),
        Sample("everything", b"".join(EVERYTHING), Said(transcript="Héllo", usage=Usage())),
    ),
    asked=(
        ClientBody(
            FORM, {"content_type": FORM_TYPE}, becomes=encode_form(list(FIELDS))[0], warns=("logprobs",)
        ),
    ),
    unknown_event={"type": "transcript.weather", "sky": "blue"},
    uncounted=UNCOUNTED,
    name="openai_audio-transcription",
)
SPOKEN = WireCase(
    WIRE,
    (Sample("speech", b"".join(SPEECH), Said(sound=b"\x01\x02\x03" + b"\x04" * 40, usage=Usage(13, 101))),),
    front=SPEECH_FRONT,
    asked=(asked(ASK),),
    unknown_event={"type": "speech.weather", "sky": "blue"},
    uncounted=UNCOUNTED,
    name="openai_audio-speech",
)
