"""The tap on every stream: what it costs a chunk, beside an empty loop; a stream's end, and a scrape."""

from __future__ import annotations

import time
from statistics import median
from typing import Any

from benchmarks.decode import timed_s
from benchmarks.rig.options import Options, main
from benchmarks.rig.result import Check, Claim, Result
from headrace.core.chunk import Finish
from headrace.core.usage import Usage
from headrace.metrics.clock import StreamClock
from headrace.metrics.counters import Tally
from headrace.metrics.histogram import GAP_BUCKETS_S
from headrace.metrics.measures import Call, Measures
from headrace.metrics.names import Live
from headrace.metrics.prometheus import Snapshot, snapshot, text_of
from headrace.metrics.totals import MOST_MODELS, MOST_SERIES
from headrace.sessions.produce import RelayProducer

PUSHES = 1_000_000
ENDS = 20_000
BATCHES = (1, 8)  # chunks that arrive together
LIMIT_US = 1.0
UNIT = "us CPU a chunk"


def measure(options: Options) -> Result:
    """One process, CPU time, the machine's own monotonic clock."""
    scale = 10 if options.quick else 1
    pushes, ends = PUSHES // scale, ENDS // scale
    result = Result("tap", "The tap on a stream", {"runs": options.runs, "pushes": pushes, "ends": ends})
    result.checks.append(counted())
    full = full_table()
    for _ in range(options.runs):
        empty_s = timed_s(lambda: nothing(pushes))
        for batch in BATCHES:
            case = f"{batch} a push"
            result.add_run(case, "an empty loop", UNIT, empty_s * 1e6 / pushes / batch)
            tapped_s = timed_s(lambda batch=batch: tapped(pushes, batch))  # type: ignore[misc]
            result.add_run(case, "headrace", UNIT, tapped_s * 1e6 / pushes / batch)
        relayed_s = timed_s(lambda: relayed(pushes))
        result.add_run("a relay's push, less its log", "headrace", UNIT, relayed_s * 1e6 / pushes)
        ended_s = timed_s(lambda: ended(ends))
        result.add_run("the end of a stream", "headrace", "us CPU a stream", ended_s * 1e6 / ends)
        case = f"a scrape of {MOST_SERIES} keys"
        taken_s = timed_s(lambda: snapshot_of(full))
        result.add_run(f"{case}: on the loop", "headrace", "ms CPU", taken_s * 1e3)
        written_s = timed_s(lambda: text_of(snapshot_of(full))) - taken_s
        result.add_run(f"{case}: in a thread", "headrace", "ms CPU", written_s * 1e3)
    for batch in BATCHES:
        case = f"{batch} a push"
        over = median(result.runs(case, "headrace")) - median(result.runs(case, "an empty loop"))
        result.claims.append(Claim(f"{case}: over an empty loop", over, "us a chunk", LIMIT_US))
    relay_us = median(result.runs("a relay's push, less its log", "headrace"))
    result.claims.append(Claim("a relay's push, all but its log", relay_us, "us a chunk", LIMIT_US))
    return result


def nothing(pushes: int) -> None:
    """The loop alone."""
    for _ in range(pushes):
        pass


def tapped(pushes: int, batch: int) -> StreamClock:
    """The clock after that many pushes of so many chunks."""
    clock = StreamClock(time.monotonic(), time.monotonic)
    push = clock.push
    for _ in range(pushes):
        push(batch, True)
    return clock


class _NoLog:
    """A session that takes what it is given."""

    producer: RelayProducer | None = None

    def write(self, _pieces: list[bytes]) -> None:
        pass


class _Events:
    """A relay that has seen an event more at each look."""

    usage = None
    reasoning_events = 0

    @property
    def content_events(self) -> int:
        self._events += 1
        return self._events

    _events = 0


def relayed(pushes: int) -> StreamClock:
    """A server's producer of relayed events: the tap, and what it is told by."""
    session: Any = _NoLog()
    relay: Any = _Events()
    producer = RelayProducer(session, relay, "m", _no_report, time.monotonic(), time.monotonic)
    push, batch = producer.push, [b'data: {"choices":[{"delta":{"content":"word"}}]}\n\n']
    for _ in range(pushes):
        push(batch)
    return producer.clock


def _no_report(_tally: Tally) -> None:
    pass


def ended(streams: int) -> Measures:
    """Figures and totals of that many streams of one model."""
    measures = Measures(lambda: ("m",))
    clock = tapped(100, 1)
    call, tally = (
        Call("id", "m", "m", "openai_chat"),
        Tally("m", Finish(), 1.0, 0.1, Usage(10, 100), clock=clock),
    )
    for _ in range(streams):
        measures.add(call, tally)
    return measures


def snapshot_of(measures: Measures) -> Snapshot:
    """What a scrape takes."""
    return snapshot(measures.counters, measures.totals, Live(1, 1, 1, 1, 1))


def full_table() -> Measures:
    """As many keys as there may be, every histogram filled."""
    measures = Measures(tuple)
    clock = tapped(100, 1)
    clock.sent()
    for number in range(MOST_SERIES):
        model, protocol = f"provider/model-{number % MOST_MODELS}", f"protocol_{number // MOST_MODELS}"
        tally = Tally(model, Finish(), 1.0, 0.1, Usage(10, 100), clock=clock)
        measures.add(Call("id", model, model, protocol), tally)
    return measures


def counted() -> Check:
    """It has counted every chunk: else no figure means anything."""
    clock = tapped(1000, 8)
    passed = (
        clock.pieces == 8000 and sum(clock.gap_counts) == 7999 and len(clock.gap_counts) > len(GAP_BUCKETS_S)
    )
    return Check("every chunk and every gap is counted", passed)


if __name__ == "__main__":
    main("tap", measure)
