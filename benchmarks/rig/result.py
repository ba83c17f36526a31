"""What a benchmark found, as data: printed, written as JSON, drawn, and set in the docs from one value."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from benchmarks.rig.machine import Machine, this_machine

RESULTS = Path(__file__).parent.parent / "results"


class Measure(msgspec.Struct):
    """One contestant in one case: a figure a run, in the order of the runs."""

    case: str
    who: str
    unit: str
    runs: list[float]

    @property
    def median(self) -> float:
        return median(self.runs)


class Claim(msgspec.Struct):
    """A figure with the bound it must keep: `value` <= `limit`; without a limit it is only told."""

    name: str
    value: float
    unit: str = "x"
    limit: float | None = None

    @property
    def kept(self) -> bool:
        return self.limit is None or self.value <= self.limit


class Check(msgspec.Struct):
    """Something that must be true for the figures to mean anything."""

    name: str
    passed: bool
    detail: str = ""


class Result(msgspec.Struct):
    """One benchmark's findings. settings: what it was asked (runs, streams, ...)."""

    name: str
    title: str
    settings: dict[str, Any]
    measures: list[Measure] = []
    claims: list[Claim] = []
    checks: list[Check] = []
    date: str = msgspec.field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    machine: Machine = msgspec.field(default_factory=this_machine)

    def runs(self, case: str, who: str) -> list[float]:
        """The runs of one contestant in one case; empty where it did not take part."""
        for measure in self.measures:
            if (measure.case, measure.who) == (case, who):
                return measure.runs
        return []

    def add_run(self, case: str, who: str, unit: str, value: float) -> None:
        """One more run."""
        for measure in self.measures:
            if (measure.case, measure.who) == (case, who):
                measure.runs.append(value)
                return
        self.measures.append(Measure(case, who, unit, [value]))

    @property
    def held(self) -> bool:
        """Whether every claim is kept and every check passed."""
        return all(claim.kept for claim in self.claims) and all(check.passed for check in self.checks)


def show(result: Result, console: Console | None = None) -> None:
    """Print the findings as tables."""
    console = console or Console()
    table = Table(title=f"{result.title} ({result.date})")
    for heading in ("case", "who", "median", "runs", "unit"):
        table.add_column(heading, justify="right" if heading in ("median", "runs") else "left")
    for row in result.measures:
        runs = " ".join(f"{value:.4g}" for value in row.runs)
        table.add_row(row.case, row.who, f"{row.median:.4g}", runs, row.unit)
    console.print(table)
    for claim in result.claims:
        bound = "" if claim.limit is None else f" (<= {claim.limit:g}: {'kept' if claim.kept else 'BROKEN'})"
        console.print(f"{claim.name}: {claim.value:.4g} {claim.unit}{bound}", markup=False)
    for check in result.checks:
        verdict = "ok" if check.passed else "FAILED"
        console.print(f"{check.name}: {verdict} {check.detail}", markup=False)


def write(result: Result, folder: Path = RESULTS) -> Path:
    """Write the findings as JSON; returns the file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{result.name}.json"
    path.write_bytes(msgspec.json.format(msgspec.json.encode(result), indent=1) + b"\n")
    return path


def read(path: Path) -> Result:
    """Read what `write` wrote."""
    return msgspec.json.decode(path.read_bytes(), type=Result)
