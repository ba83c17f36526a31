"""Ask for a value of a type, and watch it grow: `python examples/objects.py [MODEL]`."""

import asyncio
import sys
from dataclasses import dataclass

import headrace


@dataclass
class Recipe:
    name: str
    minutes: int
    steps: list[str]


ASK = """A recipe for bread, as JSON like this:
{"name": "Bread", "minutes": 90, "steps": ["Mix flour, water, salt and yeast.", "Let it rise.", "Bake."]}"""


async def main(model: str) -> None:
    result = headrace.stream_object(model, ASK, output=Recipe, max_tokens=300)
    async for recipe in result.values:
        print(f"{recipe.name!r}, {recipe.minutes} minutes, {len(recipe.steps)} steps", file=sys.stderr)
    for step in result.value.steps:
        print(step)


asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "local"))
