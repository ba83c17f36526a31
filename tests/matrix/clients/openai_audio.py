"""The `openai` package, transcription and speech."""

from __future__ import annotations

from typing import Any

import openai

from tests.matrix import script
from tests.matrix.clients.base import Client
from tests.matrix.clients.openai_chat import ERRORS, connected_by
from tests.matrix.said import Ask, Said, Token

_REFUSED = "the model refused: "


async def _answer(client: openai.AsyncOpenAI, model: str, ask: Ask, streamed: bool, said: Said) -> Said:
    if ask.wants == "sound":
        await _spoken(client, model, ask, streamed, said)
        return said
    request: dict[str, Any] = {
        "model": model,
        "file": ("question.wav", ask.sound or script.ASKED_SOUND, "audio/wav"),
    }
    if "temperature" in ask.settings:
        request["temperature"] = ask.settings["temperature"]
    if ask.logprobs:
        request["include"] = ["logprobs"]
    try:
        await _heard(client, request, streamed, said)
    except openai.APIError as error:
        if error.code != "refusal":
            raise
        said.refusal, said.refused = _refusal(error.message), True
    return said


def _refusal(message: str) -> str:
    """What the model said; of an error status the package shows the whole body."""
    words = message.partition(_REFUSED)[2]
    return words.partition('", ')[0].partition("', ")[0]


async def _heard(client: openai.AsyncOpenAI, request: dict[str, Any], streamed: bool, said: Said) -> None:
    if not streamed:
        _end(await client.audio.transcriptions.create(**request), said)
        return
    async for event in await client.audio.transcriptions.create(**request, stream=True):
        if event.type == "transcript.text.delta":
            said.text += event.delta
        elif event.type == "transcript.text.done":
            assert event.text == said.text
            _end(event, said)


def _end(answer: Any, said: Said) -> None:
    said.text = answer.text
    if answer.usage is not None:
        usage = answer.usage
        assert usage.total_tokens == usage.input_tokens + usage.output_tokens
        said.usage = {"input": usage.input_tokens, "output": usage.output_tokens}
    for one in answer.logprobs or ():
        assert bytes(int(byte) for byte in one.bytes) == one.token.encode()
        said.tokens += (Token(one.token, one.logprob),)


async def _spoken(client: openai.AsyncOpenAI, model: str, ask: Ask, streamed: bool, said: Said) -> None:
    request: Any = {"model": model, "voice": "alloy", "input": ask.text, "response_format": "pcm"}
    if not streamed:
        said.sound = (await client.audio.speech.create(**request)).content
        return
    async with client.audio.speech.with_streaming_response.create(**request) as response:
        async for piece in response.iter_bytes():
            said.sound += piece


CLIENT = Client(
    "openai_audio",
    "openai",
    connected_by(_answer),
    ERRORS,
    ("APIError",),
    offers=False,
    only_sound=True,
)
