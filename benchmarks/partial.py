"""Typed values grown out of JSON in 4-character deltas: cost against a full parse, and that it is linear."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from itertools import islice, pairwise
from typing import Any, NamedTuple

import msgspec

from benchmarks.decode import LINEAR_LIMIT, timed_s
from benchmarks.rig.figures import paired_ratio
from benchmarks.rig.options import Options, main
from benchmarks.rig.protocols import words
from benchmarks.rig.result import Check, Claim, Result
from headrace.core.chunk import BlockStart, Chunk, TextDelta
from headrace.simulate.script import ScriptedSource
from headrace.stream.generation import GenerationStream
from headrace.structured.growing import Growing

SIZE_CHARS = 100_000
DELTA_CHARS = 4
FACTORS = (1, 2, 4)
PARSE_LIMIT = 3.0  # one full parse per 100 deltas, so many times
PEER_LIMIT = 1 / 10
BATCHES = (1, 32)  # deltas that arrive together
PARSE = "a full parse per 100 deltas"
PARSES = 50  # one is too short to be timed


class Item(msgspec.Struct):
    id: int
    name: str
    price: float
    tags: list[str]
    ok: bool


class Items(msgspec.Struct):
    items: list[Item]


class Essay(msgspec.Struct):
    text: str


class Node(msgspec.Struct):
    inside: Node | None = None
    depth: int = 0


class Nodes(msgspec.Struct):
    nodes: list[Node]


Flat = dict[str, str | int | bool | None]


class Case(NamedTuple):
    """A kind of document. grow: its parts, one after the other. bounded: whether the claim has a limit."""

    output: Any
    make: Callable[[int], Any]
    bounded: bool = True


def until(size_chars: int, parts: Iterator[Any]) -> list[Any]:
    """Parts until their JSON is `size_chars` long."""
    taken: list[Any] = []
    while size_chars > 0:
        taken.append(next(parts))
        size_chars -= len(json.dumps(taken[-1])) + 2
    return taken


def small_objects(size_chars: int) -> dict[str, Any]:
    def parts() -> Iterator[Any]:
        for at, word in enumerate(_words()):
            yield {"id": at, "name": f"{word} {at}", "price": at / 8, "tags": [word, "x"], "ok": at % 2 == 0}

    return {"items": until(size_chars, parts())}


def flat(size_chars: int) -> dict[str, Any]:
    def parts() -> Iterator[Any]:
        for at, word in enumerate(_words()):
            yield f"field_{at}", (f"some {word} text", at, True, None)[at % 4]

    return dict(until(size_chars, parts()))


def essay(size_chars: int) -> dict[str, Any]:
    return {"text": " ".join(islice(_words(), size_chars))[:size_chars]}


def deep(size_chars: int) -> dict[str, Any]:
    def parts() -> Iterator[Any]:
        while True:
            node: dict[str, Any] = {"depth": 60}
            for depth in range(60):
                node = {"inside": node, "depth": depth}
            yield node

    return {"nodes": until(size_chars, parts())}


def _words() -> Iterator[str]:
    while True:
        yield from (word.strip() for word in words(1000))


CASES = {
    "a long list of small objects": Case(Items, small_objects),
    "a wide flat object": Case(Flat, flat),
    "deep nesting": Case(Nodes, deep),
    # Its full parse is little more than a copy of memory: nobody who is told of each delta can keep to it.
    "one long string": Case(Essay, essay, bounded=False),
}
LIST = "a long list of small objects"


def deltas(text: str) -> list[str]:
    """The text in pieces."""
    return [text[at : at + DELTA_CHARS] for at in range(0, len(text), DELTA_CHARS)]


def grown(output: Any, pieces: list[str]) -> tuple[Any, int]:
    """The whole value, and how many values were shown before it."""
    growing: Growing[Any] = Growing(output)
    shown = 0
    for piece in pieces:
        growing.feed(piece)
        if growing.grew:
            growing.value()
            shown += 1
    return growing.close(), shown


def streamed(output: Any, pieces: list[str], batch: int) -> Any:
    """The same through a stream of chunks, `batch` of them at a time."""
    chunks: list[Chunk] = [BlockStart(0, "text"), *[TextDelta(0, piece) for piece in pieces]]

    async def read() -> Any:
        stream = GenerationStream(ScriptedSource(chunks, batch=batch)).partial(output)
        return [value async for value in stream][-1:]

    return asyncio.run(read())


def jiter_again(pieces: list[str]) -> Any:
    """jiter's partial mode on all the text so far, at each delta."""
    import jiter

    text, value = bytearray(), None
    for piece in pieces:
        text += piece.encode()
        value = jiter.from_json(bytes(text), partial_mode="trailing-strings")
    return value


