"""What Prometheus scrapes, read by the official client's own parser."""

from __future__ import annotations

from prometheus_client.openmetrics.parser import text_string_to_metric_families
from tests.metrics.answers import call, measures, tally

from headrace.core.chunk import Cancelled
from headrace.metrics.names import COUNTERS, GAUGES, HISTOGRAMS, TOTALS, Live
from headrace.metrics.prometheus import Snapshot, snapshot, text_of

LIVE = Live(requests=3, streams=2, readers=4, queued=6, log_bytes=500)


def families(figures: Snapshot) -> dict:
    text = text_of(figures).decode()
    assert text.endswith("# EOF\n")
    return {family.name: family for family in text_string_to_metric_families(text)}


def test_every_row_is_there_and_is_what_was_counted() -> None:
    room = measures()
    room.counters.requests = 9
    room.add(call(), tally())
    room.add(call(), tally(terminal=Cancelled("gone"), pushes=[], lost=True))
    found = families(snapshot(room.counters, room.totals, LIVE))
    assert set(found) == {row.name for row in (*COUNTERS, *GAUGES, *TOTALS, *HISTOGRAMS)}
    assert found["headrace_requests"].samples[0].value == 9
    assert found["headrace_live_readers"].samples[0].value == 4
    assert found["headrace_log_bytes"].samples[0].value == 500
    lost = {s.labels["outcome"]: s.value for s in found["headrace_lost_answers"].samples}
    assert lost == {"finished": 0, "cancelled": 1}
    gaps = found["headrace_gap_seconds"].samples
    assert {s.labels["outcome"] for s in gaps} == {"finished"}  # the other had none
    assert next(s.value for s in gaps if s.name.endswith("_count")) == 3
    assert next(s.value for s in gaps if s.name.endswith("_sum")) == 0.5
    told = {s.labels["le"]: s.value for s in gaps if s.name.endswith("_bucket")}
    assert (told["0.001"], told["0.2"], told["0.3"], told["+Inf"]) == (1, 1, 3, 3)


def test_a_log_that_does_not_know_its_size_has_no_gauge() -> None:
    room = measures()
    found = families(snapshot(room.counters, room.totals, LIVE._replace(log_bytes=None)))
    assert "headrace_log_bytes" not in found


def test_names_have_units_and_no_word_twice() -> None:
    names = [row.name for row in (*COUNTERS, *GAUGES, *TOTALS, *HISTOGRAMS)]
    assert len(set(names)) == len(names)
    assert all(name.startswith("headrace_") for name in names)
    assert all(row.name.endswith("_seconds") for row in HISTOGRAMS)


def test_a_models_name_cannot_break_the_text() -> None:
    odd = 'a"b\\c\nd'
    room = measures(known=(odd,))
    room.add(call(odd), tally(odd))
    found = families(snapshot(room.counters, room.totals, LIVE))
    assert found["headrace_answers"].samples[0].labels["model"] == odd


def test_a_snapshot_is_of_one_moment() -> None:
    room = measures()
    room.add(call(), tally())
    figures = snapshot(room.counters, room.totals, LIVE)
    before = text_of(figures)
    room.counters.requests += 1
    room.add(call(), tally())
    room.add(call("other/one"), tally("other/one"))
    assert text_of(figures) == before
    assert text_of(snapshot(room.counters, room.totals, LIVE)) != before
