"""CPU a chunk where the client speaks another protocol than the provider, beside nginx passing the bytes."""

from __future__ import annotations

from contextlib import ExitStack

from benchmarks.rig.farend import load, plan_for, upstream
from benchmarks.rig.figures import paired_ratio, rotated
from benchmarks.rig.gateways import Gateway, headrace, nginx, nginx_path
from benchmarks.rig.load import Report
from benchmarks.rig.options import Options, main
from benchmarks.rig.process import cpu_s
from benchmarks.rig.protocols import CHAT, MESSAGES_WIRE, RESPONSES, Protocol
from benchmarks.rig.result import Claim, Result

STREAMS = 100
PIECES = 300
QUICK_RUNS = 2
MODEL = f"spread-{PIECES}"
UNIT = "us CPU a chunk"
LIMIT_OF_NGINX = 2.2
# (what the provider speaks, what the client speaks)
PAIRS = ((CHAT, MESSAGES_WIRE), (CHAT, RESPONSES), (MESSAGES_WIRE, CHAT), (RESPONSES, CHAT))


def measure(options: Options) -> Result:
    """100 streams of a chunk each 10 ms, starts spread over a second; nginx passes the provider's bytes."""
    runs = min(options.runs, QUICK_RUNS) if options.quick else options.runs
    settings = {"runs": runs, "streams": STREAMS, "pieces_a_stream": PIECES, "spacing_s": 1.0}
    result = Result("translate", "Gateway, from one protocol to another: CPU", settings)
    with ExitStack() as stack:
        port = stack.enter_context(upstream())
        ours = stack.enter_context(headrace(port))
        theirs = stack.enter_context(nginx(port)) if nginx_path() else None
        for pair in PAIRS:
            one_run(None, ours, *pair)  # what is loaded late is loaded now
        for turn in range(runs):
            for pair in rotated(PAIRS, turn):
                contestants = [ours] if theirs is None else [ours, theirs]
                for gateway in rotated(contestants, turn):
                    one_run(result, gateway, *pair)
    for provider, client in PAIRS:
        case = case_of(provider, client)
        if passed := result.runs(case, "nginx"):
            ratio = paired_ratio(result.runs(case, "headrace"), passed)
            result.claims.append(Claim(f"{case}: headrace / nginx", ratio, limit=LIMIT_OF_NGINX))
    return result


def case_of(provider: Protocol, client: Protocol) -> str:
    """What the row is called."""
    return f"{provider.name} provider, {client.name} client"


def one_run(result: Result | None, gateway: Gateway, provider: Protocol, client: Protocol) -> None:
    """One load through one gateway. Raises RuntimeError where an answer was not whole: no figure then."""
    if gateway.name == "nginx":
        client_speaks, model = provider, MODEL
    else:
        client_speaks, model = client, f"{provider.name}/{MODEL}"
    case = case_of(provider, client)
    before_s = cpu_s(gateway.pid)
    report = load(plan_for(gateway.port, client_speaks.path, model, STREAMS, protocol=client_speaks))
    spent_s = cpu_s(gateway.pid) - before_s
    require_whole(report, gateway.name, case)
    if result is not None:
        result.add_run(case, gateway.name, UNIT, spent_s * 1e6 / (STREAMS * PIECES))


def require_whole(report: Report, name: str, case: str) -> None:
    """Raises RuntimeError where an answer was not whole."""
    if report.wrong or not report.whole:
        raise RuntimeError(f"{name}, {case}: {len(report.wrong)} answers not whole: {report.wrong[:1]}")


if __name__ == "__main__":
    main("translate", measure)