def pydantic_core_again(pieces: list[str]) -> Any:
    """pydantic-core's partial mode on all the text so far, at each delta."""
    from pydantic_core import from_json

    text, value = bytearray(), None
    for piece in pieces:
        text += piece.encode()
        value = from_json(bytes(text), allow_partial="trailing-strings")
    return value


PEERS = {"jiter, parsed again": jiter_again, "pydantic-core, parsed again": pydantic_core_again}


def measure(options: Options) -> Result:
    """One process, CPU time, everything in memory; each document twice and four times as large too."""
    size_chars = SIZE_CHARS  # also for a quick look: the claim is about this size
    settings = {"runs": options.runs, "size_chars": size_chars, "delta_chars": DELTA_CHARS}
    result = Result("partial", "Growing typed values out of JSON", settings)
    for name, case in CASES.items():
        check(result, name, case, size_chars)
    for _ in range(options.runs):
        for name, case in CASES.items():
            one_round(result, name, case, size_chars)
        if not options.quick:
            peers(result, size_chars)
    state_claims(result)
    return result


def check(result: Result, name: str, case: Case, size_chars: int) -> None:
    """The value grown is the value parsed; and how many were shown on the way."""
    text = json.dumps(case.make(size_chars))
    whole, shown = grown(case.output, deltas(text))
    expected = msgspec.json.decode(text, type=case.output)
    detail = f"{shown} values shown for {len(deltas(text))} deltas"
    result.checks.append(Check(f"{name}: it grows to what the full parse gives", whole == expected, detail))


def one_round(result: Result, name: str, case: Case, size_chars: int) -> None:
    """All sizes once; with each a full parse, often enough to be timed."""
    decode = msgspec.json.Decoder(case.output).decode
    for factor in FACTORS:
        text = json.dumps(case.make(size_chars * factor))
        pieces = deltas(text)
        spent_s = timed_s(lambda pieces=pieces: grown(case.output, pieces))  # type: ignore[misc]
        result.add_run(name, f"headrace x{factor}", "s", spent_s)
        if factor == 1:
            spent_s = timed_s(lambda text=text: [decode(text) for _ in range(PARSES)])  # type: ignore[misc]
            result.add_run(name, PARSE, "s", spent_s / PARSES * len(pieces) / 100)
            for batch in BATCHES:
                work = timed_s(lambda pieces=pieces, batch=batch: streamed(case.output, pieces, batch))  # type: ignore[misc]
                result.add_run(name, _stream(batch), "s", work)


def _stream(batch: int) -> str:
    return f"headrace, a stream, {batch} at a time"


def peers(result: Result, size_chars: int) -> None:
    """What parsing again at each delta costs."""
    pieces = deltas(json.dumps(small_objects(size_chars)))
    for who, work in PEERS.items():
        result.add_run(LIST, who, "s", timed_s(lambda work=work: work(pieces)))  # type: ignore[misc]


def state_claims(result: Result) -> None:
    """Against the full parse, against the peers, and each size against the one half as large."""
    for name, case in CASES.items():
        parse = result.runs(name, PARSE)
        limit = PARSE_LIMIT if case.bounded else None
        for who in ("headrace x1", _stream(32)):
            said = f"{name}, {who}: all deltas / a full parse per 100 of them"
            result.claims.append(Claim(said, paired_ratio(result.runs(name, who), parse), limit=limit))
        for once, twice in pairwise(FACTORS):
            ratio = paired_ratio(
                result.runs(name, f"headrace x{twice}"), result.runs(name, f"headrace x{once}")
            )
            result.claims.append(Claim(f"{name}: x{twice} / x{once}", ratio, limit=LINEAR_LIMIT))
    for who in PEERS if result.runs(LIST, next(iter(PEERS))) else ():
        ratio = paired_ratio(result.runs(LIST, "headrace x1"), result.runs(LIST, who))
        result.claims.append(Claim(f"{LIST}: headrace / {who}", ratio, limit=PEER_LIMIT))


if __name__ == "__main__":
    main("partial", measure)
