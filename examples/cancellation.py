"""Stop a model: leave the block, close the stream, or cancel the task that reads it."""

import asyncio
import sys

import headrace

LONG = "Write a long story about a river. " * 20


async def main(model: str) -> None:
    # Leaving the block stops the model, whatever made us leave.
    async with headrace.stream_chunks(model, LONG) as stream:
        async for chunk in stream:
            if chunk.text:
                print("first piece:", repr(chunk.text))
                break

    # So does closing, from any task and in any state.
    stream = headrace.stream_chunks(model, LONG)
    await stream.start()
    await stream.aclose()
    print("closed")

    # And so does cancelling the reader.
    reader = asyncio.create_task(headrace.stream_chunks(model, LONG).collect())
    await asyncio.sleep(0)
    reader.cancel()
    try:
        await reader
    except asyncio.CancelledError:
        print("cancelled")


asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "local"))
