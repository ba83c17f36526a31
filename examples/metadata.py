"""Read every chunk, not only its text: speed, token id and log probability of each token."""

import asyncio
import sys

import headrace


async def main(model: str) -> None:
    stream = headrace.stream_chunks(model, "Name three rivers.", logprobs=True)
    async for chunk in stream:
        if chunk.text:
            speed = chunk.tokens_per_second or 0.0
            print(f"{chunk.text!r:16} id {chunk.token_id} logprob {chunk.logprob:.3f} {speed:7.1f} tok/s")
        elif chunk.is_complete:
            print(f"ended: {chunk.finish_reason}")


asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "local"))
