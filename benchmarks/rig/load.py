"""A load generator that costs next to nothing: it stores what comes and reads it after the clock stops.

Run as a process: `python -m benchmarks.rig.load` takes one JSON `Plan` line on stdin and prints one JSON
`Report`. With `hold`, it prints `holding` once every stream has had its first text, and hangs up when stdin
closes.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from typing import TypeVar, cast

import msgspec
import uvloop

from benchmarks.rig.process import allow_open_files
from benchmarks.rig.protocols import CHAT, PROTOCOLS
from benchmarks.rig.verify import fault_of, read_answer

GOLDEN = (5**0.5 - 1) / 2
END = b"0\r\n\r\n"


class Plan(msgspec.Struct):
    """port, path, body: where and what to ask. spacing_s: over which time the starts are spread.

    text, events: what each answer must hold (events 0: not checked; gateways may merge or split them).
    wire: the protocol that is spoken, a row of `protocols.py`. key: the API key, where one is wanted.
    """

    port: int
    path: str
    body: str
    streams: int
    text: str
    spacing_s: float = 1.0
    events: int = 0
    hold: bool = False
    timeout_s: float = 120.0
    wire: str = CHAT.name
    key: str = ""


def start_s(number: int, plan: Plan) -> float:
    """When the stream of that number starts, in seconds from the first.

    Even but for a place of its own inside each interval (steps of the golden ratio): exactly 10 ms apart,
    under an upstream that writes each 10 ms, all streams would beat in one phase, and every first token would
    queue behind a burst of all the others.
    """
    return plan.spacing_s * (number + number * GOLDEN % 1.0) / plan.streams


class Report(msgspec.Struct):
    """ttft_ms: from the request's write to the first text, one a whole stream. wrong: what was not whole."""

    ttft_ms: list[float]
    whole: int
    events: int
    wall_s: float
    wrong: list[str] = []


class Reader(asyncio.Protocol):
    """One connection, one request."""

    def __init__(self, request: bytes, first: bytes) -> None:
        self._request = request
        self._first = first
        self.parts: list[bytes] = []
        self.sent_s = 0.0
        self.first_s = 0.0
        self.first = asyncio.Event()
        self.ended = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.sent_s = time.perf_counter()
        self.transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        if not self.parts and not data.startswith(b"HTTP/1.1 200"):
            self.parts.append(data)
            self.transport.close()
            return
        self.parts.append(data)
        if not self.first_s and self._first in data.replace(b'"content":""', b""):
            self.first_s = time.perf_counter()
            self.first.set()
        if data.endswith(END):
            self.transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        self.first.set()
        self.ended.set()


R = TypeVar("R", bound=Reader)


def verdict(reader: Reader, plan: Plan) -> tuple[int, str]:
    """Events of a whole answer, or 0 and what is wrong with it."""
    raw = b"".join(reader.parts)
    if not raw:
        return 0, "no answer"
    answer = read_answer(raw, PROTOCOLS[plan.wire])
    if wrong := fault_of(answer, plan.text):
        return 0, wrong if answer.status == 200 else f"{wrong}: {raw[-200:]!r}"
    if plan.events and answer.events != plan.events:
        return 0, f"{answer.events} events instead of {plan.events}"
    return answer.events, ""


def request_of(port: int, path: str, body: str, key: str = "", *more: str) -> bytes:
    """A streamed request as its client sends it. more: header lines."""
    lines = [
        f"POST {path} HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        "Content-Type: application/json",
        "Accept: text/event-stream",
        *([f"Authorization: Bearer {key}"] if key else []),
        *more,
        f"Content-Length: {len(body.encode())}",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


async def open_all(plan: Plan, reads: type[R]) -> list[R]:
    """Open the streams, their starts evenly spaced. reads: what reads one."""
    loop = asyncio.get_running_loop()
    request = request_of(plan.port, plan.path, plan.body, plan.key)
    first = PROTOCOLS[plan.wire].first
    readers = [reads(request, first) for _ in range(plan.streams)]
    began_s = loop.time()
    for number, reader in enumerate(readers):
        await asyncio.sleep(max(0.0, began_s + start_s(number, plan) - loop.time()))
        await loop.create_connection(lambda made=reader: made, "127.0.0.1", plan.port)  # type: ignore[misc]
    return readers


async def run(plan: Plan) -> Report:
    """Ask, read all, then judge."""
    began_s = time.perf_counter()
    async with asyncio.timeout(plan.timeout_s):
        readers = await open_all(plan, Reader)
        if plan.hold:
            return await hold(readers, began_s)
        for reader in readers:
            await reader.ended.wait()
    wall_s = time.perf_counter() - began_s
    report = Report([], 0, 0, wall_s)
    for reader in readers:
        count, wrong = verdict(reader, plan)
        if wrong:
            report.wrong.append(wrong)
            continue
        report.whole += 1
        report.events += count
        report.ttft_ms.append((reader.first_s - reader.sent_s) * 1e3)
    return report


async def hold(readers: list[Reader], began_s: float) -> Report:
    """Wait for each stream's first text, say so, and keep them open until stdin closes."""
    for reader in readers:
        await reader.first.wait()
    report = Report([], 0, 0, time.perf_counter() - began_s)
    for reader in readers:
        if reader.first_s and not reader.ended.is_set():
            report.whole += 1
            report.ttft_ms.append((reader.first_s - reader.sent_s) * 1e3)
        else:
            report.wrong.append(f"ended early: {b''.join(reader.parts)[:200]!r}")
    print("holding", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    for reader in readers:
        reader.transport.abort()
    return report


def main() -> None:
    """One plan in, one report out."""
    allow_open_files()
    plan = msgspec.json.decode(sys.stdin.buffer.readline(), type=Plan)
    gc.freeze()
    gc.disable()  # a pause here would be counted as the gateway's
    print(msgspec.json.encode(uvloop.run(run(plan))).decode(), flush=True)


if __name__ == "__main__":
    main()
