"""Resident memory a waiting relayed stream costs its gateway."""

from __future__ import annotations

import time
from contextlib import ExitStack

from benchmarks.rig.farend import held, load, plan_for, upstream
from benchmarks.rig.figures import paired_ratio, rotated
from benchmarks.rig.gateways import Launch, present
from benchmarks.rig.options import Options, main
from benchmarks.rig.process import pss_bytes, rss_bytes
from benchmarks.rig.result import Claim, Result

STREAMS = (100, 1_000, 5_000)
QUICK_STREAMS = (100, 1_000)
WARM_STREAMS = 20
OPENED_A_SECOND = 1_000
SETTLE_S = 1.0
RUNS = 3
UNIT = "B RSS a stream"


def measure(options: Options) -> Result:
    """Streams that have had their first text and wait, in a fresh process for every figure."""
    runs = min(options.runs, RUNS)
    counts = QUICK_STREAMS if options.quick else STREAMS
    settings = {"runs": runs, "streams": list(counts), "warm_streams": WARM_STREAMS}
    result = Result("memory", "Memory of a waiting relayed stream", settings)
    launches = present(("spread-1", "wait-1"))
    with upstream() as port:
        for turn in range(runs):
            for streams in counts:
                for name in rotated(list(launches), turn):
                    one_figure(result, name, launches[name], port, streams)
    for streams in counts:
        case = f"{streams:,} streams"
        if nginx := result.runs(case, "nginx"):
            ratio = paired_ratio(result.runs(case, "headrace"), nginx)
            limit = 1.0 if streams == max(STREAMS) else None
            result.claims.append(Claim(f"{case}: headrace / nginx", ratio, limit=limit))
    return result


def one_figure(result: Result, name: str, launch: Launch, port: int, streams: int) -> None:
    """Memory before and with the streams, warmed up so that code loaded late is not counted as theirs."""
    with ExitStack() as stack:
        gateway = stack.enter_context(launch(port))
        where = gateway.port, gateway.path
        load(plan_for(*where, f"{gateway.prefix}spread-1", WARM_STREAMS, spacing_s=0.2))
        time.sleep(SETTLE_S)
        before, before_pss = rss_bytes(gateway.pid), pss_bytes(gateway.pid)
        waiting = plan_for(*where, f"{gateway.prefix}wait-1", streams, spacing_s=streams / OPENED_A_SECOND)
        with held(waiting):
            time.sleep(SETTLE_S)
            grown = rss_bytes(gateway.pid) - before
            grown_pss = pss_bytes(gateway.pid) - before_pss
    result.add_run(f"{streams:,} streams", name, UNIT, grown / streams)
    result.add_run(f"{streams:,} streams, PSS", name, "B PSS a stream", grown_pss / streams)


if __name__ == "__main__":
    main("memory", measure)
