"""Streams with every fault against `headrace serve` for minutes; afterwards nothing may be left behind.

`python -m benchmarks.soak --minutes 5`
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass

from benchmarks.rig.farend import held, load, plan_for, upstream
from benchmarks.rig.gateways import Gateway, headrace
from benchmarks.rig.health import health
from benchmarks.rig.process import allow_open_files, open_files, rss_bytes, threads
from benchmarks.rig.result import Check, Result, show, write

STREAMS = 100
WHOLE = ("spread-50", "burst-300")
FAULTS = ("cut-5", "reset-5", "unfinished-5", "garbled-5", "refused-1")
ABANDONED = "wait-1"
WARM_ROUNDS = 5
SETTLE_LIMIT_S = 90.0  # longer than any pool keeps an idle connection
RSS_GROWTH_LIMIT_BYTES = 8 * 2**20


@dataclass(frozen=True, slots=True)
class Footprint:
    """What the server holds. live: answers it says are under way."""

    files: int
    threads: int
    rss_bytes: int
    live: int


def measure(minutes: float) -> Result:
    """Rounds of whole, broken and abandoned streams until the time is up, then the footprint."""
    result = Result("soak", "Soak with faults", {"minutes": minutes, "streams_a_round": STREAMS})
    seen: Counter[str] = Counter()
    with ExitStack() as stack:
        gateway = stack.enter_context(headrace(stack.enter_context(upstream())))
        idle = footprint_of(gateway)
        for _ in range(WARM_ROUNDS):
            one_round(gateway, Counter())
        before = settled(gateway, idle)
        ends_s = time.monotonic() + minutes * 60
        while time.monotonic() < ends_s:
            one_round(gateway, seen)
            footprint = footprint_of(gateway)
            result.add_run("after each round", "resident memory", "MB", footprint.rss_bytes / 1e6)
            result.add_run("after each round", "open files", "files", footprint.files)
        after = settled(gateway, idle)
    result.settings |= {"outcomes": dict(seen)}
    result.checks += [*outcomes(seen), *footprints(before, after, idle)]
    return result


def one_round(gateway: Gateway, seen: Counter[str]) -> None:
    """Every kind of stream once, `STREAMS` of each at a time."""
    for model in (*WHOLE, *FAULTS):
        report = load(plan_for(gateway.port, gateway.path, gateway.prefix + model, STREAMS, spacing_s=0.2))
        seen[f"{model} whole"] += report.whole
        seen[f"{model} not whole"] += len(report.wrong)
    waiting = plan_for(gateway.port, gateway.path, gateway.prefix + ABANDONED, STREAMS, spacing_s=0.2)
    with held(waiting):
        seen[f"{ABANDONED} abandoned"] += STREAMS


def footprint_of(gateway: Gateway) -> Footprint:
    """The server's footprint now."""
    live = int(health(gateway.port)["live"])
    return Footprint(open_files(gateway.pid), threads(gateway.pid), rss_bytes(gateway.pid), live)


def settled(gateway: Gateway, idle: Footprint) -> Footprint:
    """The footprint once the files are back where they began, or as it is after `SETTLE_LIMIT_S`."""
    deadline_s = time.monotonic() + SETTLE_LIMIT_S
    while (now := footprint_of(gateway)).files > idle.files and time.monotonic() < deadline_s:
        time.sleep(0.5)
    return now


def outcomes(seen: Counter[str]) -> list[Check]:
    """Whole streams were all whole, broken ones never passed as whole."""
    lost = sum(seen[f"{model} not whole"] for model in WHOLE)
    passed_off = sum(seen[f"{model} whole"] for model in FAULTS)
    return [
        Check("every whole stream arrived whole", lost == 0, f"{lost} did not"),
        Check("no broken stream passed as whole", passed_off == 0, f"{passed_off} did"),
    ]


def footprints(before: Footprint, after: Footprint, idle: Footprint) -> list[Check]:
    """Nothing is under way, no file stays open, no thread stays, memory stands."""
    grown = after.rss_bytes - before.rss_bytes
    return [
        Check("no answer is left under way", after.live == 0, f"{after.live} live"),
        Check("open files are back", after.files <= idle.files, f"{idle.files} -> {after.files}"),
        Check("threads are back", after.threads <= before.threads, f"{before.threads} -> {after.threads}"),
        Check("memory stands", grown <= RSS_GROWTH_LIMIT_BYTES, f"{grown / 1e6:+.1f} MB"),
    ]


def main() -> None:
    """Soak for the time given; exit code 1 where anything is left behind."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0)
    allow_open_files()
    result = measure(parser.parse_args().minutes)
    show(result)
    print(write(result))
    sys.exit(0 if result.held else 1)


if __name__ == "__main__":
    main()
