"""Operators put behind each other: map, filter, prefix, sentences, take while."""

import asyncio
import sys

import headrace


async def main(model: str) -> None:
    text = headrace.stream_text(model, "The Rhine is long. The Rhone is swift. END. The Po is muddy.").stream
    loud = text.map_chunks(str.upper).filter_chunks(bool).prefixed("RIVERS: ")
    async for sentence in loud.sentences().take_while(lambda sentence: "END" not in sentence):
        print(sentence.strip())


asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "local"))
