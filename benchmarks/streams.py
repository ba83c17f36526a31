"""Thousands of streams of a chunk a second through one worker: how late they are, how soon one is stopped."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import msgspec

from benchmarks.rig.farend import Crowd, FarEnd, crowd, far_end
from benchmarks.rig.figures import percentile
from benchmarks.rig.gateways import headrace
from benchmarks.rig.health import fetched
from benchmarks.rig.load import Plan
from benchmarks.rig.options import Options, main
from benchmarks.rig.process import cpu_s, rss_bytes, waited_s
from benchmarks.rig.protocols import CHAT, MESSAGES
from benchmarks.rig.result import Check, Claim, Result
from benchmarks.rig.stops import STOPS, Place, stopped
from benchmarks.rig.ticker import Told
from headrace.config.keys import digest_of

DIRECT = "no server"
LOGS = {"log in memory": "memory", "log in SQLite": "sqlite"}
LIMITS = """
[keys.bench]
sha256 = "{digest}"

[limits]
requests_per_minute = 1000000
tokens_per_minute = 1000000000
max_streams = 20000
events_per_s = 50

[queue]
max_lag_s = 5
"""
RUNS = 2
STOP_LIMIT_MS = 50.0
LEAST_SHARE = 0.99  # of a chunk a second a stream: the far end's timers may be a little late


@dataclass(frozen=True, slots=True)
class Size:
    """streams at once, opened over `ramp_s`; then watched for `steady_s`; then `stops` stops of each kind."""

    streams: int
    ramp_s: float
    steady_s: float
    stops: int


SIZE = Size(5_000, 12.0, 20.0, 200)
QUICK = Size(500, 2.0, 5.0, 20)


@dataclass(frozen=True, slots=True)
class Watched:
    """A while at full load: its bounds on the monotonic clock, of each process that took part the CPU seconds
    and those that it waited for a core, and milliseconds of small requests made beside it."""

    from_ns: int
    to_ns: int
    cpu_s: dict[str, float]
    waited_s: dict[str, float]
    asked_ms: list[float]

    @property
    def seconds(self) -> float:
        return (self.to_ns - self.from_ns) / 1e9


def measure(options: Options) -> Result:
    """The same streams without a server, then through one with each log in turn."""
    size = QUICK if options.quick else SIZE
    runs = min(options.runs, RUNS)
    settings = {"runs": runs, **{name: getattr(size, name) for name in Size.__slots__}}
    result = Result("streams", f"{size.streams:,} streams of a chunk a second, one worker", settings)
    for _ in range(runs):
        with far_end("ticker") as far:
            one_run(result, DIRECT, far, Place(far.port, CHAT.path, far.port), {}, size)
        for name, log in LOGS.items():
            with far_end("ticker") as far, serving(far, log) as (place, pid):
                one_run(result, name, far, place, {"server": pid}, size)
    state_claims(result)
    return result


@contextmanager
def serving(far: FarEnd, log: str) -> Iterator[tuple[Place, int]]:
    """`headrace serve` with that log, keys, limits and the watch on its loop, and where to ask it."""
    key = secrets.token_urlsafe(16)
    with headrace(far.port, log=log, more=LIMITS.format(digest=digest_of(key))) as gateway:
        yield Place(gateway.port, gateway.path, far.port, gateway.prefix, key), gateway.pid


def one_run(result: Result, who: str, far: FarEnd, place: Place, servers: dict[str, int], size: Size) -> None:
    """One crowd from its first stream to its last. servers: processes between it and the far end, by name."""
    for pid in servers.values():
        result.add_run("resident memory", f"{who}, before", "MB", rss_bytes(pid) / 1e6)
    with crowd(plan_of(place, size)) as readers:
        watched = watch(place, {**servers, "far end": far.pid, "readers": readers.pid}, size.steady_s)
        for pid in servers.values():
            result.add_run("resident memory", f"{who}, full", "MB", rss_bytes(pid) / 1e6)
        kinds = list(STOPS) if servers else [kind for kind in STOPS if "DELETE" not in kind]
        took_ms = stopped(place, kinds, size.stops, lambda: told_by(far).lost_ns)
        ended(result, who, far, readers, watched, size)
    for name, spent_s in watched.cpu_s.items():
        result.add_run("CPU", f"{who}: {name}", "% of a core", 100 * spent_s / watched.seconds)
        waited = 100 * watched.waited_s[name] / watched.seconds
        result.add_run("waiting for a core", f"{who}: {name}", "% of the time", waited)
    add_spread(result, "a small request beside them", who, watched.asked_ms)
    for kind, values in took_ms.items():
        add_spread(result, kind, who, values)


def plan_of(place: Place, size: Size) -> Plan:
    """The readers' plan. Its text is not known before: each stream's own usage tells it."""
    ask = {
        "model": f"{place.prefix}tick",
        "messages": MESSAGES,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    body = msgspec.json.encode(ask).decode()
    return Plan(place.port, place.path, body, size.streams, "", size.ramp_s, timeout_s=1200.0, key=place.key)


def watch(place: Place, pids: dict[str, int], seconds: float) -> Watched:
    """Look on for a while, with a small request every 200 ms."""
    asked_ms: list[float] = []
    from_cpu_s, from_waited_s = of_each(cpu_s, pids), of_each(waited_s, pids)
    from_ns = time.monotonic_ns()
    while time.monotonic_ns() - from_ns < seconds * 1e9:
        began_s = time.monotonic()
        fetched(place.port, "GET", "/health", key=place.key)
        asked_ms.append((time.monotonic() - began_s) * 1e3)
        time.sleep(0.2)
    to_ns = time.monotonic_ns()
    spent_s = {name: value - from_cpu_s[name] for name, value in of_each(cpu_s, pids).items()}
    lost_s = {name: value - from_waited_s[name] for name, value in of_each(waited_s, pids).items()}
    return Watched(from_ns, to_ns, spent_s, lost_s, asked_ms)


def of_each(figure: Callable[[int], float], pids: dict[str, int]) -> dict[str, float]:
    """A figure of each process."""
    return {name: figure(pid) for name, pid in pids.items()}


def told_by(far: FarEnd) -> Told:
    """What the far end knows."""
    return msgspec.json.decode(fetched(far.port, "GET", "/told")[1], type=Told)


def ended(result: Result, who: str, far: FarEnd, readers: Crowd, watched: Watched, size: Size) -> None:
    """Have every stream end, and see what has come of all that was written."""
    fetched(far.port, "GET", "/end")
    found, told = readers.gathered(), told_by(far)
    said = f"{found.whole:,} of {size.streams:,} streams {found.wrong[:1] or ''}"
    result.checks.append(Check(f"{who}: every text whole", found.whole == size.streams, said))
    written = told.pieces - told.lost_pieces  # less those of the streams that were stopped
    said = f"{written:,} written, {found.pieces:,} read"
    none_lost = written == found.pieces == len(found.written_ns)
    result.checks.append(Check(f"{who}: no chunk lost or doubled", none_lost, said))
    steady_ms = [
        delay_ms
        for at_ns, delay_ms in zip(found.written_ns, found.delays_ms, strict=True)
        if watched.from_ns <= at_ns < watched.to_ns
    ]
    rate = len(steady_ms) / watched.seconds
    result.add_run("chunks that arrived", who, "chunks/s", rate)
    enough = rate >= LEAST_SHARE * size.streams
    result.checks.append(Check(f"{who}: a chunk a second a stream", enough, f"{rate:,.0f} chunks/s"))
    add_spread(result, "far end to client", who, steady_ms)


def add_spread(result: Result, case: str, who: str, values_ms: list[float]) -> None:
    """Median, 99th percentile and the longest of one run."""
    for name, percent in (("p50", 50), ("p99", 99), ("max", 100)):
        result.add_run(case, f"{who}, {name}", "ms", percentile(values_ms, percent))


def state_claims(result: Result) -> None:
    """Of each log, the worst run: how soon a stop is seen upstream."""
    for who in LOGS:
        for kind in STOPS:
            for name, limit in (("p99", STOP_LIMIT_MS), ("max", None)):
                worst_ms = max(result.runs(kind, f"{who}, {name}"))
                result.claims.append(
                    Claim(f"{who}, {kind}: upstream socket closed, {name}", worst_ms, "ms", limit)
                )


if __name__ == "__main__":
    main("streams", measure)
