"""CPU a chunk in the gateway and the time it adds to the first token, same wire in and out."""

from __future__ import annotations

from contextlib import ExitStack
from statistics import median

from benchmarks.rig.farend import load, plan_for, upstream
from benchmarks.rig.figures import paired_difference, paired_ratio, percentile, rotated
from benchmarks.rig.gateways import Gateway, present
from benchmarks.rig.load import Report
from benchmarks.rig.options import Options, main
from benchmarks.rig.process import cpu_s
from benchmarks.rig.result import Claim, Result
from benchmarks.truth import truth_checks

STREAMS = 100
QUICK_RUNS = 2
PIECES = 300  # 303 events with the role, the finish and the usage
CASES = {"spread": "a chunk each 10 ms a stream", "burst": "32 chunks each 10 ms a stream"}
CPU = "us CPU a chunk"
LIMIT_OF_NGINX = 2.2  # with every stream kept in memory, as by default; `benchmarks.sessions` has it bare
TTFT_P50_LIMIT_MS = 1.0
TTFT_P99_LIMIT_MS = 5.0


def measure(options: Options) -> Result:
    """100 streams, their starts spread over a second, through each gateway in turn."""
    runs = min(options.runs, QUICK_RUNS) if options.quick else options.runs
    settings = {"runs": runs, "streams": STREAMS, "events_a_stream": PIECES + 3, "spacing_s": 1.0}
    result = Result("gateway", "Gateway, same wire in and out: CPU and first token", settings)
    models = tuple(f"{case}-{PIECES}" for case in CASES)
    with ExitStack() as stack:
        port = stack.enter_context(upstream())
        launches = present((*models, "spread-1")).items()
        gateways = {name: stack.enter_context(launch(port)) for name, launch in launches}
        for gateway in gateways.values():
            load(plan_for(gateway.port, gateway.path, f"{gateway.prefix}spread-1", STREAMS, spacing_s=0.3))
        for turn in range(runs):
            for model in models:
                for name in rotated(list(gateways), turn):
                    one_run(result, gateways[name], model)
        result.checks += truth_checks(gateways["headrace"])
    state_claims(result)
    return result


def one_run(result: Result, gateway: Gateway, model: str) -> None:
    """One load through one gateway. Raises RuntimeError where an answer was not whole: no figure then."""
    before_s = cpu_s(gateway.pid)
    report = load(plan_for(gateway.port, gateway.path, gateway.prefix + model, STREAMS))
    spent_s = cpu_s(gateway.pid) - before_s
    require_whole(report, gateway.name, model)
    case = CASES[model.partition("-")[0]]
    result.add_run(case, gateway.name, CPU, spent_s * 1e6 / (STREAMS * (PIECES + 3)))
    if model.startswith("spread"):
        result.add_run("first token, p50", gateway.name, "ms", median(report.ttft_ms))
        result.add_run("first token, p99", gateway.name, "ms", percentile(report.ttft_ms, 99))


def require_whole(report: Report, name: str, model: str) -> None:
    """Raises RuntimeError where an answer was not whole."""
    if report.wrong or not report.whole:
        raise RuntimeError(f"{name}, {model}: {len(report.wrong)} answers not whole: {report.wrong[:1]}")


def state_claims(result: Result) -> None:
    """The ratios, against whichever peers are there."""
    for case in CASES.values():
        ours = result.runs(case, "headrace")
        if nginx := result.runs(case, "nginx"):
            limit = LIMIT_OF_NGINX if case == CASES["spread"] else None
            result.claims.append(Claim(f"{case}: headrace / nginx", paired_ratio(ours, nginx), limit=limit))
        if tensorzero := result.runs(case, "tensorzero"):
            ratio = paired_ratio(ours, tensorzero)
            result.claims.append(Claim(f"{case}: headrace / tensorzero", ratio, limit=1.0))
    limits = {"first token, p50": TTFT_P50_LIMIT_MS, "first token, p99": TTFT_P99_LIMIT_MS}
    for case, limit in limits.items():
        if nginx := result.runs(case, "nginx"):
            added_ms = paired_difference(result.runs(case, "headrace"), nginx)
            result.claims.append(Claim(f"{case}: headrace less nginx", added_ms, "ms", limit))


if __name__ == "__main__":
    main("gateway", measure)
