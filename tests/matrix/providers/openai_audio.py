"""OpenAI's transcription and speech: sound in and text out, or text in and sound out."""

from __future__ import annotations

import json
from email import message_from_bytes
from email.message import Message
from typing import Any

from tests.matrix import script
from tests.matrix.providers.base import Provider, Script, sse
from tests.matrix.providers.openai_chat import ERRORS, OVERLOADED
from tests.matrix.said import Got, Said, Token

USAGE = {
    "type": "tokens",
    "input_tokens": 120,
    "input_token_details": {"text_tokens": 20, "audio_tokens": 100},
    "output_tokens": 60,
    "total_tokens": 180,
}


def _delta(text: str, **fields: Any) -> dict[str, Any]:
    return {"type": "transcript.text.delta", "delta": text, **fields}


def _answer(*deltas: dict[str, Any], **fields: Any) -> tuple[bytes, ...]:
    text = "".join(one["delta"] for one in deltas)
    return sse(*deltas, {"type": "transcript.text.done", "text": text, **fields, "usage": USAGE})


def _logprob(token: Token) -> dict[str, Any]:
    return {"token": token.text, "logprob": token.logprob, "bytes": list(token.text.encode())}


SCRIPTS = {
    "text": Script(
        _answer(*map(_delta, script.PIECES)),
        Said(text=script.TEXT, usage={"input": 120, "output": 60}, end="stop"),
    ),
    "logprobs": Script(
        _answer(
            *(_delta(one.text, logprobs=[_logprob(one)]) for one in script.TOKENS),
            logprobs=[_logprob(one) for one in script.TOKENS],
        ),
        Said(text=script.SPOKEN, tokens=tuple(Token(one.text, one.logprob) for one in script.TOKENS)),
    ),
    "sound": Script((script.SPOKEN_SOUND,), Said(sound=script.SPOKEN_SOUND), "audio/pcm"),
}


def read(path: str, body: bytes) -> Got:
    """A form, or JSON (openai 3.52, `types/audio/*_create_params.py`)."""
    if path == "/audio/speech":
        data = json.loads(body)
        return Got(model=data["model"], texts=[data["input"]], speaks=True)
    assert path == "/audio/transcriptions"
    boundary = body.partition(b"\r\n")[0].removeprefix(b"--").decode()
    head = f'Content-Type: multipart/form-data; boundary="{boundary}"\r\n\r\n'
    form = message_from_bytes(head.encode() + body)
    parts = {_name(part): part.get_payload(decode=True) for part in form.walk() if not part.is_multipart()}
    got = Got(model=_text(parts["model"]), sounds=[_bytes(parts["file"])])
    if "temperature" in parts:
        got.settings["temperature"] = float(_text(parts["temperature"]))
    got.logprobs = "include[]" in parts and _text(parts["include[]"]) == "logprobs"
    return got


def _name(part: Message) -> str:
    return str(part.get_param("name", header="content-disposition"))


def _bytes(payload: Any) -> bytes:
    assert isinstance(payload, bytes)
    return payload


def _text(payload: Any) -> str:
    return _bytes(payload).decode()


PROVIDER = Provider(
    wire="openai_audio",
    base="/v1",
    content_type="text/event-stream",
    scripts=SCRIPTS,
    begun=sse(_delta(script.FIRST)),
    failed=OVERLOADED,
    errors=ERRORS,
    read=read,
    only_sound=True,
)
