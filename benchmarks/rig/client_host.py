"""One client library in a process of its own: `python -m benchmarks.rig.client_host WHO PORT MODEL STREAMS`.

It reads one stream to warm up, then `STREAMS` at once, and prints the CPU seconds that those took as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable

from benchmarks.rig.protocols import words

PROMPT = "Tell me how the stream drives the mill."
Reader = Callable[[str], Awaitable[str]]


def headrace_reader(port: int) -> Reader:
    """Headrace's own client, every chunk of the reply read."""
    import headrace

    async def read(model: str) -> str:
        async with headrace.stream_chunks(f"up/{model}", PROMPT) as stream:
            return "".join([chunk.text async for chunk in stream])

    return read


def headrace_text_reader(port: int) -> Reader:
    """The same client's text alone."""
    import headrace

    async def read(model: str) -> str:
        return "".join([text async for text in headrace.stream_text(f"up/{model}", PROMPT).stream])

    return read


def openai_reader(port: int) -> Reader:
    """The vendor's client as its readme shows it."""
    import openai

    client = openai.AsyncOpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key="none", max_retries=0)

    async def read(model: str) -> str:
        stream = await client.chat.completions.create(
            model=model,
            messages=[{"role": "user", "content": PROMPT}],
            stream=True,
            stream_options={"include_usage": True},
        )
        parts = [choice.delta.content async for chunk in stream for choice in chunk.choices]
        return "".join(part for part in parts if part)

    return read


READERS = {
    "headrace": headrace_reader,
    "headrace.stream_text": headrace_text_reader,
    "openai": openai_reader,
}


async def cost_s(read: Reader, model: str, streams: int) -> float:
    """CPU seconds of this process for `streams` readings at once. Raises RuntimeError on a wrong text."""
    expected = "".join(words(int(model.partition("-")[2])))
    await read(model)
    began_s = time.process_time()
    texts = await asyncio.gather(*[read(model) for _ in range(streams)])
    spent_s = time.process_time() - began_s
    if any(text != expected for text in texts):
        raise RuntimeError("a stream's text is not what was sent")
    return spent_s


def main() -> None:
    """Measure one client on one model."""
    who, port, model, streams = sys.argv[1:]
    import uvloop

    spent_s = uvloop.run(cost_s(READERS[who](int(port)), model, int(streams)))
    print(json.dumps({"spent_s": spent_s}))


if __name__ == "__main__":
    main()
