"""Settings, presets, a system message, and an answer in the form of a JSON schema."""

import asyncio
import json
import sys

import headrace

PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
    "additionalProperties": False,
}


async def main(model: str) -> None:
    haiku = await headrace.generate_text(
        model, "Write about rain.", system="You write haiku.", preset="creative", max_tokens=40, seed=7
    )
    print(haiku.text)
    for warning in haiku.warnings:
        print("warning:", warning, file=sys.stderr)

    person = await headrace.generate_text(
        model, '{"name": "Ada", "age": 36}', response_format=PERSON, temperature=0
    )
    print(json.loads(person.text)["name"])


asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "local"))
