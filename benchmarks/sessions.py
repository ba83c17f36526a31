"""What keeping streams costs: the same relay with no log, with the log in memory, and with it in a file."""

from __future__ import annotations

from contextlib import ExitStack

from benchmarks.gateway import CASES, CPU, PIECES, STREAMS, require_whole
from benchmarks.rig.farend import load, plan_for, upstream
from benchmarks.rig.figures import paired_difference, paired_ratio, rotated
from benchmarks.rig.gateways import Gateway, headrace, nginx, nginx_path
from benchmarks.rig.options import Options, main
from benchmarks.rig.process import cpu_s
from benchmarks.rig.result import Claim, Result

QUICK_RUNS = 2
CASE = CASES["spread"]
MODEL = f"spread-{PIECES}"
LOGS = {"no log": "none", "in memory": "memory", "SQLite": "sqlite"}
MEMORY_LIMIT_US, SQLITE_LIMIT_US = 5.0, 12.0
BARE_LIMIT_OF_NGINX, KEPT_LIMIT_OF_NGINX = 1.6, 2.2


def measure(options: Options) -> Result:
    """100 streams through the same server with each log in turn, and through nginx."""
    runs = min(options.runs, QUICK_RUNS) if options.quick else options.runs
    settings = {"runs": runs, "streams": STREAMS, "events_a_stream": PIECES + 3}
    result = Result("sessions", "What keeping streams costs", settings)
    with ExitStack() as stack:
        port = stack.enter_context(upstream())
        gateways = {name: stack.enter_context(headrace(port, name, log)) for name, log in LOGS.items()}
        if nginx_path():
            gateways["nginx"] = stack.enter_context(nginx(port))
        for gateway in gateways.values():
            load(plan_for(gateway.port, gateway.path, f"{gateway.prefix}spread-1", STREAMS, spacing_s=0.3))
        for turn in range(runs):
            for name in rotated(list(gateways), turn):
                one_run(result, gateways[name])
    state_claims(result)
    return result


def one_run(result: Result, gateway: Gateway) -> None:
    """One load through one server. Raises RuntimeError where an answer was not whole."""
    before_s = cpu_s(gateway.pid)
    report = load(plan_for(gateway.port, gateway.path, gateway.prefix + MODEL, STREAMS))
    spent_s = cpu_s(gateway.pid) - before_s
    require_whole(report, gateway.name, MODEL)
    result.add_run(CASE, gateway.name, CPU, spent_s * 1e6 / (STREAMS * (PIECES + 3)))


def state_claims(result: Result) -> None:
    """What each log adds to the bare relay, and both against nginx."""
    bare = result.runs(CASE, "no log")
    for name, limit_us in (("in memory", MEMORY_LIMIT_US), ("SQLite", SQLITE_LIMIT_US)):
        added_us = paired_difference(result.runs(CASE, name), bare)
        result.claims.append(Claim(f"{name} less no log", added_us, "us CPU a chunk", limit_us))
    if theirs := result.runs(CASE, "nginx"):
        for name, limit in (("no log", BARE_LIMIT_OF_NGINX), ("in memory", KEPT_LIMIT_OF_NGINX)):
            ratio = paired_ratio(result.runs(CASE, name), theirs)
            result.claims.append(Claim(f"{name} / nginx", ratio, limit=limit))


if __name__ == "__main__":
    main("sessions", measure)
