"""What a server holds: asked of the kernel and of itself, before a long run and after it."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass

from benchmarks.rig.gateways import Gateway
from benchmarks.rig.health import fetched, health
from benchmarks.rig.process import open_files, rss_bytes, threads
from benchmarks.rig.protocols import CHAT, MESSAGES
from benchmarks.rig.result import Check

SETTLE_LIMIT_S = 90.0  # longer than any pool keeps an idle connection
RSS_GROWTH_LIMIT_BYTES = 8 * 2**20


@dataclass(frozen=True, slots=True)
class Footprint:
    """What the server holds. live: answers it says are under way; streams: that it makes, read or not.
    log_bytes: of its log's records, None where the log does not know."""

    files: int
    threads: int
    tasks: int
    rss_bytes: int
    live: int
    streams: int
    log_bytes: int | None


def touched(gateway: Gateway) -> Footprint:
    """The footprint before any load, once the log has opened what it opens at its first stream."""
    ask = {"model": "sim/echo", "messages": MESSAGES, "stream": True}
    fetched(gateway.port, "POST", CHAT.path, json.dumps(ask))
    [stream] = json.loads(fetched(gateway.port, "GET", "/v1/streams")[1])["data"]
    fetched(gateway.port, "GET", f"/v1/streams/{stream['id']}")
    fetched(gateway.port, "DELETE", f"/v1/streams/{stream['id']}")
    return footprint_of(gateway)


def footprint_of(gateway: Gateway) -> Footprint:
    """The server's footprint now."""
    fetched(gateway.port, "GET", "/v1/streams")  # a log forgets what is too old when it is asked
    told = health(gateway.port)
    return Footprint(
        open_files(gateway.pid),
        threads(gateway.pid),
        told["tasks"],
        rss_bytes(gateway.pid),
        told["live"],
        told["streams"],
        told["log_bytes"],
    )


def settled(gateway: Gateway, idle: Footprint) -> Footprint:
    """The footprint once files and log are back where they began, or as it is after `SETTLE_LIMIT_S`."""
    deadline_s = time.monotonic() + SETTLE_LIMIT_S
    while True:
        now = footprint_of(gateway)
        back = now.files <= idle.files and not now.streams and not now.log_bytes
        if back or time.monotonic() > deadline_s:
            return now
        time.sleep(0.5)


def footprints(before: Footprint, after: Footprint, idle: Footprint) -> list[Check]:
    """Nothing is under way, no file, task or thread stays, the log is empty, memory stands.

    before: after the warm rounds, settled. idle: before any load.
    """
    grown = after.rss_bytes - before.rss_bytes
    under_way = after.live + after.streams
    return [
        Check("no answer or stream is left", under_way == 0, f"{after.live} live, {after.streams} streams"),
        Check("open files are back", after.files <= idle.files, f"{idle.files} -> {after.files}"),
        Check("tasks are back", after.tasks <= idle.tasks, f"{idle.tasks} -> {after.tasks}"),
        Check("threads are back", after.threads <= before.threads, f"{before.threads} -> {after.threads}"),
        Check("the log has forgotten all", not after.log_bytes, f"{after.log_bytes} bytes"),
        Check(
            "memory stands",
            grown <= RSS_GROWTH_LIMIT_BYTES,
            f"{before.rss_bytes / 1e6:.1f} -> {after.rss_bytes / 1e6:.1f} MB",
        ),
    ]
