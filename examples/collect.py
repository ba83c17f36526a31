"""Wait for the whole answer: as text, or with what was measured on the way."""

import asyncio
import sys

import headrace


async def main(model: str) -> None:
    print(await headrace.stream_chunks(model, "Say hello.").collect())

    result = await headrace.stream_chunks(model, "Say goodbye.").collect_with_metadata()
    print(result.text)
    print(f"{result.token_count} tokens, finish reason {result.finish_reason}")
    print(f"first token after {result.time_to_first_token:.3f} s, all after {result.generation_time:.3f} s")


asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "local"))
