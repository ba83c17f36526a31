"""Streams with every fault and of every life against `headrace serve` for minutes; then nothing may be left.

`python -m benchmarks.soak --minutes 5 --log sqlite`
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from benchmarks.rig.farend import held, load, plan_for, upstream
from benchmarks.rig.figures import growth_an_hour
from benchmarks.rig.footprint import Footprint, footprint_of, footprints, settled, touched
from benchmarks.rig.gateways import Gateway, headrace
from benchmarks.rig.lives import live_round
from benchmarks.rig.process import allow_open_files
from benchmarks.rig.result import Check, Claim, Result, show, write

STREAMS = 100
WHOLE = ("spread-50", "burst-300")
FAULTS = ("cut-5", "reset-5", "unfinished-5", "garbled-5", "refused-1")
ABANDONED = "wait-1"
WARM_ROUNDS = 12  # until the allocator's arenas have taken the shape of the load
LOGS = ("memory", "sqlite", "valkey")
ENDED_S = 6  # how long an ended stream is kept
LOG_LIMIT_BYTES = 160 * 2**20


def measure(minutes: float, log: str) -> Result:
    """Rounds of whole, broken, abandoned and resumed streams until the time is up, then the footprint."""
    settings = {"minutes": minutes, "log": log, "streams_a_round": STREAMS}
    result = Result("soak" if log == LOGS[0] else f"soak_{log}", f"Soak with faults, log: {log}", settings)
    seen: Counter[str] = Counter()
    broken: list[str] = []
    rounds: list[tuple[float, Footprint]] = []
    with ExitStack() as stack:
        gateway = stack.enter_context(serving(stack.enter_context(upstream()), log))
        idle = touched(gateway)
        for _ in range(WARM_ROUNDS):
            one_round(gateway, Counter(), broken)
        before = settled(gateway, idle)
        ends_s = time.monotonic() + minutes * 60
        while time.monotonic() < ends_s:
            one_round(gateway, seen, broken)
            rounds.append((time.monotonic(), footprint_of(gateway)))
        after = settled(gateway, idle)
    result.settings |= {"rounds": len(rounds), "outcomes": dict(seen)}
    add_rounds(result, rounds)
    result.checks += [*outcomes(seen, broken), *footprints(before, after, idle)]
    return result


@contextmanager
def serving(upstream_port: int, log: str) -> Iterator[Gateway]:
    """The server with that log. A Valkey server is started for it, and stopped after it."""
    kept = {"ended_s": ENDED_S, "total_bytes": LOG_LIMIT_BYTES}
    with ExitStack() as stack:
        if log == "valkey":
            from tests.store.servers import valkey_server

            kept["url"] = stack.enter_context(valkey_server()).url
        yield stack.enter_context(headrace(upstream_port, log=log, **kept))


def one_round(gateway: Gateway, seen: Counter[str], broken: list[str]) -> None:
    """Every kind of stream once, `STREAMS` of each at a time, then every life of one."""
    for model in (*WHOLE, *FAULTS):
        report = load(plan_for(gateway.port, gateway.path, gateway.prefix + model, STREAMS, spacing_s=0.2))
        seen[f"{model} whole"] += report.whole
        seen[f"{model} not whole"] += len(report.wrong)
    waiting = plan_for(gateway.port, gateway.path, gateway.prefix + ABANDONED, STREAMS, spacing_s=0.2)
    with held(waiting):
        seen[f"{ABANDONED} abandoned"] += STREAMS
    asyncio.run(live_round(gateway.port, gateway.prefix, seen, broken))


def add_rounds(result: Result, rounds: list[tuple[float, Footprint]]) -> None:
    """What the server held after each round, and the line through its memory."""
    for _, held_then in rounds:
        result.add_run("after each round", "resident memory", "MB", held_then.rss_bytes / 1e6)
        result.add_run("after each round", "open files", "files", held_then.files)
        result.add_run("after each round", "tasks", "tasks", held_then.tasks)
        if held_then.log_bytes is not None:
            result.add_run("after each round", "log", "MB", held_then.log_bytes / 1e6)
    if logged := result.runs("after each round", "log"):
        limit_mb = LOG_LIMIT_BYTES / 1e6
        result.claims.append(Claim("the log at its fullest", max(logged), "MB", limit_mb))
    if len(rounds) > 1:
        memory_mb = result.runs("after each round", "resident memory")
        grown_mb = growth_an_hour([at_s for at_s, _ in rounds], memory_mb)
        result.claims.append(Claim("resident memory, a line through the rounds", grown_mb, "MB an hour"))


def outcomes(seen: Counter[str], broken: list[str]) -> list[Check]:
    """Whole streams were all whole, broken ones never passed as whole, and every promise was kept."""
    lost = sum(seen[f"{model} not whole"] for model in WHOLE)
    passed_off = sum(seen[f"{model} whole"] for model in FAULTS)
    return [
        Check("every whole stream arrived whole", lost == 0, f"{lost} did not"),
        Check("no broken stream passed as whole", passed_off == 0, f"{passed_off} did"),
        Check("every stream lived as promised", not broken, f"{len(broken)} did not {broken[:3] or ''}"),
    ]


def main() -> None:
    """Soak for the time given; exit code 1 where anything is left behind."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--log", choices=LOGS, default=LOGS[0], help="where the server keeps its streams")
    allow_open_files()
    given = parser.parse_args()
    result = measure(given.minutes, given.log)
    show(result)
    print(write(result))
    sys.exit(0 if result.held else 1)


if __name__ == "__main__":
    main()
