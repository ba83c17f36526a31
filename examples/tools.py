"""Let a model call Python functions: `python examples/tools.py [MODEL]`."""

import asyncio
import sys
from datetime import date

import headrace


def days_between(first: date, last: date) -> int:
    """Counts the days from one date to another.

    Args:
        first: Such as 2026-01-31.
        last: Such as 2026-02-01.
    """
    return (last - first).days


async def main(model: str) -> None:
    ask = "How many days are there from 2026-03-01 to 2026-12-24?"
    run = headrace.run_tools(model, ask, tools=[days_between], max_steps=4)
    async for chunk in run.chunks:
        if chunk.text:
            print(chunk.text, end="", flush=True)
        elif isinstance(chunk, headrace.ToolResult):
            print(f"[{chunk.name} -> {chunk.output}]")
    print()


asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "local"))
