"""Read in batches: at most five chunks, or what came within 50 ms."""

import asyncio
import sys

import headrace


async def main(model: str) -> None:
    stream = headrace.stream_chunks(model, "Write a sentence about the sea.")
    async for batch in stream.buffered(max_count=5, timeout=0.05):
        print(len(batch), repr("".join(chunk.text for chunk in batch)))


asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "local"))
