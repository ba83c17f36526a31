"""Ten readers on one stream of 50 MB, one of them frozen: by how much the server grows, and who has what."""

from __future__ import annotations

import asyncio
import json
import re

import msgspec

from benchmarks.rig.farend import load, plan_for, upstream
from benchmarks.rig.gateways import Gateway, headrace
from benchmarks.rig.load import request_of
from benchmarks.rig.options import Options, main
from benchmarks.rig.process import forget_peak, peak_rss_bytes, rss_bytes
from benchmarks.rig.protocols import CHAT, MESSAGES, words
from benchmarks.rig.result import Check, Claim, Result
from benchmarks.rig.verify import fault_of, read_answer
from headrace.config.settings import StreamSettings
from headrace.server.limits import Limits
from headrace.sessions.reader import READ_BYTES

READERS = 10
EVENT_BYTES = 345  # of a piece of the far end's, near enough
STREAM_BYTES, QUICK_BYTES = 50_000_000, 10_000_000
RUNS = 3
FROZEN_AFTER_BYTES = 100_000
_ID = re.compile(rb"\r\nx-headrace-stream-id: (\S+)\r\n", re.IGNORECASE)
# what a slow reader does to its stream, and where that is kept
CASES = {
    "pause, in memory": ("pause", "memory"),
    "spill, in memory": ("spill", "memory"),
    "drop, in memory": ("drop", "memory"),
    "spill, SQLite": ("spill", "sqlite"),
}
# What a record costs besides its bytes: its object's head and rounding, its place in a list.
RECORD_BYTES = 33 + 8 + 8
ALLOWANCE_BYTES = 4 * 2**20  # the allocator's own, code loaded late, the request's own parts


def bound_bytes(log: str) -> int:
    """What is configured to be held of one stream and ten readers: the log in memory, an output buffer and a
    read from the log for each; and the allowance."""
    kept = StreamSettings().stream_bytes if log == "memory" else StreamSettings().slow_bytes
    records = kept * (EVENT_BYTES + RECORD_BYTES) // EVENT_BYTES
    return records + READERS * (Limits().write_buffer_bytes + 2 * READ_BYTES) + ALLOWANCE_BYTES


def measure(options: Options) -> Result:
    """The same stream under each policy, each in a fresh server."""
    runs = min(options.runs, RUNS)
    size = QUICK_BYTES if options.quick else STREAM_BYTES
    settings = {"runs": runs, "readers": READERS, "stream_bytes": size}
    result = Result("readers", "Ten readers on one stream, one frozen", settings)
    with upstream() as port:
        for _ in range(runs):
            for name, (policy, log) in CASES.items():
                with headrace(port, log=log, slow_readers=policy) as gateway:
                    one_run(result, name, gateway, size // EVENT_BYTES)
    for name, (_, log) in CASES.items():
        limit_mb = bound_bytes(log) / 1e6
        worst_mb = max(result.runs("growth of resident memory at its peak", name))
        result.claims.append(Claim(f"{name}: resident memory grows by", worst_mb, "MB", limit_mb))
    return result


def one_run(result: Result, name: str, gateway: Gateway, pieces: int) -> None:
    """One stream, warmed up so that code loaded late is not counted as its own."""
    warm = plan_for(gateway.port, gateway.path, f"{gateway.prefix}flood-2000", READERS, spacing_s=0.1)
    load(warm)
    before = rss_bytes(gateway.pid)
    forget_peak(gateway.pid)
    answers = asyncio.run(read_by_all(gateway, pieces))
    grown = peak_rss_bytes(gateway.pid) - before
    result.add_run("growth of resident memory at its peak", name, "MB", grown / 1e6)
    text = "".join(words(pieces))
    *others, frozen = [read_answer(raw) for raw in answers]
    whole = sum(not fault_of(answer, text) for answer in others)
    said = f"{whole} of {READERS - 1}"
    result.checks.append(Check(f"{name}: the others have all", whole == READERS - 1, said))
    told = msgspec.json.encode(frozen.error).decode() if frozen.error else ""
    honest = not fault_of(frozen, text) or (bool(frozen.error) and text.startswith(frozen.text))
    said = told or f"{len(frozen.text):,} of {len(text):,} characters"
    result.checks.append(Check(f"{name}: the frozen one has all, or is told", honest, said))


async def read_by_all(gateway: Gateway, pieces: int) -> list[bytes]:
    """Raw answers: of the client that asked, of those who joined, last of one frozen until they had ended."""
    body = json.dumps({"model": f"{gateway.prefix}flood-{pieces}", "messages": MESSAGES, "stream": True})
    asks = request_of(gateway.port, CHAT.path, body, "", "Connection: close")
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port, limit=2**18)
    writer.write(asks)
    head = await reader.readuntil(b"\r\n\r\n")
    found = _ID.search(head)
    if found is None:
        raise RuntimeError(f"no stream: {head[:300]!r}")
    thawed = asyncio.Event()
    joins = [read_one(gateway, found[1].decode(), None) for _ in range(READERS - 2)]
    frozen = asyncio.create_task(read_one(gateway, found[1].decode(), thawed))
    others = await asyncio.gather(_rest(reader, writer, head), *joins)
    thawed.set()
    return [*others, await frozen]


async def read_one(gateway: Gateway, id: str, thawed: asyncio.Event | None) -> bytes:
    """Join a stream and read it. thawed: after `FROZEN_AFTER_BYTES` nothing is read until it is set."""
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port, limit=2**18)
    writer.write(f"GET /v1/streams/{id} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n".encode("ascii"))
    start = b""
    if thawed is not None:
        start = await reader.readexactly(FROZEN_AFTER_BYTES)
        await thawed.wait()
    return await _rest(reader, writer, start)


async def _rest(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, start: bytes) -> bytes:
    parts = [start]
    while part := await reader.read(2**18):
        parts.append(part)
    writer.close()
    return b"".join(parts)


if __name__ == "__main__":
    main("readers", measure)
