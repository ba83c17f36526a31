"""Print an answer as it comes: `python examples/text.py [MODEL]`."""

import asyncio
import sys

import headrace


async def main(model: str) -> None:
    result = headrace.stream_text(model, "Write two sentences about rivers.")
    async for piece in result.stream:
        print(piece, end="", flush=True)
    print()


asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "local"))
