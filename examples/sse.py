"""Read any server-sent events: `python examples/sse.py URL`."""

import asyncio
import sys

import headrace


async def main(url: str) -> None:
    async for event in headrace.stream_sse(url):
        print(event.event, event.id, event.data)


if len(sys.argv) != 2:
    sys.exit("usage: python examples/sse.py URL")
asyncio.run(main(sys.argv[1]))
