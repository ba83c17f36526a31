"""Watch the progress of an answer without touching the stream."""

import asyncio
import sys

import headrace


def show(progress: headrace.StreamProgress) -> None:
    speed = progress.tokens_per_second
    print(
        f"{progress.tokens_generated} tokens in {progress.elapsed_time:.2f} s, {speed:.1f} tok/s",
        file=sys.stderr,
    )


async def main(model: str) -> None:
    stream = headrace.stream_chunks(model, "Count from one to ten.").on_progress(show)
    print(await stream.collect())


asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "local"))
