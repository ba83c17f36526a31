"""docs/reference/metrics.md names what is measured: no more, no less."""

from __future__ import annotations

import re
from pathlib import Path

from tests.metrics.answers import call, ended, tally
from tests.metrics.test_otel import told

from headrace.config.settings import TelemetrySettings
from headrace.core.chunk import Cancelled, Failure
from headrace.errors import Unavailable
from headrace.metrics.clock import TARGETS
from headrace.metrics.figures import Figures
from headrace.metrics.names import COUNTERS, GAUGES, HISTOGRAMS, TOTALS
from headrace.metrics.otel import OPERATIONS
from headrace.metrics.settings import targets_of
from headrace.metrics.stream_log import line_of
from headrace.metrics.totals import MOST_MODELS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/reference/metrics.md").read_text()


def section(title: str) -> str:
    return PAGE.partition(f"## {title}\n")[2].partition("\n## ")[0]


def names(text: str) -> list[str]:
    """The names in the first cells of its tables."""
    firsts = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    return [name for cell in firsts for name in re.findall(r"`([^`]+)`", cell)]


def test_what_prometheus_scrapes() -> None:
    counters = [(f"{row.name}_total", "counter", row.says) for row in (*COUNTERS, *TOTALS)]
    others = [(row.name, "gauge", row.says) for row in GAUGES]
    others += [(row.name, "histogram", row.says) for row in HISTOGRAMS]
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| (.+) \|$", section("Prometheus"), re.M)
    assert sorted(rows) == sorted([*counters, *others])
    assert f"beyond {MOST_MODELS}\nof them" in PAGE


def test_the_figures_of_a_stream() -> None:
    assert set(names(section("Figures of a stream"))) == set(Figures.__struct_fields__)


def test_the_fields_of_the_stream_log() -> None:
    failed = tally(terminal=Failure.of(Unavailable("no")), queue_s=1.0)
    lines = [line_of(ended()), line_of(ended(failed))]
    true = {name for line in lines for name in line} - set(Figures.__struct_fields__)
    assert set(names(section("The stream log"))) == true


def test_the_names_of_opentelemetry() -> None:
    spans, points = told(ended(), ended(tally(terminal=Cancelled("gone"))))
    attributes = {name for span in spans for name in span.attributes}
    assert set(names(section("OpenTelemetry"))) == {*points, *attributes}
    assert all(f"`{word}`" in PAGE for word in {"chat", *OPERATIONS.values()})
    assert call().protocol not in OPERATIONS


def test_the_defaults_told_are_the_defaults() -> None:
    topic = (ROOT / "docs/topics/metrics.md").read_text()
    assert targets_of(TelemetrySettings()) == TARGETS
    found = {name: float(value) for name, value in re.findall(r"`(\w+_s)` \(([\d.]+) s\)", topic)}
    settings = TelemetrySettings()
    assert found == {name: getattr(settings, name) for name in ("stall_s", "first_token_s", "token_s")}
