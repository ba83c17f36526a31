"""What the tests of the audio endpoints share: clients, and what a model hears and says."""

from __future__ import annotations

import asyncio
import io
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import openai
from tests.server.conftest import Served
from tests.server.doubles import HandModel

from headrace.core.chunk import BlockEnd, BlockStart, CandidateEnd, Chunk, Start, TranscriptDelta, Word

SOUND = b"RIFF" + bytes(3000)
FILE = ("greeting.wav", SOUND)
SAID = "Grüße 👩‍🚀, two\n\nparagraphs and  spaces."
ECHO = "sim/echo"
HEARD: list[Chunk] = [
    Start("t", "m"),
    BlockStart(0, "transcript"),
    TranscriptDelta(
        0,
        "Hi there.",
        words=(Word("Hi", 0.0, 0.25), Word("there.", 0.25, 0.75)),
        segments=(Word("Hi there.", 0.0, 0.75, speaker="A"),),
        language="en",
    ),
    BlockEnd(0),
    CandidateEnd("stop"),
]
SPOKEN: list[Chunk] = [Start("s", "m"), BlockStart(0, "audio")]


@asynccontextmanager
async def asking(served: Served) -> AsyncIterator[Any]:
    client = openai.AsyncOpenAI(base_url=f"{served.url}/v1", api_key="none", max_retries=0, timeout=10)
    async with client:
        yield client.audio


async def answered(model: HandModel, asked: Any, *chunks: Chunk, terminal: Any = None) -> Any:
    """What the client gets of a model that says this."""
    task = asyncio.create_task(asked)
    source = await model.source()
    source.push(*chunks)
    source.end(terminal)
    return await task


def samples(data: bytes) -> tuple[int, bytes]:
    """The rate in Hz and the samples of a WAV file."""
    with wave.open(io.BytesIO(data)) as read:
        return read.getframerate(), read.readframes(len(data))
