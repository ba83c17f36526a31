"""What a strict type checker says of our users' code. `make check` reads this file; nothing runs it.

A mistake carries an ignore of its own kind: where the checker stops finding it, the ignore is unused, which
`mypy --strict` reports.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypedDict, assert_type

import headrace

headrace.nosuch  # type: ignore[attr-defined]  # noqa: B018


async def calls() -> None:
    result = headrace.stream_text("local", "x", max_tokens=3, stop="END", preset="code")
    assert_type(result, headrace.TextResult)
    assert_type([text async for text in result.stream], list[str])
    chunks = headrace.stream_chunks("local", messages=[headrace.user("x")])
    async for chunk in chunks:
        assert_type(chunk, headrace.Chunk)
        assert_type(chunk.text, str)
        assert_type(chunk.token_id, int | None)
    assert_type([words async for words in chunks.words().buffered()], list[list[str]])
    assert_type(await chunks.collect_with_metadata(), headrace.GenerationResult)
    whole = await headrace.generate_text("local", "x", response_format={"type": "object"})
    assert_type(whole.response.usage, headrace.Usage | None)
    headrace.stream_text("local", "x", max_token=3)  # type: ignore[call-arg]
    headrace.stream_text("local", "x", max_tokens="3")  # type: ignore[arg-type]
    await headrace.generate_text("local", "x", preset="wild")  # type: ignore[arg-type]


@dataclass
class Person:
    name: str
    pets: list[str]


class Place(TypedDict):
    name: str


async def objects() -> None:
    result = headrace.stream_object("local", "x", output=Person, temperature=0)
    assert_type(result, headrace.ObjectResult[Person])
    async for person in result.values:
        assert_type(person, Person)
        assert_type(person.pets, list[str])
    assert_type(result.value, Person)
    assert_type((await headrace.generate_object("local", "x", output=list[Place])).value, list[Place])
    assert_type((await headrace.generate_object("local", "x", output={"type": "object"})).value, Any)
    assert_type(await headrace.stream_text("local", "x").partial(Place).result(), Place)
    assert_type(await headrace.stream_text("local", "x").parsed(Person), Person)
    async for place in headrace.stream_chunks("local", "x").partial(Place, tool="place"):
        assert_type(place, Place)
    assert_type(headrace.read_output(Person, "{}"), Person)
    assert_type(list(headrace.stream_object_sync("local", "x", output=Person)), list[Person])
    headrace.stream_object("local", "x", output=Person, mode="wish")  # type: ignore[call-overload]
    headrace.stream_object("local", "x")  # type: ignore[call-overload]


@headrace.tool(timeout_s=3)
def add(a: int, b: int) -> int:
    return a + b


async def tools() -> None:
    assert_type(add(1, 2), int)
    add("1", 2)  # type: ignore[arg-type]
    run = headrace.run_tools("local", "x", tools=[add, str.upper], max_steps=3, on_error="raise", seed=1)
    assert_type(run, headrace.ToolRun)
    assert_type(run.messages, tuple[headrace.Message, ...])
    async for chunk in run.chunks:
        assert_type(chunk, headrace.Chunk)
    assert_type(await run.answer(), str)
    headrace.run_tools("local", "x", tools=[add], max_step=3)  # type: ignore[call-arg]
    headrace.run_tools("local", "x", tools=[add], on_error="hope")  # type: ignore[arg-type]


def without_a_loop() -> None:
    assert_type(list(headrace.run_tools_sync("local", "x", tools=[add])), list[headrace.Chunk])
    assert_type(list(headrace.stream_sync("local", "x", temperature=0)), list[str])
    headrace.stream_sync("local", "x", temprature=0)  # type: ignore[call-arg]
