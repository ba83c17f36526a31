"""Thousands of readers of slow streams: each read is kept with its time, and looked at after the clock stops.

Run as a process: `python -m benchmarks.rig.crowd` takes one JSON `Plan` line on stdin, prints `full` once
every stream has had its first text, and `Gathered` once all have ended.
"""

from __future__ import annotations

import asyncio
import gc
import re
import sys
import time

import msgspec
import uvloop

from benchmarks.rig.load import Plan, Reader, open_all
from benchmarks.rig.process import allow_open_files
from benchmarks.rig.protocols import PROTOCOLS, words
from benchmarks.rig.ticker import STAMP, STAMP_DIGITS
from benchmarks.rig.verify import fault_of, read_answer

STAMPED = re.compile(re.escape(STAMP) + rb"(\d{%d})" % STAMP_DIGITS)


class Gathered(msgspec.Struct):
    """pieces: of text that came. whole: streams without a fault. written_ns, delays_ms: of each piece, when
    the far end wrote it and how long it took to here. wrong: what was not whole."""

    pieces: int = 0
    whole: int = 0
    written_ns: list[int] = []
    delays_ms: list[float] = []
    wrong: list[str] = []


class TimedReader(Reader):
    """One stream; times: when each of its parts came."""

    def __init__(self, request: bytes, first: bytes) -> None:
        super().__init__(request, first)
        self.times_ns: list[int] = []

    def data_received(self, data: bytes) -> None:
        self.times_ns.append(time.monotonic_ns())
        super().data_received(data)


def gather(reader: TimedReader, wire: str, found: Gathered) -> None:
    """Add what one reader has. Its text must be what its own usage says that the far end wrote."""
    raw = b"".join(reader.parts)
    if not raw:
        found.wrong.append("no answer")
        return
    answer = read_answer(raw, PROTOCOLS[wire])
    wrong = fault_of(answer, "".join(words(answer.output_tokens)))
    if wrong:
        found.wrong.append(wrong)
    else:
        found.whole += 1
        found.pieces += answer.output_tokens
    for part, at_ns in zip(reader.parts, reader.times_ns, strict=True):
        for stamp in STAMPED.findall(part):
            found.written_ns.append(int(stamp))
            found.delays_ms.append(round((at_ns - int(stamp)) / 1e6, 3))


async def run(plan: Plan) -> Gathered:
    """Open all, say when they are, read all to their ends."""
    async with asyncio.timeout(plan.timeout_s):
        readers = await open_all(plan, TimedReader)
        for reader in readers:
            await reader.first.wait()
        print("full", flush=True)
        for reader in readers:
            await reader.ended.wait()
    found = Gathered()
    for reader in readers:
        gather(reader, plan.wire, found)
    return found


def main() -> None:
    """One plan in, `full`, and what was gathered out."""
    allow_open_files()
    plan = msgspec.json.decode(sys.stdin.buffer.readline(), type=Plan)
    gc.freeze()
    gc.disable()  # a pause here would be counted as the server's
    print(msgspec.json.encode(uvloop.run(run(plan))).decode(), flush=True)


if __name__ == "__main__":
    main()
