"""Operators put behind each other: map, filter, prefix, sentences, take while."""

import asyncio
import sys

import headrace


async def main(model: str) -> None:
    stream = headrace.stream_chunks(model, "The Rhine is long. The Rhone is swift. END. The Po is muddy.")
    loud = (
        stream.filter_chunks(lambda chunk: chunk.text)
        .map_chunks(lambda chunk: chunk.text.upper())
        .prefixed(["RIVERS: "])
    )
    async for sentence in loud.sentences().take_while(lambda sentence: "END" not in sentence):
        print(sentence.strip())


asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "local"))
